"""Kendall's tau with its interval, over all architectures or among those of the same group only."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lnas.stats import bootstrap_interval, kendall_tau, resampled_kendall
from lnas.stats.intervals import ResampledStatistic

_FEWEST = 2


class Tau(NamedTuple):
    """A rank correlation, tau-b, and its 95 % interval.

    Attributes:
        value: In [-1, 1]; NaN where one side is constant, or fewer than two architectures are compared.
        low: Lower end of the interval, over 1,000 resamples of the architectures; NaN where it is not defined.
        high: Upper end.
        compared: Over how many architectures.
        pairs: Over how many pairs of them.
    """

    value: float
    low: float
    high: float
    compared: int
    pairs: int


def tau_between(merits: np.ndarray, reference: np.ndarray) -> Tau:
    """Correlate two orders of the same architectures.

    Args:
        merits: Shape (n,), NaN where there is no number: such architectures take no part.
        reference: Shape (n,), NaN alike.
    """
    x, y = _paired(merits, reference)
    pairs = len(x) * (len(x) - 1) // 2
    if len(x) < _FEWEST:
        return Tau(np.nan, np.nan, np.nan, len(x), pairs)
    return Tau(kendall_tau(x, y), *bootstrap_interval(resampled_kendall, x, y), len(x), pairs)


def tau_within(merits: np.ndarray, reference: np.ndarray, groups: np.ndarray) -> Tau:
    """Correlate two orders, comparing architectures of the same group only, such as those of one size.

    The concordant less the discordant pairs over the geometric mean of the pairs untied in either order, each summed
    over the groups: tau-b where there is one group. A group counts by its pairs.

    Args:
        merits: Shape (n,), NaN where there is no number.
        reference: Shape (n,), NaN alike.
        groups: Shape (n,), equal for members of a group.

    Returns:
        `compared` counts the architectures that share their group with another.
    """
    known = _both_known(merits, reference)
    x, y, labels = merits[known], reference[known], groups[known]
    sizes = np.unique(labels, return_counts=True)[1]
    shared = int(sizes[sizes >= _FEWEST].sum())
    pairs = int((sizes * (sizes - 1) // 2).sum())
    if not pairs:
        return Tau(np.nan, np.nan, np.nan, shared, pairs)
    statistic = resampled_kendall_within(labels)
    (value,) = statistic(x, y, np.ones((1, len(x)), dtype=int))
    return Tau(float(value), *bootstrap_interval(statistic, x, y), shared, pairs)


def resampled_kendall_within(groups: np.ndarray) -> ResampledStatistic:
    """Return what computes `tau_within` of many resamples at once; NaN where no pair of a group differs on a side.

    Args:
        groups: Of each pair of values, shape (n,).
    """
    members = [found for label in np.unique(groups) if len(found := np.flatnonzero(groups == label)) >= _FEWEST]

    def statistic(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
        balance, untied_x, untied_y = np.zeros((3, len(counts)))
        for group in members:
            drawn, in_x, in_y = counts[:, group], _signs(x[group]), _signs(y[group])
            balance += _summed_over_pairs(in_x * in_y, drawn)
            untied_x += _summed_over_pairs(np.abs(in_x), drawn)
            untied_y += _summed_over_pairs(np.abs(in_y), drawn)
        with np.errstate(invalid="ignore"):
            return balance / np.sqrt(untied_x * untied_y)

    return statistic


def _signs(values: np.ndarray) -> np.ndarray:
    return np.sign(values[:, None] - values)


def _summed_over_pairs(of_pair: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Sum a symmetric matrix over the pairs of each resample: two copies of one value are a pair that is tied."""
    return ((drawn @ of_pair) * drawn).sum(axis=1) / 2


def _paired(merits: np.ndarray, reference: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    known = _both_known(merits, reference)
    return merits[known], reference[known]


def _both_known(merits: np.ndarray, reference: np.ndarray) -> np.ndarray:
    return ~np.isnan(merits) & ~np.isnan(reference)
