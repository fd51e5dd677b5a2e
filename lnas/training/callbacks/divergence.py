"""Stop a training that has come to numbers that are none."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from lnas.errors import RunError, complaint
from lnas.training.callbacks.mean_loss import loss_of


class DivergedError(RunError):
    """A loss, or a weight, is not finite any more."""


class StopAtDivergence(pl.Callback):
    """Raise `DivergedError` where the loss or a weight is not finite, before a checkpoint is written of it.

    Losses are looked at every few steps and at an epoch's end, weights at an epoch's end: looking makes a GPU wait.
    The error names the epoch and the step of the first bad loss, both counted from 1. Of several processes all stop
    where one does.

    Args:
        every_n_steps: From one look to the next.
    """

    def __init__(self, every_n_steps: int = 50) -> None:
        self._every = every_n_steps
        self._losses: list[Tensor] = []
        self._steps: list[int] = []

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._losses, self._steps = [], []

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._losses.append(loss_of(outputs))
        self._steps.append(trainer.global_step)
        if len(self._losses) == self._every:
            self._look(trainer)

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._look(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._look(trainer)
        floats = [tensor for tensor in pl_module.state_dict().values() if tensor.is_floating_point()]
        finite = all(bool(tensor.isfinite().all()) for tensor in floats)
        if trainer.strategy.reduce_boolean_decision(not finite, all=False):
            raise _diverged(trainer, trainer.global_step, "finite weights and statistics", float("nan"))

    def _look(self, trainer: pl.Trainer) -> None:
        losses = torch.stack(self._losses) if self._losses else torch.zeros(1)
        bad = int((~losses.isfinite()).int().argmax())
        if trainer.strategy.reduce_boolean_decision(not losses.isfinite().all(), all=False):
            raise _diverged(trainer, self._steps[bad], "a finite loss", float(losses[bad]))
        self._losses, self._steps = [], []


def _diverged(trainer: pl.Trainer, step: int, expected: str, got: float) -> DivergedError:
    call = f"training, epoch {trainer.current_epoch + 1}, step {step}"
    advice = "Lower the learning rate, clip gradients, or take precision 32-true; the checkpoint before is as it was."
    return DivergedError(complaint(call, expected, got, advice))
