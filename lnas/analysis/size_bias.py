"""How much of an estimator is the number of parameters, and what is left at the same number."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.analysis.compared import compared, require_differences
from lnas.analysis.kendall_within import kendall_within
from lnas.errors import UsageError, complaint
from lnas.stats import kendall_tau, spearman_r

By = Literal["kendall", "spearman"]

_CORRELATIONS = {"kendall": kendall_tau, "spearman": spearman_r}
_ROUNDING = 1e-12


class SizeBias(NamedTuple):
    """Rank correlations of estimates, truth and sizes, in [-1, 1].

    Attributes:
        compared: Over how many architectures.
        missing: How many had no finite estimate, and are left out.
        estimates_truth: Of estimates and truth.
        estimates_size: Of estimates and sizes.
        truth_size: Of truth and sizes.
        partial: Of estimates and truth given sizes; NaN where sizes order the one or the other in full.
        matched: Tau-b of estimates and truth over pairs of the same size only; NaN where no such pair differs in both.
        matched_archs: How many architectures share their size with another.
        matched_pairs: How many pairs of the same size there are.
    """

    compared: int
    missing: int
    estimates_truth: float
    estimates_size: float
    truth_size: float
    partial: float
    matched: float
    matched_archs: int
    matched_pairs: int


def size_bias(estimates: ArrayLike, truth: ArrayLike, sizes: ArrayLike, by: By = "kendall") -> SizeBias:
    """Correlate an estimator with size, and with the truth at equal size.

    Two answers to what is left: `partial` takes the linear part of size out of the correlations, and `matched` compares
    architectures of exactly one size only, which `tau_within` does with an interval, too.

    Args:
        estimates: Shape (n,), the higher the better. Those without a finite one are left out and counted.
        truth: Shape (n,), finite, the higher the better.
        sizes: Parameters or FLOPs, shape (n,), finite.
        by: "kendall" for tau-b, "spearman" for correlations of ranks, ties by average; `matched` is tau-b in both.

    Raises:
        UsageError: If an argument is not as described, fewer than two can be compared, or all estimates, truths or
            sizes are the same.

    Example:
        >>> found = size_bias([1, 2, 4, 3], [1, 2, 3, 4], [10, 10, 20, 20])
        >>> found.estimates_truth.__round__(4), found.matched, found.matched_pairs
        (0.6667, 0.0, 2)
    """
    call = "size_bias(estimates, truth, sizes, ...)"
    if by not in _CORRELATIONS:
        raise UsageError(complaint(call, 'by "kendall" or "spearman"', by, "Tau-b is usual."))
    found = compared(call, estimates, truth)
    sizes = np.asarray(sizes, dtype=float)
    if sizes.shape != (len(found.where) + found.missing,) or not np.isfinite(sizes).all():
        got = f"shape {sizes.shape}, {int((~np.isfinite(sizes)).sum())} not finite"
        raise UsageError(complaint(call, "a finite size of each architecture", got, "Leave out what has no size."))
    own = sizes[found.where]
    require_differences(call, "sizes", own)
    correlate = _CORRELATIONS[by]
    with_truth, with_size = correlate(found.estimates, found.truth), correlate(found.estimates, own)
    truth_size = correlate(found.truth, own)
    members = np.unique(own, return_counts=True)[1]
    return SizeBias(
        len(own),
        found.missing,
        with_truth,
        with_size,
        truth_size,
        partial_correlation(with_truth, with_size, truth_size),
        kendall_within(found.estimates, found.truth, own),
        int(members[members > 1].sum()),
        int((members * (members - 1) // 2).sum()),
    )


def partial_correlation(xy: float, xz: float, yz: float) -> float:
    """Return the correlation of x and y given z: (xy - xz yz) / sqrt((1 - xz^2) (1 - yz^2)).

    Of Pearson's or Spearman's it is the correlation of what is left of x and y, or of their ranks, after regression on
    z. Of Kendall's it is the same formula, which need not be 0 where x and y are independent given z.

    Args:
        xy: Of x and y, in [-1, 1]; so are the others.
        xz: Of x and z.
        yz: Of y and z.

    Returns:
        In [-1, 1]; NaN where z leaves nothing of x or of y.

    Source: Kendall 1942, "Partial Rank Correlation".

    Example:
        >>> partial_correlation(0.5, 0.6, 0.8).__round__(6)  # (0.5 - 0.48) / (0.8 * 0.6)
        0.041667
    """
    left = (1 - xz**2) * (1 - yz**2)
    return (xy - xz * yz) / math.sqrt(left) if left > _ROUNDING else math.nan
