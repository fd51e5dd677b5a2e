"""The training loss as a metric."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from lnas.errors import UsageError, complaint
from lnas.training.callbacks.mean_loss import loss_of, mean_of, mean_training_loss
from lnas.training.callbacks.series import Series
from lnas.training.callbacks.stopwatch import Stopwatch


class LossCallback(pl.Callback):
    """Record the loss of every training step and, after the last, the loss over given batches.

    For any LightningModule whose `training_step` returns its loss, as a tensor or under "loss" in a dict. A step is one
    of the optimizer: where gradients are accumulated, its loss is the mean over its batches, and with several processes
    the mean over them. Losses stay on their device until they are read. A resumed training goes on with the steps of
    the checkpoint.

    Args:
        final_batches: Batches as `training_step` takes them, gone through once; the proxy set in short training. Empty
            measures only the steps. With several processes each measures them all.

    Attributes:
        steps: Loss of each step, measured before its update; NaN where `training_step` skipped its batches by returning
            None, as it may in automatic optimization.
        last: Loss of the last step; NaN before training.
        area: Sum of the losses of all steps; NaN before training. With one batch per epoch it is the training-speed
            estimate of Ru et al. 2021, "Speedy Performance Estimation for Neural Architecture Search", which is the sum
            over epochs of the mean over an epoch's batches; with B batches per epoch it is B times that.
        after: Mean loss over `final_batches` after the last update, in train mode (batch norm uses the batch); NaN
            before, or without batches. See `mean_training_loss` for what is left as found.
        seconds: What recording and measuring took so far.

    Raises:
        UsageError: In training, if `training_step` returns no loss in manual optimization; when it starts, with final
            batches in manual optimization, where computing the loss would train, or resumed from a checkpoint that was
            written without this callback.

    Source: Yang et al., "Revisiting Training-free NAS Metrics", Algorithm 1, asks for the loss over the proxy set after
    training (`after`); the code released with it takes the last step's (`last`).
    """

    _losses: Series
    _batches: list[Tensor]
    _seen: int
    _stopwatch: Stopwatch

    def __init__(self, final_batches: Iterable[Any] = ()) -> None:
        self._final_batches = final_batches
        self._forget()

    @property
    def steps(self) -> list[float]:
        return self._losses.values

    @property
    def last(self) -> float:
        return self.steps[-1] if len(self._losses) else math.nan

    @property
    def area(self) -> float:
        return sum(self.steps) if len(self._losses) else math.nan

    @property
    def seconds(self) -> float:
        return self._stopwatch.seconds

    def mean_of_last(self, k: int) -> float:
        """Return the mean loss of the last k steps.

        Raises:
            UsageError: If there are not as many.
        """
        if not 1 <= k <= len(self._losses):
            call, expected = f"LossCallback.mean_of_last({k})", f"1 <= k <= {len(self._losses)}, the steps so far"
            raise UsageError(complaint(call, expected, k, "Train longer or take the mean of fewer."))
        return sum(self.steps[-k:]) / k

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._final_batches and not pl_module.automatic_optimization:
            advice = "Leave final_batches out: in manual optimization computing the loss would train."
            raise UsageError(
                complaint("LossCallback(final_batches=...)", "automatic optimization", type(pl_module).__name__, advice)
            )
        if trainer.global_step == 0:
            self._forget()
        elif trainer.global_step != self._seen:
            expected = f"a checkpoint with the losses of all {trainer.global_step} steps"
            advice = "Train from the start; what saves checkpoints comes after this callback."
            raise UsageError(complaint("LossCallback() resumed", expected, f"up to step {self._seen}", advice))
        self._batches = []
        self.after = math.nan

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        with self._stopwatch:
            if outputs or not pl_module.automatic_optimization:
                # Lightning has divided the loss, for gradients to add up to their mean.
                divided = trainer.accumulate_grad_batches if pl_module.automatic_optimization else 1
                self._batches.append(loss_of(outputs) * divided)
            if trainer.global_step > self._seen:
                self._losses.append(_mean_over_processes(trainer, mean_of(self._batches, pl_module.device)))
                self._batches = []
                self._seen = trainer.global_step

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        with self._stopwatch:
            _ = self.steps  # so that not too many small tensors gather on the device

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._final_batches:
            precision = trainer.precision_plugin
            with self._stopwatch, precision.train_step_context():
                batches = map(precision.convert_input, self._final_batches)
                self.after = float(_mean_over_processes(trainer, mean_training_loss(pl_module, batches)))

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps, "seen": self._seen, "after": self.after, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._losses = Series(state_dict["steps"])
        self._seen = state_dict["seen"]
        self.after = state_dict["after"]
        self._stopwatch = Stopwatch(state_dict["seconds"])

    def _forget(self) -> None:
        self._losses = Series()
        self._batches = []
        self._seen = 0
        self.after = math.nan
        self._stopwatch = Stopwatch()


def _mean_over_processes(trainer: pl.Trainer, number: Tensor) -> Tensor:
    """Return the mean of a number of each process; in place."""
    if trainer.world_size > 1:
        # The strategy's own `reduce` has all processes wait for each other first.
        torch.distributed.all_reduce(number)
        number /= trainer.world_size
    return number
