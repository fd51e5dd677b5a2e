"""Bias by complexity: over- and underestimation of small and of large architectures, and ranking among alike ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.analysis.rank_differences import rank_differences
from lnas.errors import UsageError, complaint
from lnas.stats import kendall_tau
from lnas.stats.standings import Standings

_FEWEST = 2


class ComplexityGroups(NamedTuple):
    """Architectures in g groups, the smallest first.

    Attributes:
        of_each: Group of each architecture, 0 .. g - 1, shape (n,).
        counts: Architectures in each, shape (g,).
        smallest: Least size in each, shape (g,); NaN for a group left empty.
        largest: Greatest size in each, shape (g,); NaN for a group left empty.
    """

    of_each: np.ndarray
    counts: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray


class ComplexityBias(NamedTuple):
    """What an estimator makes of g groups of architectures.

    Attributes:
        counts: Architectures of each group with a finite estimate, shape (g,).
        missing: Those without, shape (g,).
        mean: Mean rank difference, positive where the group is overestimated, shape (g,); NaN for none.
        deviation: Standard deviation of the rank difference, n - 1 in the divisor, shape (g,); NaN for fewer than two.
        tau: Kendall's tau-b inside the group, shape (g,); NaN for fewer than two, or where one side is constant.
    """

    counts: np.ndarray
    missing: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    tau: np.ndarray


def complexity_groups(sizes: ArrayLike, groups: int = 5) -> ComplexityGroups:
    """Group architectures by size, as many in each; equal sizes stay together.

    Sorted by size, the groups are equal parts of the line, and all of one size go where the middle of their stretch
    lies. Without ties counts differ by one at most; where many tie they differ more, and a group can be left empty.

    Args:
        sizes: Parameters or FLOPs, shape (n,), finite.
        groups: How many, at least 1 and no more than there are different sizes.

    Raises:
        UsageError: If an argument is not as described.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Fig. 5: five groups
    by FLOPs.

    Example:
        >>> complexity_groups([30, 10, 20, 20, 40, 50], groups=3).of_each.tolist()
        [1, 0, 1, 1, 2, 2]
    """
    call = f"complexity_groups(sizes, groups={groups})"
    sizes = np.asarray(sizes, dtype=float)
    if sizes.ndim != 1 or not np.isfinite(sizes).all():
        got = f"shape {sizes.shape}, {int((~np.isfinite(sizes)).sum())} not finite"
        raise UsageError(complaint(call, "a vector of finite sizes", got, "Leave out what has no size."))
    different = len(np.unique(sizes))
    if not 1 <= groups <= different:
        step = "Ask for fewer groups." if groups > 1 else "5 are usual."
        raise UsageError(complaint(call, f"groups in 1..{different}, the number of different sizes", groups, step))
    ascending = Standings.of(-sizes)
    of_each = groups * (2 * ascending.above + ascending.tied) // (2 * len(sizes))
    parts = [sizes[of_each == group] for group in range(groups)]
    ends = np.array([(part.min(), part.max()) if len(part) else (np.nan, np.nan) for part in parts])
    return ComplexityGroups(of_each, np.array([len(part) for part in parts]), *ends.T)


def complexity_bias(estimates: ArrayLike, truth: ArrayLike, groups: ComplexityGroups) -> ComplexityBias:
    """Average rank differences over each complexity group, and correlate inside it.

    Ranks are among all architectures with a finite estimate, not among those of the group; others are left out and
    counted. Ties by average rank.

    Args:
        estimates: Shape (n,), the higher the better.
        truth: Shape (n,), finite, the higher the better.
        groups: Of the same architectures.

    Raises:
        UsageError: If `rank_differences` does, or the groups are of another number of architectures.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 5.1, Fig. 5.

    Example:
        >>> groups = complexity_groups([1, 2, 3, 4], groups=2)
        >>> found = complexity_bias([40, 30, 20, 10], [60, 70, 80, 90], groups)
        >>> found.mean.tolist(), found.tau.tolist()
        ([2.0, -2.0], [-1.0, -1.0])
    """
    differences = rank_differences(estimates, truth)
    estimates, truth = np.asarray(estimates, dtype=float), np.asarray(truth, dtype=float)
    if len(groups.of_each) != len(truth):
        call, expected = "complexity_bias(estimates, truth, groups)", f"groups of {len(truth)} architectures"
        raise UsageError(complaint(call, expected, len(groups.of_each), "Group the same architectures."))
    inside = [np.flatnonzero((groups.of_each == group) & ~np.isnan(differences)) for group in range(len(groups.counts))]
    counts = np.array([len(members) for members in inside])
    return ComplexityBias(
        counts,
        groups.counts - counts,
        np.array([differences[members].mean() if len(members) else np.nan for members in inside]),
        np.array([differences[members].std(ddof=1) if len(members) >= _FEWEST else np.nan for members in inside]),
        np.array(
            [
                kendall_tau(estimates[members], truth[members]) if len(members) >= _FEWEST else np.nan
                for members in inside
            ]
        ),
    )
