"""Scores as a study's config names them: files of `lnas score` or `lnas supernet`, anybody's, or accuracies."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import yaml

from lnas.benchmarks import Scores, load_scores
from lnas.errors import UsageError, complaint, unknown_name
from lnas.estimators.directions import known_direction
from lnas.pipeline.scores_study.supernet_files import SupernetScores, file_of, load_supernet
from lnas.types import Arch, describe

TRUTH_KEY = "truth:"
"""What stands before the key of an accuracy that is an estimator, instead of a file."""


@dataclass(frozen=True)
class ScoreFile:
    """Where scores are, and which of the measures there are studied.

    Args:
        file: scores.parquet or scores.csv of `lnas score`, scores.parquet of `lnas supernet`, the folder of either, or
            any file like them: a column arch, and one per measure. Or `truth:KEY`: another accuracy of the benchmark,
            such as truth:nats-1.0/cifar10-valid/x-valid@12/mean.
        measures: Which of its columns; all if not given.
        higher_is_better: Of measures that lnas does not know; true if not given.
        epoch: After which epoch of a supernet's training; the last if not given.
        repeats: Further files of the same measures, by other seeds or on other batches. They say how far a measure
            varies; it is studied as `file` has it.
    """

    file: str
    measures: Sequence[str] = ()
    higher_is_better: bool | None = None
    epoch: int | None = None
    repeats: Sequence[str] = ()

    @property
    def key(self) -> str | None:
        """The accuracy that it is; None for a file."""
        return self.file.removeprefix(TRUTH_KEY) if self.file.startswith(TRUTH_KEY) else None


@dataclass(frozen=True)
class Estimates:
    """What one estimator says of the rows of its file.

    Attributes:
        name: What tables call it.
        archs: One per row.
        values: Shape (rows,), NaN where there is no number.
        higher_is_better: Its direction.
        repeats: What it says by other seeds or on other batches, shape (repeats, rows), NaN where there is no number.
    """

    name: str
    archs: Sequence[Arch]
    values: np.ndarray
    higher_is_better: bool
    repeats: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))


class Loaded(NamedTuple):
    """What a file holds.

    Attributes:
        scores: The numbers that are studied.
        supernet: Those of every time of a supernet's training; None where there was none.
        repeats: Those of the repeats.
    """

    scores: Scores
    supernet: SupernetScores | None
    repeats: Sequence[Scores]


def as_score_files(given: Mapping[str, str | ScoreFile]) -> dict[str, ScoreFile]:
    """Return every file with its options, a bare path with the default ones.

    Raises:
        UsageError: If none is given.
    """
    if not given:
        step = "Example: --scores.mine scores.csv."
        raise UsageError(complaint("scores={}", "at least one file of scores", "none", step))
    return {label: ScoreFile(file) if isinstance(file, str) else file for label, file in given.items()}


def load_files(files: Mapping[str, ScoreFile]) -> dict[str, Loaded]:
    """Read every file; what is an accuracy of the benchmark is none.

    Raises:
        UsageError: If one cannot be read, or holds no architecture, or lacks the epoch.
    """
    loaded = {}
    for label, file in files.items():
        call = f"scores.{label}"
        if file.key is None:
            supernet, scores = _read(call, file.file, file.epoch)
            repeats = [_read(f"{call}.repeats", other, file.epoch)[1] for other in file.repeats]
            loaded[label] = Loaded(scores, supernet, repeats)
        elif file != ScoreFile(file.file):
            expected, step = "nothing but the key of an accuracy", "Leave out the other options."
            raise UsageError(complaint(f"{call}={file.file!r}", expected, file, step))
    return loaded


def _read(call: str, given: str, epoch: int | None) -> tuple[SupernetScores | None, Scores]:
    path = file_of(given)
    if not path.is_file():
        got, step = "nothing there", "Make it by `lnas score`, or check the path."
        raise UsageError(complaint(f"{call}={given!r}", "a file of scores", got, step))
    supernet = load_supernet(path)
    if supernet is None and epoch is not None:
        expected = "a file of `lnas supernet`, which has epochs"
        raise UsageError(complaint(f"{call}.epoch={epoch}", expected, given, "Leave it out."))
    scores = load_scores(path) if supernet is None else supernet.at(epoch, call)
    if not len(scores):
        raise UsageError(complaint(f"{call}={given!r}", "at least one architecture", "none", "Name another file."))
    return supernet, scores


def origins(files: Mapping[str, ScoreFile], supernets: Mapping[str, str]) -> dict[str, str]:
    """Say of all scores, as JSON, where they are from, which bytes the files have, how they were made and are read.

    Args:
        files: Of the estimators.
        supernets: Label -> further supernets that are followed.
    """
    found = {}
    for label, file in files.items():
        own = {} if file.key is not None else {"sha256": _sha256(file.file)} | _made_by(file.file)
        repeats = [{"file": other, "sha256": _sha256(other)} | _made_by(other) for other in file.repeats]
        found[f"scores {label}"] = json.dumps(describe(file) | own | {"repeats": repeats}, indent=1)
    for label, given in supernets.items():
        found[f"supernet {label}"] = json.dumps({"file": given, "sha256": _sha256(given)} | _made_by(given), indent=1)
    return found


def _made_by(given: str) -> dict[str, Any]:
    """Return the config that lies beside a file of scores, as the commands leave it: the protocol of its numbers."""
    path = file_of(given).with_name("config.yaml")
    if file_of(given).stem != "scores" or not path.is_file():
        return {}
    try:
        return {"made by": yaml.safe_load(path.read_text())}
    except (OSError, ValueError, yaml.YAMLError) as error:
        return {"made by": f"config.yaml cannot be read: {' '.join(str(error).split())}"}


def _sha256(given: str) -> str:
    return hashlib.sha256(file_of(given).read_bytes()).hexdigest()


def estimates_of(files: Mapping[str, ScoreFile], loaded: Mapping[str, Loaded]) -> list[Estimates]:
    """Return the estimators of all files, in order.

    The only measure of a file is called as the file is labelled, in which a user's own column needs no good name. One
    of several keeps its name, with the label before it where another file has one of that name.

    Raises:
        UsageError: If a file lacks a measure, or a repeat does, or has none, a direction contradicts what lnas knows,
            or two estimators have one name in spite of that.
    """
    chosen = {label: _chosen(label, files[label], own.scores) for label, own in loaded.items()}
    accuracies = [label for label, file in files.items() if file.key is not None]
    times = Counter(name for names in chosen.values() if len(names) > 1 for name in names)
    times.update([label for label, names in chosen.items() if len(names) == 1] + accuracies)
    found = [
        Estimates(
            name,
            own.scores.archs,
            own.scores.columns[measure],
            _direction(label, files[label], measure),
            _repeated(f"scores.{label}.repeats", own, measure),
        )
        for label, own in loaded.items()
        for name, measure in _named(label, chosen[label], times)
    ]
    name, count = Counter([each.name for each in found] + accuracies).most_common(1)[0]
    if count > 1:
        raise UsageError(complaint("scores", "estimators of different names", f"{name} twice", "Change a label."))
    return found


def _repeated(call: str, loaded: Loaded, measure: str) -> np.ndarray:
    """Return a row for each repeat, its numbers in the order of the file's architectures."""
    rows = []
    for scores in loaded.repeats:
        if measure not in scores.names:
            raise UsageError(f"{call}: {unknown_name('column', measure, scores.names)}")
        own = dict(zip(scores.archs, scores.columns[measure].tolist(), strict=True))
        rows.append([own.get(arch, np.nan) for arch in loaded.scores.archs])
    return np.array(rows).reshape(len(rows), len(loaded.scores.archs))


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
