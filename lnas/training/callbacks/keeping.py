"""Keep a training: its curve, its last state, and the weights of chosen epochs."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
from lightning.pytorch.callbacks import Checkpoint

from lnas.errors import UsageError, complaint

EpochRecord = Mapping[str, float]

LAST = "last.ckpt"


class KeepTraining(Checkpoint):
    """Record the numbers of each epoch, and write `last.ckpt` after it, from which the training goes on.

    Comes after what else is done at an epoch's end, so that a checkpoint holds all of it, the record itself included.

    Args:
        folder: Where checkpoints are written; None writes none.
        every_n_epochs: How often `last.ckpt` is written; the last epoch's always is.
        chosen: Epochs, counted from 1, whose checkpoint is kept as `epoch=NUMBER.ckpt`.
        on_epoch: Told of each record, and at the start of a resumed training of all those before.

    Attributes:
        records: A dict for each epoch: `epoch`, counted from 1, `step`, `seconds` of wall time, and what the module
            logged at its end, such as `train_loss` and `lr`.

    Raises:
        UsageError: If a number is less than 1.
    """

    def __init__(
        self,
        folder: Path | None,
        every_n_epochs: int = 1,
        chosen: Collection[int] = (),
        on_epoch: Callable[[EpochRecord], None] = lambda record: None,
    ) -> None:
        for name, number in (("every_n_epochs", every_n_epochs), *(("chosen", epoch) for epoch in chosen)):
            if number < 1:
                raise UsageError(complaint(f"KeepTraining({name}=...)", f"{name} >= 1", number, "Epochs begin with 1."))
        self._folder = folder
        self._every = every_n_epochs
        self._chosen = frozenset(chosen)
        self._on_epoch = on_epoch
        self._started = 0.0
        self.records: list[EpochRecord] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.global_step == 0:
            self.records = []
        for record in self.records:
            self._on_epoch(record)

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._started = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        epoch = trainer.current_epoch + 1
        logged = {name: float(value) for name, value in trainer.callback_metrics.items() if "/" not in name}
        seconds = time.perf_counter() - self._started
        record = {"epoch": epoch, "step": trainer.global_step, "seconds": seconds, **logged}
        self.records.append(record)
        self._on_epoch(record)
        if self._folder is None:
            return
        if epoch % self._every == 0 or epoch == trainer.max_epochs:
            trainer.save_checkpoint(self._folder / LAST)
        if epoch in self._chosen:
            trainer.save_checkpoint(self._folder / f"epoch={epoch}.ckpt")

    def state_dict(self) -> dict[str, Any]:
        return {"records": [dict(record) for record in self.records]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.records = list(state_dict["records"])
