"""What is measured of a supernet at ends of epochs, with a record for each time."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import lightning.pytorch as pl
import numpy as np

from lnas.data.batches import Batch
from lnas.errors import UsageError, complaint
from lnas.training.callbacks.epoch_ends import EpochEndCallback
from lnas.training.callbacks.path_scores import require_evaluation, require_supernet
from lnas.training.callbacks.stopwatch import Stopwatch
from lnas.training.path_evaluation import Statistics
from lnas.training.supernet_module import SupernetModule
from lnas.types import Arch

_FEWEST_THAT_VARY = 2


class DiagnosisCallback(EpochEndCallback):
    """Measure something of a `SupernetModule` at ends of epochs, with a record and a line of the log for each time.

    Args:
        batches: What it is measured on; gone through each time.
        every_n_epochs: How often.
        statistics: What batch norms go by.
        prefix: Of the names that are logged.

    Attributes:
        records: A dict for each time: `epoch`, counted from 1, `step`, `seconds` that it took since the last time, and
            the numbers.
        seconds: What it took so far.

    Raises:
        UsageError: If batches or statistics are none of these; when training starts, if the module is another.
    """

    records: list[dict[str, float]]
    _stopwatch: Stopwatch

    def __init__(self, batches: Iterable[Batch], every_n_epochs: int, statistics: Statistics, prefix: str) -> None:
        super().__init__(every_n_epochs)
        self._call = f"{type(self).__name__}(...)"
        self._batches = batches
        self._statistics: Statistics = statistics
        self._prefix = prefix
        require_evaluation(self._call, batches, statistics)
        self._forget()

    @property
    def last_epoch(self) -> int:
        return int(self.records[-1]["epoch"]) if self.records else 0

    @property
    def seconds(self) -> float:
        return self._stopwatch.seconds

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        require_supernet(self._call, pl_module)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.global_step == 0:
            self._forget()

    def state_dict(self) -> dict[str, Any]:
        return {"records": list(self.records), "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.records = list(state_dict["records"])
        self._stopwatch = Stopwatch(state_dict["seconds"])

    def _record(
        self, trainer: pl.Trainer, module: pl.LightningModule, epoch: int, numbers: Mapping[str, float]
    ) -> None:
        seconds = self.seconds - sum(record["seconds"] for record in self.records)
        numbers = {"seconds": seconds, **numbers}
        self.records.append({"epoch": epoch, "step": trainer.global_step, **numbers})
        self.log_numbers(trainer, module, epoch, {f"{self._prefix}/{name}": value for name, value in numbers.items()})

    def _require_region(self, module: SupernetModule, archs: Iterable[Arch]) -> None:
        for arch in archs:
            if arch not in module.net.region:
                expected = f"archs of the supernet's region of {module.net.region.space}"
                raise UsageError(complaint(self._call, expected, str(arch), f"The region is {module.net.region}."))

    def _forget(self) -> None:
        self.records = []
        self._stopwatch = Stopwatch()


def described(values: Iterable[float]) -> dict[str, float]:
    """Return count, mean and standard deviation of a sample, of the finite values; what is undefined is left out.

    Example:
        >>> described([1.0, 3.0, float("nan")])
        {'count': 2.0, 'mean': 2.0, 'std': 1.4142135623730951}
        >>> described([])
        {'count': 0.0}
    """
    known = np.array([value for value in values if math.isfinite(value)])
    found = {"count": float(len(known))}
    if len(known):
        found["mean"] = float(known.mean())
    if len(known) >= _FEWEST_THAT_VARY:
        found["std"] = float(known.std(ddof=1))
    return found
