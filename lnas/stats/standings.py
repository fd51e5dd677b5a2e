"""Where values stand among others, and which of them are the top K, whatever the order they come in.

Ties: equal values are put in an order at random, each order as likely, the estimates and the truth independently of one
another. A criterion is the expectation over these orders. It does not depend on the order of the input, as that of the
released code does; it is that code's number where nothing is tied; and an estimator that gives all the same value gets
what guessing gets. One order for both sides would instead make agreement out of ties that both share.
"""

from __future__ import annotations

import math
from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.errors import UsageError, complaint

_DIGITS = 9


class Standings(NamedTuple):
    """How n values compare with one another, the highest first.

    Attributes:
        above: Shape (n,). How many are higher.
        tied: Shape (n,). How many are equal, the value itself among them.
    """

    above: np.ndarray
    tied: np.ndarray

    @classmethod
    def of(cls, values: np.ndarray) -> Standings:
        """Compare values of shape (n,); whatever is not finite is below all that is, and tied."""
        _, of_each, sizes = np.unique(
            np.where(np.isfinite(values), -values, np.inf), return_inverse=True, return_counts=True
        )
        return cls((sizes.cumsum() - sizes)[of_each], sizes[of_each])

    def upside_down(self) -> Standings:
        """Compare them the lowest first."""
        return Standings(len(self.above) - self.above - self.tied, self.tied)

    def chance_of_top(self, size: int) -> np.ndarray:
        """Return how likely each is among the first `size`, shape (n,): 1, 0, or between where ties reach across."""
        return np.clip((size - self.above) / self.tied, 0, 1)

    def average_ranks(self) -> np.ndarray:
        """Return the ranks from 1, the highest first, ties by average, shape (n,)."""
        return self.above + (self.tied + 1) / 2

    def split_at(self, size: int) -> TopSplit:
        """Split into those that are surely among the first `size` and those of which some are."""
        inside = self.above + self.tied <= size
        edge = ~inside & (self.above < size)
        return TopSplit(inside, edge, size - int(inside.sum()))


class TopSplit(NamedTuple):
    """The top K where ties may reach across its end.

    Attributes:
        inside: Shape (n,). Those surely in it.
        edge: Shape (n,). Those tied across its end; none if no tie is cut.
        drawn: How many of the edge are in it.
    """

    inside: np.ndarray
    edge: np.ndarray
    drawn: int


def top_size(call: str, k: float, n: int) -> int:
    """Return how many of n the top K are: an int is a count in 1..n, a float a ratio in (0, 1], rounded down.

    So 1 is one architecture and 1.0 all of them. A ratio that is less than one architecture gives 0. Rounding down
    ignores what a product of floats is short of: 0.29 of 100 are 29, where the released `int(K * N)` has 28.

    Raises:
        UsageError: If it is neither.
    """
    if isinstance(k, Integral) and not isinstance(k, bool) and 1 <= k <= n:
        return int(k)
    if isinstance(k, Real) and not isinstance(k, Integral) and 0 < k <= 1:
        return math.floor(round(float(k) * n, _DIGITS))
    raise UsageError(complaint(call, f"k a count in 1..{n} or a ratio in (0, 1]", k, "1 is one, 1.0 is all of them."))


def checked_top(call: str, estimates: ArrayLike, truth: ArrayLike, k: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Return both vectors and the size of the top K, which must not be empty."""
    estimates, truth = checked_pair(call, estimates, truth)
    size = top_size(call, k, len(truth))
    if not size:
        raise UsageError(complaint(call, f"k * n >= 1 with n = {len(truth)}", k, "Take a larger ratio or a count."))
    return estimates, truth, size


def checked_pair(call: str, estimates: ArrayLike, truth: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return both as vectors of one length >= 1, the truth finite.

    Raises:
        UsageError: If they are not.
    """
    estimates, truth = np.asarray(estimates, dtype=float), np.asarray(truth, dtype=float)
    if truth.ndim != 1 or estimates.shape != truth.shape or not len(truth):
        shapes = (estimates.shape, truth.shape)
        raise UsageError(complaint(call, "two vectors of one length >= 1", shapes, "Pair the values up."))
    unknown = int((~np.isfinite(truth)).sum())
    if unknown:
        got, next_step = f"{unknown} of {len(truth)} not finite", "Drop the architectures whose truth is not known."
        raise UsageError(complaint(call, "a finite truth", got, next_step))
    return estimates, truth
