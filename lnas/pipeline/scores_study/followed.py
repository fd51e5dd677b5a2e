"""Supernets followed along their training: their scores beside what is true of the same architectures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.estimators.directions import known_direction
from lnas.pipeline.scores_study.score_files import Loaded
from lnas.pipeline.scores_study.sizes import Sizes
from lnas.pipeline.scores_study.supernet_files import Forgetting, SupernetScores, file_of, load_supernet
from lnas.pipeline.truth import Truth
from lnas.spaces import SearchSpace
from lnas.types import Arch

_FEWEST = 2


@dataclass(frozen=True)
class Followed:
    """A supernet at e times of its training, on the n of its architectures whose accuracy is known.

    Attributes:
        label: Of the supernet.
        epochs: Ascending, e.
        archs: The n.
        values: Estimator -> its numbers, shape (e, n), NaN where there is none; the name has the label before it.
        directions: Estimator -> whether higher is better.
        truth: Accuracy in percent, finite, shape (n,).
        sizes: What stands for complexity, shape (n,); None where that is not known.
        unsized: Why it is not.
        forgetting: What was recorded of it; None for nothing.
    """

    label: str
    epochs: Sequence[int]
    archs: Sequence[Arch]
    values: Mapping[str, np.ndarray]
    directions: Mapping[str, bool]
    truth: np.ndarray
    sizes: np.ndarray | None
    unsized: str = ""
    forgetting: Forgetting | None = None

    @property
    def merits(self) -> dict[str, np.ndarray]:
        """Estimator -> its numbers, the higher the better."""
        return {name: own if self.directions[name] else -own for name, own in self.values.items()}

    def ensembles(self) -> Iterator[tuple[str, str]]:
        """Yield each estimator by an ensemble of weights, and the one by the last weights alone."""
        for name in self.values:
            single = name.replace(": ensemble_", ": oneshot_")
            if single != name and single in self.values:
                yield name, single


def supernets_of(loaded: Mapping[str, Loaded], supernets: Mapping[str, str]) -> dict[str, SupernetScores]:
    """Return the supernets that are followed: those among the estimators, and further ones.

    Args:
        loaded: What the files of the estimators hold.
        supernets: Label -> folder of `lnas supernet`, or its scores.parquet.

    Raises:
        UsageError: If a label is taken, or a file is none of a supernet.
    """
    found = {label: own.supernet for label, own in loaded.items() if own.supernet is not None}
    for label, given in supernets.items():
        call = f"supernets.{label}={given!r}"
        if label in found:
            raise UsageError(complaint(call, "a label of its own", label, "It is followed anyway, as one of scores."))
        path = file_of(given)
        scores = load_supernet(path) if path.is_file() else None
        if scores is None:
            step = "Train one with --ranking.archs 300."
            raise UsageError(complaint(call, "a folder of `lnas supernet` with scores.parquet", "none", step))
        found[label] = scores
    return found


def follow(
    scored: Mapping[str, SupernetScores],
    truth: Truth,
    space: SearchSpace,
    sizes: Sizes,
) -> list[Followed]:
    """Bring together what supernets say and what is true, each of its own architectures.

    Args:
        scored: Label -> scores.
        truth: What is true.
        space: Of the architectures.
        sizes: Tells that of each architecture.

    Raises:
        UsageError: If one is of another space, or fewer than two of its architectures have an accuracy.
    """
    return [_followed(label, scores, truth, space, sizes) for label, scores in scored.items()]


def _followed(
    label: str,
    scores: SupernetScores,
    truth: Truth,
    space: SearchSpace,
    sizes: Sizes,
) -> Followed:
    call = f"supernet {label!r}"
    spaces = sorted({arch.space for arch in scores.archs})
    if spaces != [space.name]:
        raise UsageError(complaint(call, f"architectures of {space.name!r}", spaces, "Study one space at a time."))
    accuracies = np.array(truth.accuracies(scores.archs, space), dtype=float)
    known = np.isfinite(accuracies)
    if known.sum() < _FEWEST:
        expected = f"at least {_FEWEST} architectures with an accuracy"
        raise UsageError(complaint(call, expected, f"{int(known.sum())} of {len(known)}", "Name another benchmark."))
    archs = [arch for arch, is_known in zip(scores.archs, known, strict=True) if is_known]
    names = {measure: f"{label}: {measure}" for measure in scores.values}
    return Followed(
        label,
        scores.epochs,
        archs,
        {names[measure]: own[:, known] for measure, own in scores.values.items()},
        {names[measure]: known_direction(measure) is not False for measure in scores.values},
        accuracies[known],
        *_sized(archs, sizes),
        scores.forgetting,
    )


def _sized(archs: Sequence[Arch], sizes: Sizes) -> tuple[np.ndarray | None, str]:
    try:
        return sizes.of(archs), ""
    except UsageError as error:
        return None, str(error)
