"""Kendall's tau among architectures of the same group only, fast for large groups."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from lnas.stats import kendall_tau


def kendall_within(x: ArrayLike, y: ArrayLike, groups: ArrayLike) -> float:
    """Return tau-b over the pairs of the same group only: the value of `lnas.analysis.tau.tau_within`.

    The concordant less the discordant pairs over the geometric mean of the pairs untied in either, each summed over the
    groups. In n log n steps, where an interval needs every pair.

    Args:
        x: Shape (n,), finite.
        y: Shape (n,), finite.
        groups: Shape (n,), equal for members of a group.

    Returns:
        In [-1, 1]; NaN where no pair of a group differs in x, or none in y.

    Example:
        >>> kendall_within([1, 2, 9, 8], [1, 2, 3, 4], [0, 0, 1, 1])
        0.0
        >>> kendall_within([1, 2, 3, 4, 5], [1, 2, 3, 5, 4], [0, 0, 1, 1, 1]).__round__(4)
        0.5
    """
    x, y, groups = np.asarray(x, dtype=float), np.asarray(y, dtype=float), np.asarray(groups)
    balance = untied_x = untied_y = 0.0
    for label in np.unique(groups):
        members = groups == label
        in_x, in_y = _untied_pairs(x[members]), _untied_pairs(y[members])
        untied_x, untied_y = untied_x + in_x, untied_y + in_y
        if in_x and in_y:
            balance += round(kendall_tau(x[members], y[members]) * math.sqrt(in_x * in_y))
    return balance / math.sqrt(untied_x * untied_y) if untied_x and untied_y else math.nan


def _untied_pairs(values: np.ndarray) -> int:
    sizes = np.unique(values, return_counts=True)[1]
    n = len(values)
    return (n * (n - 1) - int((sizes * (sizes - 1)).sum())) // 2
