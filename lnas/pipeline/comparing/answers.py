"""What searches answered along their way, as `lnas search` recorded it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lnas.analysis.trajectories import held
from lnas.benchmarks.parquet import read_columns
from lnas.pipeline.comparing.source import Source
from lnas.types import Arch

_ANSWERS, _TRIALS = "answers.parquet", "trials.parquet"
_KEY = ("strategy", "judge", "seed")

Group = tuple[str, str]
"""A strategy and a judge."""

Truths = Mapping[str, Mapping[Arch, float]]
"""Label -> architecture -> accuracy in percent."""


class Answers(NamedTuple):
    """The answers of one search.

    Attributes:
        since: After how many evaluations each was given first, ascending.
        archs: As many answers.
        evaluations: How many the search made in all.
    """

    since: Sequence[int]
    archs: Sequence[Arch]
    evaluations: int

    def accuracy(self, truth: Mapping[Arch, float], after: int) -> float:
        """Return the accuracy of the answer after so many evaluations; NaN where there is none, or it is not known."""
        known = [truth.get(arch, float("nan")) for arch in self.archs]
        return float(held(self.since, known, np.array([after]))[0])


def read_answers(source: Source) -> dict[Group, dict[int, Answers]]:
    """Return the searches of a result by strategy and judge, and by seed; none where it has no searches.

    Raises:
        UsageError: If a file is damaged.
    """
    if source.trials is None or not (source.folder / _ANSWERS).is_file():
        return {}
    made = _evaluations(source.folder / _TRIALS)
    columns = read_columns(source.folder / _ANSWERS)
    rows: dict[tuple[str, str, int], list[int]] = {}
    for row, key in enumerate(zip(*(columns[name].tolist() for name in _KEY), strict=True)):
        rows.setdefault(key, []).append(row)
    found: dict[Group, dict[int, Answers]] = {}
    for (strategy, judge, seed), own in rows.items():
        archs = [Arch.from_text(text, str(source.folder / _ANSWERS)) for text in columns["answer"][own].tolist()]
        since = [int(number) for number in columns["evaluation"][own]]
        found.setdefault((strategy, judge), {})[int(seed)] = Answers(since, archs, made[strategy, judge, seed])
    return found


def recorded_truths(source: Source) -> Truths:
    """Return what the searches' own benchmarks say of their answers: label -> architecture -> percent."""
    if source.trials is None or not (source.folder / _ANSWERS).is_file():
        return {}
    columns = read_columns(source.folder / _ANSWERS)
    archs = [Arch.from_text(text, str(source.folder / _ANSWERS)) for text in columns.pop("answer").tolist()]
    labels = [name for name in columns if name not in (*_KEY, "evaluation", "seconds")]
    return {label: dict(zip(archs, columns[label].astype(float).tolist(), strict=True)) for label in labels}


def _evaluations(path: Path) -> dict[tuple[str, str, int], int]:
    columns = read_columns(path)
    keys = zip(*(columns[name].tolist() for name in (*_KEY, "evaluation")), strict=True)
    made: dict[tuple[str, str, int], int] = {}
    for strategy, judge, seed, number in keys:
        made[strategy, judge, seed] = max(made.get((strategy, judge, seed), 0), number)
    return made
