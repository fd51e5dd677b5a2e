"""Train a chosen architecture in full, resumable at every epoch."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn

from lnas.training.callbacks import EpochCallback, SeedEpochs
from lnas.training.callbacks.progress import EpochSink
from lnas.training.candidate_module import CandidateModule
from lnas.training.checkpoints import WholeFileCheckpointIO
from lnas.training.recipe import Retraining


def fit_and_test(
    net: nn.Module,
    num_classes: int,
    data: pl.LightningDataModule,
    recipe: Retraining,
    seed: int,
    folder: Path,
    on_epoch: EpochSink,
    callbacks: Iterable[pl.Callback] = (),
) -> dict[str, float]:
    """Train for all epochs, checkpointing each, then test once.

    Where `folder` holds a checkpoint of the same training, goes on from it and ends with the very weights that an
    uninterrupted training has (on the same machine, with as many threads).

    Args:
        net: Trained in place.
        num_classes: Number of classes.
        data: Serves train, val and test batches; test only after the last epoch.
        recipe: Epochs, optimizer, schedule, device and precision.
        seed: Decides augmentation and dropout, together with the epoch.
        folder: Where `last.ckpt` is kept.
        on_epoch: Takes the numbers of each epoch.
        callbacks: More callbacks, such as a progress bar.

    Returns:
        `test_acc` and `test_loss` of the last epoch's weights.
    """
    module = CandidateModule(net, num_classes, recipe.make_optimizer, recipe.make_schedule)
    checkpoint = ModelCheckpoint(
        dirpath=folder, filename="last", save_on_train_epoch_end=True, enable_version_counter=False
    )
    trainer = pl.Trainer(
        accelerator=recipe.accelerator,
        devices=1,
        precision=recipe.precision,  # type: ignore[arg-type]
        max_epochs=recipe.epochs,
        callbacks=[SeedEpochs(seed), EpochCallback(on_epoch), checkpoint, *callbacks],
        plugins=[WholeFileCheckpointIO()],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )
    last = folder / "last.ckpt"
    trainer.fit(module, datamodule=data, ckpt_path=str(last) if last.is_file() else None)
    tested = trainer.test(module, datamodule=data, verbose=False)[0]
    return {name: float(value) for name, value in tested.items()}
