"""Rank correlations of many resamples at once, from how often each pair was drawn.

A resample repeats pairs that are already compared: what is counted is the original pairs, each as often as it came.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lnas.stats.inversions import resampled_inversions


def resampled_kendall(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return `kendall_tau` of each resample, exactly; NaN where one side is constant.

    Args:
        x: Finite numbers, shape (n,).
        y: Finite numbers, shape (n,).
        counts: How often each pair is in a resample, shape (resamples, n).

    Returns:
        Shape (resamples,).
    """
    order = np.lexsort((y, x))
    x, y, counts = x[order], y[order], counts[:, order]
    both = np.cumsum(np.append(False, (x[1:] != x[:-1]) | (y[1:] != y[:-1])))
    tied_in_x, tied_in_y, tied_in_both = (
        _pairs(_Groups.of(values).sizes(counts)).sum(axis=1) for values in (x, y, both)
    )
    pairs = _pairs(counts.sum(axis=1))
    balance = pairs - tied_in_x - tied_in_y + tied_in_both - 2 * resampled_inversions(_Groups.of(y).of_each, counts)
    with np.errstate(invalid="ignore"):
        return balance / np.sqrt((pairs - tied_in_x) * (pairs - tied_in_y))


def resampled_spearman(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return `spearman_r` of each resample; NaN where one side is constant.

    Args:
        x: Finite numbers, shape (n,).
        y: Finite numbers, shape (n,).
        counts: How often each pair is in a resample, shape (resamples, n).

    Returns:
        Shape (resamples,).
    """
    one, other = (_Groups.of(v).centered_ranks(counts) for v in (x, y))
    covariance, *variances = ((counts * a * b).sum(axis=1) for a, b in ((one, other), (one, one), (other, other)))
    with np.errstate(invalid="ignore"):
        return covariance / np.sqrt(variances[0] * variances[1])


class _Groups(NamedTuple):
    """Which values of a vector are equal.

    Attributes:
        order: Sorts the vector.
        starts: Where each group begins in the sorted vector.
        of_each: The group of each value, in the order of the vector; groups are numbered by size of the value.
    """

    order: np.ndarray
    starts: np.ndarray
    of_each: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> _Groups:
        _, of_each, sizes = np.unique(values, return_inverse=True, return_counts=True)
        return cls(np.argsort(of_each), sizes.cumsum() - sizes, of_each)

    def sizes(self, counts: np.ndarray) -> np.ndarray:
        """Count the members of each group in each resample, shape (resamples, groups)."""
        return np.add.reduceat(counts[:, self.order], self.starts, axis=1)

    def centered_ranks(self, counts: np.ndarray) -> np.ndarray:
        """Rank the values in each resample, ties by average, less the mean rank; shape (resamples, n)."""
        sizes = self.sizes(counts)
        last = sizes.cumsum(axis=1)
        ranks = last - (sizes - 1) / 2 - (last[:, -1:] + 1) / 2
        return ranks[:, self.of_each]


def _pairs(numbers: np.ndarray) -> np.ndarray:
    return numbers * (numbers - 1) / 2
