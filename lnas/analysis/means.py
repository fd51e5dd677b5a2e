"""Means that are equal where they should be, in spite of how numbers are rounded."""

from __future__ import annotations

import numpy as np

_DIGITS = 12


def running_means(rows: np.ndarray) -> np.ndarray:
    """Return the mean of the first 1, 2, ... rows, so rounded that the order of what is added does not matter.

    Accuracies tie, and so do their means; but 0.1 + 0.2 and 0.3 + 0.0 differ as floats, and a rank correlation would
    take the rounding error for an order. Rounded to twelve digits of the largest.

    Args:
        rows: Finite, shape (m, n), m and n >= 1.

    Returns:
        Shape (m, n).

    Example:
        >>> running_means(np.array([[0.1, 0.3], [0.2, 0.0]])).tolist()
        [[0.1, 0.3], [0.15, 0.15]]
    """
    means = rows.cumsum(axis=0) / np.arange(1, len(rows) + 1)[:, None]
    largest = np.abs(rows).max()
    return means if not largest else np.round(means, _DIGITS - 1 - int(np.floor(np.log10(largest))))
