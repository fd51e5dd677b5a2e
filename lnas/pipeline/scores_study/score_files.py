"""Files of scores as a study's config names them: those of `lnas score`, or anybody's."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lnas.benchmarks import Scores, load_scores
from lnas.errors import UsageError, complaint, unknown_name
from lnas.estimators.directions import known_direction
from lnas.types import Arch, describe


@dataclass(frozen=True)
class ScoreFile:
    """A file of scores, and which of its measures are studied.

    Args:
        file: scores.parquet or scores.csv of `lnas score`, or any file like them: a column arch, and one per measure.
        measures: Which of its columns; all if not given.
        higher_is_better: Of measures that lnas does not know; true if not given.
    """

    file: str
    measures: Sequence[str] = ()
    higher_is_better: bool | None = None


@dataclass(frozen=True)
class Estimates:
    """What one estimator says of the rows of its file.

    Attributes:
        name: What tables call it.
        archs: One per row.
        values: Shape (rows,), NaN where there is no number.
        higher_is_better: Its direction.
    """

    name: str
    archs: Sequence[Arch]
    values: np.ndarray
    higher_is_better: bool


def as_score_files(given: Mapping[str, str | ScoreFile]) -> dict[str, ScoreFile]:
    """Return every file with its options, a bare path with the default ones.

    Raises:
        UsageError: If none is given.
    """
    if not given:
        step = "Example: --scores.mine scores.csv."
        raise UsageError(complaint("scores={}", "at least one file of scores", "none", step))
    return {label: ScoreFile(file) if isinstance(file, str) else file for label, file in given.items()}


def load_files(files: Mapping[str, ScoreFile]) -> dict[str, Scores]:
    """Read every file.

    Raises:
        UsageError: If one cannot be read, or holds no architecture.
    """
    for label, file in files.items():
        if not Path(file.file).is_file():
            call, step = f"scores.{label}={file.file!r}", "Make it by `lnas score`, or check the path."
            raise UsageError(complaint(call, "a file of scores", "nothing there", step))
    loaded = {label: load_scores(file.file) for label, file in files.items()}
    for label, scores in loaded.items():
        if not len(scores):
            call = f"scores.{label}={files[label].file!r}"
            raise UsageError(complaint(call, "at least one architecture", "none", "Name another file."))
    return loaded


def origins(files: Mapping[str, ScoreFile]) -> dict[str, str]:
    """Say of every file, as JSON, where it is, which bytes it has, and how it is read."""
    found = {}
    for label, file in files.items():
        content = hashlib.sha256(Path(file.file).read_bytes()).hexdigest()
        found[f"scores {label}"] = json.dumps(describe(file) | {"sha256": content}, indent=1)
    return found


def estimates_of(files: Mapping[str, ScoreFile], loaded: Mapping[str, Scores]) -> list[Estimates]:
    """Return the estimators of all files, in order.

    The only measure of a file is called as the file is labelled, in which a user's own column needs no good name. One
    of several keeps its name, with the label before it where another file has one of that name.

    Raises:
        UsageError: If a file lacks a measure, has none, a direction contradicts what lnas knows, or two estimators have
            one name in spite of that.
    """
    chosen = {label: _chosen(label, file, loaded[label]) for label, file in files.items()}
    times = Counter(name for names in chosen.values() if len(names) > 1 for name in names)
    times.update(label for label, names in chosen.items() if len(names) == 1)
    found = [
        Estimates(name, loaded[label].archs, loaded[label].columns[measure], _direction(label, file, measure))
        for label, file in files.items()
        for name, measure in _named(label, chosen[label], times)
    ]
    name, count = Counter(each.name for each in found).most_common(1)[0]
    if count > 1:
        raise UsageError(complaint("scores", "estimators of different names", f"{name} twice", "Change a label."))
    return found


def _named(label: str, measures: Sequence[str], times: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    for measure in measures:
        if len(measures) == 1:
            yield label, measure
        else:
            yield (measure if times[measure] == 1 else f"{label}: {measure}"), measure


def _chosen(label: str, file: ScoreFile, scores: Scores) -> Sequence[str]:
    call = f"scores.{label}"
    for name in file.measures:
        if name not in scores.names:
            raise UsageError(f"{call}.measures: {unknown_name('column', name, scores.names)}")
    names = tuple(dict.fromkeys(file.measures)) or scores.names
    if not names:
        raise UsageError(complaint(call, "a column of numbers beside arch", "none", "Add one: arch,score."))
    return names


def _direction(label: str, file: ScoreFile, measure: str) -> bool:
    known, given = known_direction(measure), file.higher_is_better
    if known is not None and given is not None and known != given:
        call, step = f"scores.{label}.higher_is_better={given}", "Leave it out, or rename the column."
        raise UsageError(complaint(call, f"{known}, as {measure!r} is defined", given, step))
    return next((direction for direction in (given, known) if direction is not None), True)
