"""The measures of a file of scores, as `lnas score` writes it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from lnas.benchmarks.scores import Scores, load_scores
from lnas.data import ImageData
from lnas.errors import UsageError, complaint, unknown_name
from lnas.estimators.directions import known_direction
from lnas.estimators.recorded import RecordedEstimator
from lnas.types import Arch, Estimate


@dataclass(frozen=True)
class ScoresProtocol:
    """Everything that decides a looked-up number.

    Attributes:
        columns: Measure -> hash of all architectures, of its numbers, and of why some have none.
        seconds: Measure -> what one architecture is said to have taken.
    """

    columns: Mapping[str, str]
    seconds: Mapping[str, float]


class ScoresEstimator(RecordedEstimator):
    """Look up what was measured of an architecture: each measure of a file of scores is one of this estimator.

    A missing number is "nonfinite" where the file says that it came out so, else "failed"; so is every number of an
    architecture that is not in the file: a twin does not stand in for it.

    Args:
        scores: What was measured, as `load_scores` returns it.
        names: Which of its measures; all if not given.
        higher_is_better: Direction of each measure that lnas does not know, or has otherwise.
        seconds: What one architecture took by each measure; 0 where it is not given. The file does not say.

    Raises:
        UsageError: If these are no scores, they have no such measure, a measure's direction is not known, or seconds
            are none. When it estimates: if no architecture of the scores is of the candidate's space.
    """

    def __init__(
        self,
        scores: Scores,
        names: Sequence[str] | None = None,
        higher_is_better: Mapping[str, bool] | None = None,
        seconds: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(scores, Scores):
            step = "Example: load_scores(path); in a config, RecordedScores."
            raise UsageError(complaint("ScoresEstimator(scores)", "scores", type(scores).__name__, step))
        chosen = _chosen(names, scores)
        self._directions = _directions(chosen, higher_is_better or {})
        self._seconds = _checked_seconds(seconds or {}, chosen)
        self._columns = {name: scores.columns[name] for name in chosen}
        self._statuses = [_statuses(problems) for problems in scores.problems] or [{}] * len(scores)
        self._rows = {arch: row for row, arch in enumerate(scores.archs)}
        self._spaces = sorted({arch.space for arch in scores.archs})

    @property
    def measures(self) -> Mapping[str, bool]:
        return self._directions

    @cached_property
    def protocol(self) -> ScoresProtocol:
        return ScoresProtocol({name: self._column_hash(name) for name in self._columns}, self._seconds)

    def look_up(self, arch: Arch) -> dict[str, Estimate]:
        if not isinstance(arch, Arch) or arch.space not in self._spaces:
            expected = f"an architecture of {' or '.join(self._spaces)}, as those in the scores"
            step = "Measure others by `lnas score`."
            raise UsageError(complaint("ScoresEstimator.estimate", expected, str(arch), step))
        row = self._rows.get(arch)
        if row is None:
            expected = f"one of their {len(self._rows):,} architectures"
            missing = complaint("scores", expected, str(arch), "They do not hold this one.")
            return dict.fromkeys(self._columns, Estimate.failure(UsageError(missing)))
        return {name: self._estimate(name, row) for name in self._columns}

    def _estimate(self, name: str, row: int) -> Estimate:
        value, seconds = float(self._columns[name][row]), self._seconds.get(name, 0.0)
        status = self._statuses[row].get(name)
        if not math.isnan(value):
            return Estimate.of(value, seconds)
        if status == "nonfinite":
            return Estimate(math.nan, "nonfinite", seconds, {"reason": "it came out so when it was measured"})
        call, got = f"scores, {name} of row {row + 1}", "it failed when it was measured" if status else "none"
        return Estimate.failure(UsageError(complaint(call, "a number", got, "Measure it again.")), seconds)

    def _column_hash(self, name: str) -> str:
        digest = hashlib.sha256(self._columns[name].astype(np.float64).tobytes())
        for arch, row in self._rows.items():
            digest.update(f"{arch} {self._statuses[row].get(name, '')}\n".encode())
        return digest.hexdigest()[:16]


class RecordedScores(ScoresEstimator):
    """The estimator that looks measures up in a file of scores, as a config names it.

    Args:
        net: Not used: nothing is built.
        data: Not used: nothing is measured.
        path: scores.parquet or scores.csv of `lnas score`, or any file like them.
        names: Which of its measures; all if not given.
        higher_is_better: Direction of each measure that lnas does not know, or has otherwise.
        seconds: What one architecture took by each measure; 0 where it is not given.

    Raises:
        UsageError: As `load_scores`, and as `ScoresEstimator`.
    """

    def __init__(
        self,
        net: Callable[[Arch, int], Any],
        data: ImageData,
        path: str,
        names: Sequence[str] | None = None,
        higher_is_better: Mapping[str, bool] | None = None,
        seconds: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__(load_scores(path), names, higher_is_better, seconds)


def _chosen(names: Sequence[str] | None, scores: Scores) -> tuple[str, ...]:
    if isinstance(names, str):
        call, step = f"ScoresEstimator(names={names!r})", f"Example: [{names}]."
        raise UsageError(complaint(call, "a list of names", names, step))
    chosen = scores.names if names is None else tuple(dict.fromkeys(names))
    if not chosen:
        call, step = f"ScoresEstimator(names={names!r})", f"There are: {', '.join(scores.names) or 'none'}."
        raise UsageError(complaint(call, "at least one measure", chosen, step))
    _require_known("names", chosen, scores.names)
    return chosen


def _directions(names: Iterable[str], given: Mapping[str, bool]) -> dict[str, bool]:
    _require_known("higher_is_better", given, names)
    directions = {}
    for name in names:
        direction = given.get(name, known_direction(name))
        if not isinstance(direction, bool):
            call, step = "ScoresEstimator(higher_is_better=...)", f"Example: higher_is_better={{{name!r}: True}}."
            raise UsageError(complaint(call, f"whether higher is better for {name!r}", direction, step))
        directions[name] = direction
    return directions


def _checked_seconds(seconds: Mapping[str, float], names: Iterable[str]) -> dict[str, float]:
    _require_known("seconds", seconds, names)
    for name, number in seconds.items():
        if not isinstance(number, int | float) or isinstance(number, bool) or not 0 <= number < math.inf:
            call, step = "ScoresEstimator(seconds=...)", f"Example: seconds={{{name!r}: 1.5}}."
            raise UsageError(complaint(call, f"seconds >= 0 for {name!r}", number, step))
    return {name: float(number) for name, number in seconds.items()}


def _require_known(argument: str, names: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for name in names:
        if name not in known:
            raise UsageError(f"ScoresEstimator({argument}=...): {unknown_name('measure', str(name), known)}")


def _statuses(problems: str) -> dict[str, str]:
    """Read what `lnas score` writes of a row: "snip failed, ntk_cond nonfinite"."""
    pairs = (problem.rpartition(" ") for problem in problems.split(", "))
    return {name: status for name, _, status in pairs}
