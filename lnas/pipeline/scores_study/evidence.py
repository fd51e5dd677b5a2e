"""What a study compares: estimates and truths of the same architectures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.pipeline.scores_study.score_files import Estimates
from lnas.pipeline.scores_study.undefined import why_undefined
from lnas.pipeline.truth import Truth
from lnas.spaces import SPACES, SearchSpace
from lnas.types import Arch

_FEWEST = 2


@dataclass(frozen=True)
class Evidence:
    """Estimators beside one or more truths.

    Attributes:
        space: Of the architectures.
        archs: The n that all files hold and whose accuracies are known.
        values: Estimator -> what it says, shape (n,); NaN where there is no number.
        directions: Estimator -> whether higher is better.
        truths: Key -> accuracy in percent, finite, shape (n,); the first is the main one.
        not_in_all: How many architectures stand in some files only.
        not_known: How many stand in all, but lack an accuracy.
        repeated: Estimator -> what it says in its file and in each repeat, shape (r, n), r >= 2; only those that have
            repeats.
    """

    space: SearchSpace
    archs: Sequence[Arch]
    values: Mapping[str, np.ndarray]
    directions: Mapping[str, bool]
    truths: Mapping[str, np.ndarray]
    not_in_all: int
    not_known: int
    repeated: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """The main truth's."""
        return next(iter(self.truths))

    @property
    def truth(self) -> np.ndarray:
        """The main one."""
        return self.truths[self.key]

    @cached_property
    def merits(self) -> dict[str, np.ndarray]:
        """Estimator -> its estimates, the higher the better."""
        return {name: values if self.directions[name] else -values for name, values in self.values.items()}

    @cached_property
    def undefined(self) -> dict[str, str]:
        """Estimators that rank nothing, and why."""
        reasons = {name: why_undefined(merits, self.truth) for name, merits in self.merits.items()}
        return {name: reason for name, reason in reasons.items() if reason}

    @cached_property
    def ranking(self) -> dict[str, np.ndarray]:
        """Those that rank something, as `merits` has them."""
        return {name: merits for name, merits in self.merits.items() if name not in self.undefined}


def space_of(estimates: Sequence[Estimates], given: SearchSpace | None) -> SearchSpace:
    """Return the space that all architectures are of.

    Raises:
        UsageError: If they are of several, or of one that must be given and is not, or of another than is given.
    """
    names = sorted({arch.space for each in estimates for arch in each.archs})
    if given is not None:
        if names != [given.name]:
            raise UsageError(complaint("scores", f"architectures of {given.name!r}", names, "Name their --space."))
        return given
    if len(names) > 1:
        raise UsageError(complaint("scores", "architectures of one space", names, "Study one space at a time."))
    if names[0] not in SPACES:
        step = "Example: --space my_package.MySpace."
        raise UsageError(complaint("scores", "a space that lnas knows, or --space", names[0], step))
    return SPACES[names[0]]()


def gather(estimates: Sequence[Estimates], truths: Sequence[Truth], space: SearchSpace) -> Evidence:
    """Bring together what all files say of the architectures that they share, and what is true of those.

    Raises:
        UsageError: If fewer than two architectures are in all files and have an accuracy, or all accuracies are equal.
    """
    rows = [{arch: row for row, arch in enumerate(each.archs)} for each in estimates]
    anywhere = {arch for each in rows for arch in each}
    shared = [arch for arch in rows[0] if all(arch in each for each in rows)]
    accuracies = [np.array(truth.accuracies(shared, space), dtype=float) for truth in truths]
    known: np.ndarray = np.isfinite(np.array(accuracies)).all(axis=0)
    archs = [arch for arch, is_known in zip(shared, known, strict=True) if is_known]
    if len(archs) < _FEWEST:
        expected = f"at least {_FEWEST} architectures in all files and with every accuracy"
        got = f"{len(archs)} of {len(anywhere):,}; {len(shared):,} are in all files"
        raise UsageError(complaint("scores", expected, got, "Study files of the same architectures together."))
    for truth, own in zip(truths, accuracies, strict=True):
        if len(np.unique(own[known])) < _FEWEST:
            got = f"{own[known][0]:g} for all {len(archs):,}"
            raise UsageError(complaint(f"truth {truth.key!r}", "accuracies that differ", got, "Score other ones."))
    places = {each.name: [own[arch] for arch in archs] for each, own in zip(estimates, rows, strict=True)}
    return Evidence(
        space,
        archs,
        {each.name: each.values[places[each.name]] for each in estimates},
        {each.name: each.higher_is_better for each in estimates},
        {truth.key: own[known] for truth, own in zip(truths, accuracies, strict=True)},
        len(anywhere) - len(shared),
        len(shared) - len(archs),
        {
            each.name: np.vstack([each.values, each.repeats])[:, places[each.name]]
            for each in estimates
            if len(each.repeats)
        },
    )
