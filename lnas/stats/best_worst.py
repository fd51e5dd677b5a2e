"""BR@K and WR@K: the best and the worst true rank among what an estimator picks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.stats.standings import Standings, checked_top


def best_ranking(estimates: ArrayLike, truth: ArrayLike, k: float) -> float:
    """Return BR@K, the best true rank among the K best by estimate, divided by n.

    BR@K = min{r_i: n_i <= K} / n, with ranks r_i by truth and n_i by estimate, 1 the best.

    Args:
        estimates: Shape (n,), the higher the better. What is not finite ranks below all that is, and is tied.
        truth: Shape (n,), finite, the higher the better.
        k: A count in 1..n if an int, a ratio in (0, 1] of n, rounded down, if a float: 1 is one, 1.0 all.

    Returns:
        A number in [1/n, 1], the lower the better: 1/n if the best is picked. Guessing gets (n + 1) / (k + 1) / n. Ties
        on either side are ordered at random, independently, and this is the expectation.

    Raises:
        UsageError: If an argument is not as described, or the ratio is less than one of n.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 3. Its code
    breaks ties by the order given.

    Example:
        >>> best_ranking([5, 4, 3, 2, 1], [7, 8, 9, 6, 5], 2)
        0.4
        >>> best_ranking([5, 4, 4, 2, 1], [7, 8, 9, 6, 5], 2)  # rank 2 or rank 1
        0.3
    """
    estimates, truth, size = checked_top("best_ranking(estimates, truth, k)", estimates, truth, k)
    return best_place(Standings.of(estimates), Standings.of(truth), size)


def worst_ranking(estimates: ArrayLike, truth: ArrayLike, k: float) -> float:
    """Return WR@K, the worst true rank among the K best by estimate, divided by n.

    WR@K = max{r_i: n_i <= K} / n: how bad an architecture can be and still be taken for good. In [k/n, 1], the lower
    the better; guessing gets k (n + 1) / (k + 1) / n. Arguments, ties, errors and source are those of `best_ranking`.

    Example:
        >>> worst_ranking([5, 4, 3, 2, 1], [7, 8, 9, 6, 5], 2)
        0.6
    """
    estimates, truth, size = checked_top("worst_ranking(estimates, truth, k)", estimates, truth, k)
    return worst_place(Standings.of(estimates), Standings.of(truth), size)


def best_place(estimates: Standings, truth: Standings, size: int) -> float:
    """Return the expected best rank by truth among the first `size` by estimate, divided by n."""
    return _first_place(estimates, truth, size) / len(truth.above)


def worst_place(estimates: Standings, truth: Standings, size: int) -> float:
    """Return the expected worst rank by truth among the first `size` by estimate, divided by n."""
    n = len(truth.above)
    return (n + 1 - _first_place(estimates, truth.upside_down(), size)) / n


def _first_place(estimates: Standings, truth: Standings, size: int) -> float:
    """Expect the smallest rank by truth, over which of the edge are drawn and the order of those equal in truth.

    It is in the first group of equals from which one is picked. Of m picked out of t equals, the first is expected at
    place (t + 1) / (m + 1) of the group.
    """
    groups = _Groups.of(estimates, truth, size)
    numbers = np.minimum(groups.on_edge, groups.drawn) + 1
    of = np.repeat(np.arange(len(numbers)), numbers)
    from_edge = np.arange(len(of)) - np.repeat(numbers.cumsum() - numbers, numbers)
    picked = groups.inside[of] + from_edge
    possible = (picked > 0) & (groups.drawn - from_edge <= groups.later_on_edge[of])
    of, from_edge, picked = of[possible], from_edge[possible], picked[possible]
    log_chance = (
        _log_choices(groups.on_edge[of], from_edge)
        + _log_choices(groups.later_on_edge[of], groups.drawn - from_edge)
        - _log_choices(groups.on_edge_in_all, groups.drawn)
    )
    return float(np.dot(np.exp(log_chance), groups.above[of] + (groups.tied[of] + 1) / (picked + 1)))


class _Groups(NamedTuple):
    """The groups of equal truth from which the best pick may come, best first.

    Attributes:
        above: Shape (groups,). How many are better by truth.
        tied: Shape (groups,). How many are in the group.
        inside: Shape (groups,). How many of them are surely picked: none but in the last group.
        on_edge: Shape (groups,). How many of them may be picked.
        later_on_edge: Shape (groups,). How many of worse groups may be.
        on_edge_in_all: How many may be.
        drawn: How many of those are.
    """

    above: np.ndarray
    tied: np.ndarray
    inside: np.ndarray
    on_edge: np.ndarray
    later_on_edge: np.ndarray
    on_edge_in_all: int
    drawn: int

    @classmethod
    def of(cls, estimates: Standings, truth: Standings, size: int) -> _Groups:
        inside, edge, drawn = estimates.split_at(size)
        best_inside = truth.above[inside].min(initial=len(inside))
        reached = (inside | edge) & (truth.above <= best_inside)
        above, first, of_each = np.unique(truth.above[reached], return_index=True, return_inverse=True)
        in_group, on_edge = (np.bincount(of_each[kind[reached]], minlength=len(above)) for kind in (inside, edge))
        edges = int(edge.sum())
        return cls(above, truth.tied[reached][first], in_group, on_edge, edges - on_edge.cumsum(), edges, drawn)


def _log_choices(n: np.ndarray | int, k: np.ndarray | int) -> np.ndarray:
    """Return the logarithm of how many ways there are to pick k of n."""
    from scipy.special import gammaln

    return gammaln(np.add(n, 1)) - gammaln(np.add(k, 1)) - gammaln(np.subtract(n, k) + 1)
