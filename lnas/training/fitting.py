"""Train an architecture's network in full, resumable at every epoch where a folder is given."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn

from lnas.training.callbacks import EpochCallback, SeedEpochs
from lnas.training.callbacks.progress import EpochSink
from lnas.training.candidate_module import CandidateModule
from lnas.training.checkpoints import WholeFileCheckpointIO
from lnas.training.recipe import Retraining


class Fitted(NamedTuple):
    """A trained module, and the Trainer that measures it."""

    module: CandidateModule
    trainer: pl.Trainer


class Measured(NamedTuple):
    """A module on one split: accuracy as a fraction, mean cross-entropy, wall time."""

    accuracy: float
    loss: float
    seconds: float


def fit(
    net: nn.Module,
    num_classes: int,
    data: pl.LightningDataModule,
    recipe: Retraining,
    seed: int,
    on_epoch: EpochSink,
    folder: Path | None = None,
    callbacks: Iterable[pl.Callback] = (),
) -> Fitted:
    """Train for all epochs, validating after each.

    Args:
        net: Trained in place.
        num_classes: Number of classes.
        data: Serves train and val batches.
        recipe: Epochs, optimizer, schedule, device and precision.
        seed: Decides augmentation and dropout, together with the epoch.
        on_epoch: Takes the numbers of each epoch.
        folder: Where `last.ckpt` is kept; one of the same training is gone on from, and ends with the very weights that
            an uninterrupted training has (on the same machine, with as many threads). None keeps no checkpoint.
        callbacks: More callbacks, such as a progress bar.
    """
    module = CandidateModule(net, num_classes, recipe.make_optimizer, recipe.make_schedule)
    checkpoint = [] if folder is None else [_last_epoch_in(folder)]
    trainer = pl.Trainer(
        accelerator=recipe.accelerator,
        devices=1,
        precision=recipe.precision,  # type: ignore[arg-type]
        max_epochs=recipe.epochs,
        callbacks=[SeedEpochs(seed), EpochCallback(on_epoch), *checkpoint, *callbacks],
        plugins=[WholeFileCheckpointIO()],
        logger=False,
        enable_checkpointing=folder is not None,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )
    last = None if folder is None else folder / "last.ckpt"
    trainer.fit(module, datamodule=data, ckpt_path=str(last) if last and last.is_file() else None)
    return Fitted(module, trainer)


def measure(fitted: Fitted, data: pl.LightningDataModule) -> Measured:
    """Measure a trained module on what `data` serves as test batches."""
    started = time.perf_counter()
    numbers = fitted.trainer.test(fitted.module, datamodule=data, verbose=False)[0]
    return Measured(float(numbers["test_acc"]), float(numbers["test_loss"]), time.perf_counter() - started)


def _last_epoch_in(folder: Path) -> ModelCheckpoint:
    return ModelCheckpoint(dirpath=folder, filename="last", save_on_train_epoch_end=True, enable_version_counter=False)
