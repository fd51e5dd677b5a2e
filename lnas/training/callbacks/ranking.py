"""How well a supernet ranks architectures, while it is trained."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import lightning.pytorch as pl
import numpy as np

from lnas.data.batches import Batch
from lnas.errors import UsageError, complaint
from lnas.nets.region_net import RegionNet
from lnas.stats.criteria import Criteria, criteria, ranking_stability
from lnas.training.callbacks.epoch_ends import EpochEndCallback
from lnas.training.callbacks.path_scores import path_scores
from lnas.training.callbacks.stopwatch import Stopwatch
from lnas.training.callbacks.temporal_ensemble import TemporalEnsembleCallback
from lnas.training.path_evaluation import Statistics
from lnas.types import Arch

AT = (0.005, 0.05, 0.1, 0.5)
"""The K of the top and bottom that are logged: ratios of the architectures."""

_STATISTICS = ("batch", "running")
_FEWEST = 2
_CALL = "RankingCallback(...)"

Columns = dict[str, list[float]]
"""Score -> a number for each architecture: `oneshot_acc`, `oneshot_loss`, and with an ensemble `ensemble_acc`, ..."""


class RankingCallback(EpochEndCallback):
    """Evaluate the same architectures every few epochs, and compare their ranking with what is true.

    For the `net` of a `SupernetModule`, at ends of epochs, by `evaluate_paths`: weights, gradients, modes and random
    generators are left as found, so that a training with it is, bit for bit, one without it. With several processes
    each evaluates all, and the first logs. Unless the Trainer is bare-bones, the numbers of `records` are logged as
    `ranking/NAME`.

    The scores are `oneshot_acc`, and `oneshot_loss`, which ranks by its negative; with an ensemble also `ensemble_acc`
    and `ensemble_loss`, by the mean of the last weights. A path whose loss is not finite has neither.

    Args:
        archs: At least two, each once.
        truth: The accuracy of each, the higher the better.
        batches: What they are evaluated on, such as `PreparedBatches`; gone through each time.
        every_n_epochs: How often.
        at: K of the criteria of the top and bottom K, as of `lnas.stats.criteria`.
        statistics: What batch norms go by: "batch" or "running".
        ensemble: A callback of the same Trainer, before this one.

    Attributes:
        archs: As given.
        truth: As given.
        records: A dict for each time: `epoch`, counted from 1, `step`, `seconds` that this time took, `share` of the
            training's wall time so far that went into all of them, and for each score `SCORE/mean`, `SCORE/missing`,
            `SCORE/CRITERION` and `SCORE/CRITERION@K` by the names of `Criteria`, and from the second time on
            `SCORE/stability/CRITERION`, of the last time's ranking against this one's. Criteria that are not defined,
            such as of a ratio of less than one architecture, are left out.
        scores: A dict for each time: score -> a number for each architecture, NaN where there is none.
        seconds: What it took so far.

    Raises:
        UsageError: If an argument is none of these; when training starts, if the module has no supernet, an
            architecture is outside its region, the ensemble is not told of epochs before this, or a checkpoint is of
            another ranking.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 3 and 4.
    """

    records: list[dict[str, float]]
    scores: list[Columns]
    _stopwatch: Stopwatch
    _earlier: float
    _started: float

    def __init__(
        self,
        archs: Sequence[Arch],
        truth: Sequence[float],
        batches: Iterable[Batch],
        every_n_epochs: int = 1,
        at: Sequence[float] = AT,
        statistics: Statistics = "batch",
        ensemble: TemporalEnsembleCallback | None = None,
    ) -> None:
        super().__init__(every_n_epochs)
        _require_arguments(archs, truth, batches, statistics)
        criteria(np.zeros((1, len(archs))), truth, at)  # complains of a truth or K that are none
        self._archs = list(archs)
        self._truth = list(map(float, truth))
        self._batches = batches
        self._at = tuple(at)
        self._statistics: Statistics = statistics
        self._ensemble = ensemble
        self._forget()

    @property
    def archs(self) -> Sequence[Arch]:
        return self._archs

    @property
    def truth(self) -> Sequence[float]:
        return self._truth

    @property
    def last_epoch(self) -> int:
        return int(self.records[-1]["epoch"]) if self.records else 0

    @property
    def seconds(self) -> float:
        return self._stopwatch.seconds

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        net = getattr(pl_module, "net", None)
        if not isinstance(net, RegionNet):
            step = "Train a SupernetModule."
            raise UsageError(complaint(_CALL, "a module whose `net` is a supernet", type(pl_module).__name__, step))
        for arch in self._archs:
            if arch not in net.region:
                expected = f"archs of the supernet's region of {net.region.space}"
                raise UsageError(complaint(_CALL, expected, str(arch), f"The region is {net.region}."))
        every: list[pl.Callback] = trainer.callbacks  # type: ignore[attr-defined]  # set when it is made
        told = [callback for callback in every if callback in (self, self._ensemble)]
        if self._ensemble is not None and told != [self._ensemble, self]:
            expected = "the ensemble before this among the Trainer's callbacks"
            got = "after" if self._ensemble in told else "none"
            raise UsageError(complaint(_CALL, expected, got, "Pass both, in this order."))

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.global_step == 0:
            self._forget()
        self._started = time.perf_counter()

    def at_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, epoch: int) -> None:
        before = self.seconds
        with self._stopwatch:
            columns = self._evaluated(trainer, pl_module)
            numbers = self._numbers(columns)
        numbers = {"seconds": self.seconds - before, "share": self.seconds / self._elapsed(), **numbers}
        self.records.append({"epoch": epoch, "step": trainer.global_step, **numbers})
        self.scores.append(columns)
        self.log_numbers(trainer, pl_module, epoch, {f"ranking/{name}": value for name, value in numbers.items()})

    def state_dict(self) -> dict[str, Any]:
        return {
            "archs": [str(arch) for arch in self._archs],
            "truth": self._truth,
            "records": list(self.records),
            "scores": list(self.scores),
            "seconds": self.seconds,
            "elapsed": self._elapsed(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if (state_dict["archs"], state_dict["truth"]) != ([str(arch) for arch in self._archs], self._truth):
            expected = f"the {len(state_dict['archs'])} architectures and accuracies of the checkpoint"
            step = "Give those of the training that goes on."
            raise UsageError(complaint(_CALL, expected, f"{len(self._archs)}, not the same", step))
        self.records = list(state_dict["records"])
        self.scores = list(state_dict["scores"])
        self._stopwatch = Stopwatch(state_dict["seconds"])
        self._earlier = state_dict["elapsed"]

    def _evaluated(self, trainer: pl.Trainer, module: pl.LightningModule) -> Columns:
        columns = self._columns("oneshot", trainer, module)
        if self._ensemble is not None and self._ensemble.epochs:
            with self._ensemble.swapped_in(module):
                columns |= self._columns("ensemble", trainer, module)
        return columns

    def _columns(self, name: str, trainer: pl.Trainer, module: Any) -> Columns:
        scores = path_scores(trainer, module, self._archs, self._batches, self._statistics)
        found = [scores[arch] for arch in self._archs]
        return {
            f"{name}_acc": [score.accuracy if math.isfinite(score.loss) else math.nan for score in found],
            f"{name}_loss": [score.loss if math.isfinite(score.loss) else math.nan for score in found],
        }

    def _numbers(self, columns: Columns) -> dict[str, float]:
        """Return what is known of each score, by `SCORE/WHAT`."""
        last = self.scores[-1] if self.scores else {}
        numbers: dict[str, float] = {}
        for name, column in columns.items():
            found = _described(name, column, self._truth, self._at) | _stability(name, last.get(name), column, self._at)
            numbers |= {f"{name}/{what}": value for what, value in found.items() if math.isfinite(value)}
        return numbers

    def _elapsed(self) -> float:
        return self._earlier + (time.perf_counter() - self._started if self._started else 0.0)

    def _forget(self) -> None:
        self.records = []
        self.scores = []
        self._stopwatch = Stopwatch()
        self._earlier = self._started = 0.0


def _described(name: str, column: Sequence[float], truth: Sequence[float], at: Sequence[float]) -> dict[str, float]:
    known = np.array([value for value in column if math.isfinite(value)])
    found = criteria({name: _higher_is_better(name, column)}, truth, at)
    mean = float(known.mean()) if len(known) else math.nan
    return {"mean": mean, "missing": float(found.missing[0]), **_by_name(found)}


def _stability(
    name: str, earlier: Sequence[float] | None, later: Sequence[float], at: Sequence[float]
) -> dict[str, float]:
    """Compare with the last time, by those architectures that have a score now."""
    there = np.isfinite(later)
    if earlier is None or there.sum() < _FEWEST:
        return {}
    before, now = (_higher_is_better(name, column)[there] for column in (earlier, later))
    sizes = [k for k in at if k <= there.sum()]
    return {f"stability/{what}": value for what, value in _by_name(ranking_stability(before, now, sizes)).items()}


def _higher_is_better(name: str, column: Sequence[float]) -> np.ndarray:
    return np.asarray(column) * (-1 if name.endswith("_loss") else 1)


def _by_name(found: Criteria) -> dict[str, float]:
    named: Iterator[tuple[Any, Any, Any]] = ((row["criterion"], row["k"], row["value"]) for row in found.rows())
    return {criterion if k is None else f"{criterion}@{k}": value for criterion, k, value in named}


def _require_arguments(archs: Sequence[Arch], truth: Sequence[float], batches: object, statistics: str) -> None:
    for call, sound, expected, got, step in (
        ("archs", len(archs) >= _FEWEST, "at least two architectures", len(archs), "One alone has no rank."),
        ("archs", len(set(archs)) == len(archs), "each architecture once", "one twice", "Leave it out."),
        ("truth", len(truth) == len(archs), f"{len(archs)} accuracies, one per arch", len(truth), "Give each its own."),
        ("batches", not isinstance(batches, Iterator), "what can be gone through again", "an iterator", "Make a list."),
        ("statistics", statistics in _STATISTICS, " or ".join(_STATISTICS), statistics, 'The study\'s is "batch".'),
    ):
        if not sound:
            raise UsageError(complaint(f"RankingCallback({call}=...)", expected, got, step))
