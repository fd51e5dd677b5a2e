"""Where numbers stand among all: a height that any measure can be read on."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lnas.stats.standings import Standings


def share_beaten(merits: ArrayLike) -> np.ndarray:
    """Return how many percent of the others each number is above, a tie counting half.

    Args:
        merits: The higher the better, shape (n,). What is not finite has no share, and is none of the others.

    Returns:
        Shape (n,), in [0, 100]; NaN where a number is not finite, and where there are no others.

    Example:
        >>> share_beaten([3.0, 1.0, float("nan"), 2.0, 2.0]).round(1).tolist()
        [100.0, 0.0, nan, 50.0, 50.0]
    """
    values = np.asarray(merits, dtype=float)
    known = np.isfinite(values)
    count = int(known.sum())
    shares = np.full(values.shape, np.nan)
    if count > 1:
        shares[known] = 100 * (count - Standings.of(values[known]).average_ranks()) / (count - 1)
    return shares
