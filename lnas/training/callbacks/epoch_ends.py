"""Callbacks of every few epochs that miss none on resuming."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import lightning.pytorch as pl

from lnas.errors import UsageError, complaint


class EpochEndCallback(pl.Callback, ABC):
    """Do something at the end of every few epochs.

    A checkpoint that is written after an epoch's last batch but before its end is resumed by Lightning as if that epoch
    had ended. What is due is then done before the next batch, when the weights are still the same.

    Args:
        every_n_epochs: Epochs from one time to the next.

    Raises:
        UsageError: If that is less than 1.
    """

    def __init__(self, every_n_epochs: int) -> None:
        if type(every_n_epochs) is not int or every_n_epochs < 1:
            call = f"{type(self).__name__}(every_n_epochs={every_n_epochs!r})"
            raise UsageError(complaint(call, "every_n_epochs >= 1", every_n_epochs, "Example: every_n_epochs=10."))
        self._every = every_n_epochs

    @property
    @abstractmethod
    def last_epoch(self) -> int:
        """The last epoch at whose end it was done, counted from 1; 0 before the first."""

    @abstractmethod
    def at_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, epoch: int) -> None:
        """Do it, at the end of this epoch, counted from 1."""

    def log_numbers(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, epoch: int, numbers: Mapping[str, float]
    ) -> None:
        """Log what was measured at the end of an epoch, unless the Trainer is bare-bones."""
        if epoch > trainer.current_epoch and not trainer.barebones:
            pl_module.log_dict(dict(numbers))
        else:  # made up for: Lightning logs what comes before a batch as of the epoch that begins
            for logger in trainer.loggers:
                logger.log_metrics(dict(numbers), trainer.global_step)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._do_if_due(trainer, pl_module, trainer.current_epoch + 1)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        if batch_idx == 0:
            self._do_if_due(trainer, pl_module, trainer.current_epoch)

    def _do_if_due(self, trainer: pl.Trainer, module: pl.LightningModule, epoch: int) -> None:
        if epoch % self._every == 0 and epoch > self.last_epoch:
            self.at_epoch_end(trainer, module, epoch)
