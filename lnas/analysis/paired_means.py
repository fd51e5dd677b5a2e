"""How far apart the means of paired numbers are."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from lnas.errors import UsageError, complaint
from lnas.stats import Interval

_FEWEST = 2


def paired_mean_interval(values: ArrayLike, others: ArrayLike, level: float = 0.95) -> Interval:
    """Return Student's interval of the mean of values less their partners, mean(values - others).

    Args:
        values: Shape (n,), finite.
        others: Shape (n,), finite, each the partner of the value in its place, such as of the same seed.
        level: Share of such intervals that hold the true difference.

    Returns:
        The interval; NaN for fewer than two pairs. Where all differences are the same it is that difference.

    Raises:
        UsageError: If lengths differ.

    Source: Student 1908, "The probable error of a mean".

    Example:
        >>> low, high = paired_mean_interval([3.0, 4.0, 5.0], [1.0, 3.0, 2.0])
        >>> round(low, 2), round(high, 2)
        (-0.48, 4.48)
    """
    from scipy.stats import t  # a second to import

    values, others = np.asarray(values, dtype=float), np.asarray(others, dtype=float)
    if values.ndim != 1 or values.shape != others.shape:
        call = "paired_mean_interval(values, others)"
        raise UsageError(complaint(call, "two vectors of one length", (values.shape, others.shape), "Pair them up."))
    if len(values) < _FEWEST:
        return Interval(math.nan, math.nan)
    gaps = values - others
    mean = float(gaps.mean())
    reach = float(t.ppf((1 + level) / 2, len(gaps) - 1) * gaps.std(ddof=1) / math.sqrt(len(gaps)))
    return Interval(mean - reach, mean + reach)
