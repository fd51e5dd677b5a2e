"""Means over rows that belong together."""

from __future__ import annotations

import numpy as np


def group_means(values: np.ndarray, group: np.ndarray, groups: int) -> np.ndarray:
    """Return the mean of each group's values, shape (groups, ...); NaN is left out, and stands where nothing is left.

    Args:
        values: Numbers, shape (rows, ...).
        group: Which group each row belongs to, shape (rows,).
        groups: How many there are.
    """
    known = ~np.isnan(values)
    sums, counts = np.zeros((2, groups, *values.shape[1:]))
    np.add.at(sums, group, np.where(known, values, 0.0))
    np.add.at(counts, group, known)
    with np.errstate(invalid="ignore"):
        return sums / counts
