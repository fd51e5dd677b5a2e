"""What `lnas supernet` recorded: scores of the same architectures at several times of the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lnas.benchmarks import Scores
from lnas.benchmarks.parquet import read_columns
from lnas.errors import UsageError, complaint
from lnas.types import Arch

EPOCH = "epoch"
SCORES, FORGETTING = "scores.parquet", "forgetting.parquet"
_NO_SCORES = ("arch", "notation", "truth", EPOCH)
_MAKE = "Train again with --ranking.archs, or name scores.parquet of such a training."


class Forgetting(NamedTuple):
    """Mean forgetting values by epoch.

    Attributes:
        epochs: Ascending, shape (f,).
        counts: Of how many paths, shape (f,).
        means: In accuracy, negative where paths are forgotten, shape (f,); NaN for none.
        deviations: Of a sample, shape (f,); NaN for fewer than two.
    """

    epochs: np.ndarray
    counts: np.ndarray
    means: np.ndarray
    deviations: np.ndarray


@dataclass(frozen=True)
class SupernetScores:
    """The scores of n architectures at e times of a supernet's training.

    Attributes:
        epochs: Ascending, shape (e,).
        archs: The n.
        values: Score -> its numbers, shape (e, n); NaN where there is none.
        forgetting: What was recorded of it; None for nothing.
    """

    epochs: Sequence[int]
    archs: tuple[Arch, ...]
    values: Mapping[str, np.ndarray]
    forgetting: Forgetting | None = None

    def at(self, epoch: int | None, call: str) -> Scores:
        """Return the scores after an epoch; None is the last.

        Raises:
            UsageError: If there are none of that epoch; `call` is blamed.
        """
        if epoch is not None and epoch not in self.epochs:
            known = ", ".join(map(str, self.epochs))
            raise UsageError(complaint(f"{call}.epoch={epoch}", f"one of {known}", epoch, "None is the last."))
        row = -1 if epoch is None else list(self.epochs).index(epoch)
        return Scores(self.archs, {name: values[row] for name, values in self.values.items()})


def file_of(given: str) -> Path:
    """Return the file of scores that is meant: itself, or that in a folder of `lnas score` or `lnas supernet`."""
    path = Path(given)
    return path / SCORES if path.is_dir() else path


def load_supernet(path: Path) -> SupernetScores | None:
    """Read a supernet's scores.parquet, and forgetting.parquet beside it; None for a file without epochs.

    Raises:
        UsageError: If the file is damaged, or an epoch has other architectures than the first, or one twice.
    """
    if path.suffix != ".parquet":
        return None
    columns = read_columns(path)
    if EPOCH not in columns or "arch" not in columns:
        return None
    call = f"scores {str(path)!r}"
    epochs = columns[EPOCH].astype(int)
    different = np.unique(epochs).tolist()
    if not different:
        raise UsageError(complaint(call, "scores of at least one epoch", "none", _MAKE))
    names = np.array(list(map(str, columns["arch"].tolist())))
    order, same = _aligned(names, epochs, different)
    if not same:
        raise UsageError(complaint(call, "the same architectures in each epoch, each once", "others", _MAKE))
    scores = {name: column[order].astype(float) for name, column in columns.items() if name not in _NO_SCORES}
    return SupernetScores(
        different, tuple(Arch.from_text(name, call) for name in names[order[0]]), scores, _forgetting(path.parent)
    )


def _aligned(names: np.ndarray, epochs: np.ndarray, different: Sequence[int]) -> tuple[np.ndarray, bool]:
    """Return the rows of each epoch, shape (e, n), those of one architecture below each other, and whether they fit."""
    rows = [np.flatnonzero(epochs == epoch) for epoch in different]
    if len({len(own) for own in rows}) > 1:
        return np.empty((0, 0), dtype=int), False
    order = np.array([own[np.argsort(names[own], kind="stable")] for own in rows])
    same = (names[order] == names[order[0]]).all() and len(set(names[order[0]])) == order.shape[1]
    return order, bool(same)


def _forgetting(folder: Path) -> Forgetting | None:
    path = folder / FORGETTING
    if not path.is_file():
        return None
    columns = read_columns(path)
    nothing = np.full(len(columns[EPOCH]), np.nan)
    counts = columns.get("count", nothing)
    return Forgetting(columns[EPOCH].astype(int), counts, columns.get("mean", nothing), columns.get("std", nothing))
