"""How far apart two means are."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lnas.stats.intervals import Interval

_FEWEST = 2


def welch_interval(values: ArrayLike, others: ArrayLike, level: float = 0.95) -> Interval:
    """Return Welch's interval of the difference of two means, mean(values) - mean(others).

    Args:
        values: Shape (n,), independent draws.
        others: Shape (m,), independent of those.
        level: Share of such intervals that hold the true difference.

    Returns:
        The interval; NaN where either has fewer than two values. Where neither varies it is the difference itself.

    Source: Welch 1947, "The generalization of 'Student's' problem when several different population variances are
    involved".

    Example:
        >>> low, high = welch_interval([3.0, 4.0, 5.0], [1.0, 2.0, 3.0])
        >>> round(float(low), 2), round(float(high), 2)
        (-0.27, 4.27)
    """
    from scipy.stats import t  # a second to import

    values, others = np.asarray(values, dtype=float), np.asarray(others, dtype=float)
    if min(len(values), len(others)) < _FEWEST:
        return Interval(np.nan, np.nan)
    difference = float(values.mean() - others.mean())
    parts = [own.var(ddof=1) / len(own) for own in (values, others)]
    variance = sum(parts)
    if not variance:
        return Interval(difference, difference)
    shares = [part / variance for part in parts]  # of tiny variances, squares would be 0
    freedom = 1 / sum(share**2 / (len(own) - 1) for share, own in zip(shares, (values, others), strict=True))
    reach = float(t.ppf((1 + level) / 2, freedom) * np.sqrt(variance))
    return Interval(difference - reach, difference + reach)
