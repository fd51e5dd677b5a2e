"""Train a chosen architecture in full, resumable at every epoch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn
from torch.optim import Optimizer

from lnas.training.callbacks import EpochCallback, SeedEpochs
from lnas.training.callbacks.progress import EpochSink
from lnas.training.candidate_module import CandidateModule
from lnas.training.checkpoints import WholeFileCheckpointIO


@dataclass(frozen=True)
class SgdRecipe:
    """Optimizer and schedule by timm's names; weight decay applies to every parameter, as NATS-Bench does.

    Attributes:
        epochs: Length of training and of the schedule.
        optimizer: A name of `timm.optim`; "sgd" is with Nesterov momentum.
        lr: Peak learning rate.
        momentum: Of SGD.
        weight_decay: On all parameters, biases and batch norm included.
        schedule: A name of `timm.scheduler`, such as "cosine", or "none".
        warmup_epochs: Epochs of linear warm-up from a hundredth of `lr`.
    """

    epochs: int
    optimizer: str
    lr: float
    momentum: float
    weight_decay: float
    schedule: str
    warmup_epochs: int

    def make_optimizer(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """Make the optimizer of some parameters."""
        from timm.optim import create_optimizer_v2

        return create_optimizer_v2(
            parameters, opt=self.optimizer, lr=self.lr, weight_decay=self.weight_decay, momentum=self.momentum
        )

    def make_schedule(self, optimizer: Optimizer) -> Any:
        """Make the scheduler, to be stepped with the number of the epoch that begins."""
        from timm.scheduler import create_scheduler_v2

        scheduler, _ = create_scheduler_v2(
            optimizer,
            sched=self.schedule,
            num_epochs=self.epochs,
            warmup_epochs=self.warmup_epochs,
            warmup_lr=self.lr / 100,
            warmup_prefix=False,
            cooldown_epochs=0,
        )
        return scheduler


def fit_and_test(
    net: nn.Module,
    num_classes: int,
    data: pl.LightningDataModule,
    recipe: SgdRecipe,
    seed: int,
    folder: Path,
    on_epoch: EpochSink,
    callbacks: Iterable[pl.Callback] = (),
    accelerator: str = "auto",
    precision: str = "32-true",
) -> dict[str, float]:
    """Train for all epochs, checkpointing each, then test once.

    Where `folder` holds a checkpoint of the same training, goes on from it and ends with the very weights that an
    uninterrupted training has (on the same machine, with as many threads).

    Args:
        net: Trained in place.
        num_classes: Number of classes.
        data: Serves train, val and test batches; test only after the last epoch.
        recipe: Optimizer and schedule.
        seed: Decides augmentation and dropout, together with the epoch.
        folder: Where `last.ckpt` is kept.
        on_epoch: Takes the numbers of each epoch.
        callbacks: More callbacks, such as a progress bar.
        accelerator: As for a Trainer.
        precision: As for a Trainer.

    Returns:
        `test_acc` and `test_loss` of the last epoch's weights.
    """
    module = CandidateModule(net, num_classes, recipe.make_optimizer, recipe.make_schedule)
    checkpoint = ModelCheckpoint(
        dirpath=folder, filename="last", save_on_train_epoch_end=True, enable_version_counter=False
    )
    trainer = pl.Trainer(
        accelerator=accelerator,
        devices=1,
        precision=precision,  # type: ignore[arg-type]
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
