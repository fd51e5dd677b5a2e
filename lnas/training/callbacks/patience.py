"""Stop a training that does not get better."""

from __future__ import annotations

import lightning.pytorch as pl
from lightning.pytorch.callbacks import EarlyStopping


class Patience(EarlyStopping):
    """Stop after some epochs without a lower validation loss; a training that was stopped so stays so when resumed.

    Args:
        epochs: How many.
    """

    def __init__(self, epochs: int) -> None:
        super().__init__("val_loss", patience=epochs, mode="min", check_finite=False)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Lightning's own forgets that it had stopped."""
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience
