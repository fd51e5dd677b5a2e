"""Keep the weights of the best epoch."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint

BEST = "best.ckpt"


class KeepBest(Checkpoint):
    """Write the weights after each epoch whose validation accuracy is higher than that of all before, as `best.ckpt`.

    Comes before the callback that keeps the last epoch, whose checkpoint then knows of it.

    Args:
        folder: Where it is written.

    Attributes:
        accuracy: The highest so far; -inf before the first epoch.
        epoch: Its epoch, counted from 1; 0 before the first.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.accuracy = -math.inf
        self.epoch = 0

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        accuracy = float(trainer.callback_metrics["val_acc"])
        if not trainer.strategy.reduce_boolean_decision(accuracy > self.accuracy):
            return
        self.accuracy, self.epoch = accuracy, trainer.current_epoch + 1
        trainer.save_checkpoint(self._folder / BEST, weights_only=True)

    def state_dict(self) -> dict[str, Any]:
        return {"accuracy": self.accuracy, "epoch": self.epoch}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.accuracy, self.epoch = state_dict["accuracy"], state_dict["epoch"]
