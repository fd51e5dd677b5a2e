"""Tell the outside of a training's progress: each step, and each epoch's numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import lightning.pytorch as pl
from torch import Tensor

EpochSink = Callable[[int, Mapping[str, float]], None]


class EpochCallback(pl.Callback):
    """Call `sink(epoch, numbers)` after every epoch, validation included; epochs are counted from 1.

    The numbers are `train_loss` (mean over this process' batches), `lr` at its start, `seconds`, and whatever the
    module logged in validation, such as `val_acc`.

    Args:
        sink: Keeps the numbers.
    """

    def __init__(self, sink: EpochSink) -> None:
        self._sink = sink
        self._losses: list[Tensor] = []
        self._started = 0.0
        self._lr = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._losses = []
        self._started = time.perf_counter()
        self._lr = trainer.optimizers[0].param_groups[0]["lr"]

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._losses.append(outputs["loss"].detach() * trainer.accumulate_grad_batches)  # Lightning has divided it

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        numbers = {
            "train_loss": sum(float(loss) for loss in self._losses) / max(1, len(self._losses)),
            "lr": self._lr,
            "seconds": time.perf_counter() - self._started,
        }
        numbers |= {name: float(value) for name, value in trainer.callback_metrics.items() if name.startswith("val_")}
        self._sink(trainer.current_epoch + 1, numbers)


class StepCallback(pl.Callback):
    """Call `sink()` after every training step: what a progress bar needs.

    Args:
        sink: Told of each step.
    """

    def __init__(self, sink: Callable[[], None]) -> None:
        self._sink = sink

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._sink()


class TrainingClock(pl.Callback):
    """Add up the wall time of the training epochs, validation left out.

    Attributes:
        seconds: The sum so far.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._resumed = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._resumed = time.perf_counter()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if not trainer.sanity_checking:
            self._stop()

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._resumed = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._stop()

    def _stop(self) -> None:
        self.seconds += time.perf_counter() - self._resumed
