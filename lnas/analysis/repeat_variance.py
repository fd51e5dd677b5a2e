"""How far repeats of an estimate, such as by other seeds or batches, differ, and what averaging them is worth."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.analysis.compared import known_in_all, require_differences
from lnas.analysis.means import running_means
from lnas.errors import UsageError, complaint
from lnas.stats import kendall_tau
from lnas.stats.standings import Standings

_FEWEST = 2


class RepeatVariance(NamedTuple):
    """How r repeats differ.

    Attributes:
        deviation: Standard deviation of each architecture's estimates over the repeats, r - 1 in the divisor, shape
            (n,); NaN where one is missing.
        rank_deviation: That of its ranks, each among the architectures of one repeat, shape (n,); NaN alike.
        taus: Kendall's tau-b of each two repeats, shape (r, r), 1 on the diagonal.
        mean_tau: Mean over the pairs of repeats.
        compared: How many architectures have all their estimates.
        missing: How many lack one, and are left out.
    """

    deviation: np.ndarray
    rank_deviation: np.ndarray
    taus: np.ndarray
    mean_tau: float
    compared: int
    missing: int


class TauOfAverages(NamedTuple):
    """Correlation of the mean of 1 .. r repeats with the truth.

    Attributes:
        repeats: How many are averaged: 1 .. r, shape (r,).
        mean: Mean of tau-b over choices of so many repeats, shape (r,).
        deviation: Standard deviation over these choices, shape (r,), their number less 1 in the divisor; NaN for one.
            Choices that share repeats are not independent.
        choices: How many choices there were, shape (r,).
        compared: How many architectures have all their estimates.
        missing: How many lack one, and are left out.
    """

    repeats: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    choices: np.ndarray
    compared: int
    missing: int


def repeat_variance(estimates: ArrayLike) -> RepeatVariance:
    """Measure how far repeats of an estimate agree.

    Args:
        estimates: Shape (r, n), r >= 2: a row for each seed, batch or supernet. An architecture without a finite
            estimate in every row is left out and counted. Ranks by average where tied.

    Raises:
        UsageError: If they are no such matrix, fewer than two architectures are left, or a row is constant.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 5.3.

    Example:
        >>> found = repeat_variance([[1, 2, 3], [1, 4, 3]])
        >>> found.rank_deviation.round(4).tolist(), found.mean_tau.__round__(4)
        ([0.0, 0.7071, 0.7071], 0.3333)
    """
    call = "repeat_variance(estimates)"
    rows, known = known_in_all(call, estimates)
    if len(rows) < _FEWEST:
        raise UsageError(complaint(call, f"at least {_FEWEST} repeats", len(rows), "Measure with another seed."))
    own = rows[:, known]
    for number, row in enumerate(own):
        require_differences(call, f"estimates of repeat {number}", row)
    ranks = np.array([Standings.of(row).average_ranks() for row in own])
    deviation, rank_deviation = np.full((2, len(known)), np.nan)
    deviation[known], rank_deviation[known] = own.std(axis=0, ddof=1), ranks.std(axis=0, ddof=1)
    taus = np.eye(len(own))
    for one, other in itertools.combinations(range(len(own)), 2):
        taus[one, other] = taus[other, one] = kendall_tau(own[one], own[other])
    pairs = taus[np.triu_indices(len(own), k=1)]
    return RepeatVariance(deviation, rank_deviation, taus, float(pairs.mean()), int(known.sum()), int((~known).sum()))


def tau_of_averages(estimates: ArrayLike, truth: ArrayLike, most: int = 100, seed: int = 0) -> TauOfAverages:
    """Correlate means of repeats with the truth, by how many are averaged.

    Args:
        estimates: Shape (r, n), the higher the better, on one scale. An architecture without a finite estimate in
            every row is left out of all means and counted.
        truth: Shape (n,), finite, the higher the better.
        most: How many choices of so many repeats there are at most: all where there are no more, else so many drawn.
        seed: Of the draws.

    Raises:
        UsageError: If shapes do not fit, `most` is less than 1, fewer than two architectures are left, or the truth or
            a mean is the same for all.

    Example:
        >>> found = tau_of_averages([[1, 2, 4, 3], [2, 1.5, 3, 5]], [1, 2, 3, 4])
        >>> found.mean.round(4).tolist(), found.choices.tolist()
        ([0.6667, 1.0], [2, 1])
    """
    call = "tau_of_averages(estimates, truth, ...)"
    rows, known = known_in_all(call, estimates, truth)
    if most < 1:
        raise UsageError(complaint(call, "most >= 1", most, "100 are usual."))
    own, true = rows[:, known], np.asarray(truth, dtype=float)[known]
    require_differences(call, "truth", true)
    rng = np.random.default_rng(seed)
    taus = []
    for count in range(1, len(own) + 1):
        means = [running_means(own[list(chosen)])[-1] for chosen in _choices(len(own), count, most, rng)]
        for mean in means:
            require_differences(call, f"means of {count} repeats", mean)
        taus.append(np.array([kendall_tau(mean, true) for mean in means]))
    return TauOfAverages(
        np.arange(1, len(own) + 1),
        np.array([each.mean() for each in taus]),
        np.array([each.std(ddof=1) if len(each) > 1 else np.nan for each in taus]),
        np.array([len(each) for each in taus]),
        int(known.sum()),
        int((~known).sum()),
    )


def _choices(of: int, count: int, most: int, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """Return all ways to choose so many, or as many different ones as allowed, drawn uniformly."""
    if math.comb(of, count) <= most:
        return list(itertools.combinations(range(of), count))
    drawn: dict[tuple[int, ...], None] = {}
    while len(drawn) < most:
        drawn[tuple(sorted(rng.choice(of, count, replace=False).tolist()))] = None
    return list(drawn)
