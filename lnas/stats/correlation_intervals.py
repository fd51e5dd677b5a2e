"""How sure a correlation of estimates with the truth is, and the difference between two estimators."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.errors import UsageError, complaint, unknown_name
from lnas.stats.intervals import Interval, ResampledStatistic, bootstrap_interval
from lnas.stats.resampled import resampled_kendall, resampled_spearman
from lnas.stats.resampled_pearson import resampled_pearson
from lnas.stats.standings import Standings, checked_pair

Correlation = Literal["kendall_tau", "spearman_r", "pearson_r"]
"""Kendall's is variant "b"."""

_RESAMPLED: Mapping[str, ResampledStatistic] = {
    "kendall_tau": resampled_kendall,
    "spearman_r": resampled_spearman,
    "pearson_r": resampled_pearson,
}
_FEWEST = 2


class Difference(NamedTuple):
    """How far the correlation of one estimator is above that of another.

    Attributes:
        value: Of all architectures, in [-2, 2]; NaN where one is not defined.
        interval: Of the resampled differences.
    """

    value: float
    interval: Interval

    @property
    def is_decided(self) -> bool:
        """Whether the interval is on one side of 0, which rejects equality at 1 - level."""
        return self.interval.low > 0 or self.interval.high < 0


def correlation_interval(
    estimates: ArrayLike,
    truth: ArrayLike,
    correlation: Correlation = "kendall_tau",
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the bootstrap interval of one estimator's correlation with the truth, as `criteria` defines it.

    Args:
        estimates: Shape (n,), the higher the better. What is not finite ranks last, tied; "pearson_r" leaves it out.
        truth: Shape (n,), finite, the higher the better.
        correlation: Which.
        resamples: How many, at least 1. Kendall's is the dearest; see `resampled_kendall`.
        level: Share of the resamples that the interval holds, 0 < level < 1.
        seed: Of the draws, which are the same for all estimators of the same architectures.

    Returns:
        The percentile interval, within [-1, 1]; NaN where no resample has a correlation.

    Raises:
        UsageError: If an argument is not as described.

    Example:
        >>> correlation_interval([1, 2, 3, 4], [10, 20, 30, 40])
        Interval(low=1.0, high=1.0)
    """
    call = "correlation_interval(estimates, truth, ...)"
    statistic = _statistic(call, correlation)
    columns, truth = _comparable(call, [estimates], truth, correlation)
    return bootstrap_interval(statistic, columns[0], truth, resamples, level, seed)


def paired_difference(
    estimates: ArrayLike,
    others: ArrayLike,
    truth: ArrayLike,
    correlation: Correlation = "kendall_tau",
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Difference:
    """Return by how much one estimator's correlation with the truth exceeds another's, on the same architectures.

    Each resample draws architectures and takes both correlations of them, so that what both find hard cancels. Two
    separate intervals that overlap can still come with a difference that is decided.

    Args:
        estimates: Shape (n,), the higher the better. What is not finite ranks last, tied; "pearson_r" leaves out what
            either lacks.
        others: Shape (n,), of the other estimator.
        truth: Shape (n,), finite, the higher the better.
        correlation: Which.
        resamples: How many, at least 1.
        level: Share of the resampled differences that the interval holds, 0 < level < 1.
        seed: Of the draws.

    Returns:
        correlation(estimates, truth) - correlation(others, truth), positive if the first is better, and its interval.

    Raises:
        UsageError: If an argument is not as described.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, Ch. 13 and 16 (percentile interval, tests).

    Example:
        >>> difference = paired_difference([1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1], [1, 2, 3, 4, 5, 6])
        >>> difference.value, difference.interval, difference.is_decided
        (2.0, Interval(low=2.0, high=2.0), True)
    """
    call = "paired_difference(estimates, others, truth, ...)"
    statistic = _statistic(call, correlation)
    (one, other), truth = _comparable(call, [estimates, others], truth, correlation)

    def difference(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
        return statistic(x, y, counts) - statistic(other, y, counts)

    interval = bootstrap_interval(difference, one, truth, resamples, level, seed)
    (value,) = difference(one, truth, np.ones((1, len(truth)), dtype=int))
    return Difference(float(value), interval)


def _comparable(
    call: str, estimates: list[ArrayLike], truth: ArrayLike, correlation: Correlation
) -> tuple[list[np.ndarray], np.ndarray]:
    """Return finite columns and the truth: ranks, or the numbers where all are finite."""
    pairs = [checked_pair(call, column, truth) for column in estimates]
    columns, truth = [column for column, _ in pairs], pairs[0][1]
    if correlation != "pearson_r":
        columns = [-Standings.of(column).average_ranks() for column in columns]
    known = np.isfinite(columns).all(axis=0)
    if known.sum() < _FEWEST:
        expected, next_step = f"at least {_FEWEST} architectures with numbers", "Estimate more of them."
        raise UsageError(complaint(call, expected, int(known.sum()), next_step))
    return [column[known] for column in columns], truth[known]


def _statistic(call: str, correlation: str) -> ResampledStatistic:
    if correlation not in _RESAMPLED:
        raise UsageError(f"{call}: {unknown_name('correlation', correlation, _RESAMPLED)}")
    return _RESAMPLED[correlation]
