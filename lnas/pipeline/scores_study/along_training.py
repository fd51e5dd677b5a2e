"""What becomes of a supernet's ranking along its training: criteria, stability, distributions and bias by epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np

from lnas.analysis.complexity_groups import ComplexityBias, ComplexityGroups, complexity_bias, complexity_groups
from lnas.analysis.distributions import Distributions, distributions
from lnas.analysis.operation_bias import OperationBias, by_target, operation_bias
from lnas.analysis.operation_changes import OperationChanges, operation_changes
from lnas.errors import UsageError
from lnas.execution import Executor
from lnas.pipeline.display import Display
from lnas.pipeline.scores_study.correlations import Resampled, correlated
from lnas.pipeline.scores_study.followed import Followed
from lnas.pipeline.scores_study.jobs import run_jobs
from lnas.pipeline.scores_study.undefined import why_undefined
from lnas.report.table import WithInterval
from lnas.spaces import SearchSpace
from lnas.stats import Criteria, criteria, ranking_stability

AT = (0.005, 0.05)
"""The K of P@top K and its kind, as the study's Fig. 1 has them."""

_FEWEST = 2

FoundT = TypeVar("FoundT")


class AskedAt(NamedTuple):
    """Kendall's tau with the truth of an estimator at a place among its epochs."""

    estimator: str
    place: int


@dataclass(frozen=True)
class Course:
    """An estimator at e times of a supernet's training.

    Attributes:
        epochs: The e.
        scores: Its numbers as they are, shape (e, n).
        taus: Kendall's tau-b with the truth, and its interval; None where it is not defined.
        criteria: One estimator for each epoch.
        stability: How far each epoch foretells the next, e - 1; None where one of the two lacks numbers that differ.
        distributions: Of its numbers.
        complexity: Bias by complexity of each epoch; None where it cannot be found.
        operations: Bias by operation of each epoch; None where it cannot be found.
        undefined: Epoch -> why it ranks nothing then.
    """

    epochs: Sequence[int]
    scores: np.ndarray
    taus: Sequence[WithInterval | None]
    criteria: Criteria
    stability: Sequence[Criteria | None]
    distributions: Distributions
    complexity: Sequence[ComplexityBias | None]
    operations: Sequence[OperationBias | None]
    undefined: Mapping[int, str]


@dataclass(frozen=True)
class Trained:
    """What was found of a supernet.

    Attributes:
        followed: Its scores, and what is true.
        groups: Complexity groups of its architectures; None where there are none.
        courses: Estimator -> what becomes of it.
        ensembles: Estimator by an ensemble of weights -> how far its tau is above that of the last weights alone, by
            epoch; None where one is not defined.
        left_out: Kind -> why it cannot be found.
    """

    followed: Followed
    groups: ComplexityGroups | None
    courses: Mapping[str, Course]
    ensembles: Mapping[str, Sequence[WithInterval | None]]
    left_out: Mapping[str, str]


def find_along_training(
    followed: Sequence[Followed],
    space: SearchSpace,
    groups: int,
    resamples: int,
    executor: Executor,
    display: Display,
) -> list[Trained]:
    """Find what becomes of each supernet.

    Args:
        followed: The supernets.
        space: Of their architectures.
        groups: How many complexity groups.
        resamples: Of each interval.
        executor: Runs the intervals.
        display: Shows how far they are.
    """
    jobs = {asked: job for each in followed for asked, job in _jobs(each, resamples)}
    found = run_jobs(jobs, "along training", executor, display)
    return [_trained(each, space, groups, found) for each in followed]


def _jobs(followed: Followed, resamples: int) -> Iterator[tuple[AskedAt, Callable[[], Resampled]]]:
    for name, rows in followed.merits.items():
        for place, row in enumerate(rows):
            if not why_undefined(row, followed.truth):
                yield AskedAt(name, place), partial(correlated, row, followed.truth, "kendall_tau", resamples)


def _trained(followed: Followed, space: SearchSpace, count: int, found: Mapping[AskedAt, Resampled]) -> Trained:
    left_out: dict[str, str] = {}
    groups = _unless_refused(left_out, "bias by complexity", lambda: _groups(followed, count))
    changes = _unless_refused(left_out, "bias by operation", lambda: operation_changes(followed.archs, space))
    taus = {name: [found.get(AskedAt(name, k)) for k in range(len(followed.epochs))] for name in followed.values}
    courses = {name: _course(followed, name, taus[name], groups, changes) for name in followed.values}
    ensembles = {
        name: [
            one.less(other).with_interval() if one and other else None
            for one, other in zip(taus[name], taus[single], strict=True)
        ]
        for name, single in followed.ensembles()
    }
    return Trained(followed, groups, courses, ensembles, left_out)


def _groups(followed: Followed, count: int) -> ComplexityGroups:
    if followed.sizes is None:
        raise UsageError(followed.unsized)
    return complexity_groups(followed.sizes, count)


def _unless_refused(left_out: dict[str, str], kind: str, find: Callable[[], FoundT]) -> FoundT | None:
    try:
        return find()
    except UsageError as error:
        left_out[kind] = str(error)
        return None


def _course(
    followed: Followed,
    name: str,
    taus: Sequence[Resampled | None],
    groups: ComplexityGroups | None,
    changes: OperationChanges | None,
) -> Course:
    truth, merits, epochs = followed.truth, followed.merits[name], followed.epochs
    reasons = [why_undefined(row, truth) for row in merits]
    sound = [None if reason else row for row, reason in zip(merits, reasons, strict=True)]
    return Course(
        epochs,
        followed.values[name],
        [tau.with_interval() if tau else None for tau in taus],
        criteria({str(epoch): row for epoch, row in zip(epochs, merits, strict=True)}, truth, AT),
        [stability(*pair) for pair in pairwise(merits)],
        distributions(followed.values[name]),
        [complexity_bias(row, truth, groups) if row is not None and groups else None for row in sound],
        [by_target(operation_bias(changes, row, truth)) if row is not None and changes else None for row in sound],
        {epoch: reason for epoch, reason in zip(epochs, reasons, strict=True) if reason},
    )


def stability(earlier: np.ndarray, later: np.ndarray) -> Criteria | None:
    """Say how far a ranking foretells a later one, over the architectures that have a number in it.

    Args:
        earlier: Shape (n,), the higher the better.
        later: Shape (n,), the higher the better.

    Returns:
        None where fewer than two have a number later.
    """
    there = np.isfinite(later)
    if there.sum() < _FEWEST:
        return None
    return ranking_stability(earlier[there], later[there], AT)
