"""How far a statistic of paired values may be from that of all there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.errors import UsageError, complaint

_FEWEST = 2
_NUMBERS_AT_ONCE = 1 << 20

ResampledStatistic = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""From x (n,), y (n,) and counts (resamples, n), how often each pair was drawn, to a number for each resample."""


class Interval(NamedTuple):
    """The ends of a confidence interval; NaN where it is not defined."""

    low: float
    high: float


def bootstrap_interval(
    statistic: ResampledStatistic,
    x: ArrayLike,
    y: ArrayLike,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Return the percentile interval of a statistic over resamples of the pairs, drawn with replacement.

    A resample on which the statistic is not defined (NaN, such as a correlation with a constant) is left out; among
    few pairs there are some.

    Args:
        statistic: Such as `resampled_kendall`.
        x: Shape (n,), n >= 2.
        y: Shape (n,).
        resamples: How many, at least 1.
        level: Share of the resamples that the interval holds, 0 < level < 1.
        seed: Of the draws; the same pairs are drawn for the same seed and n.

    Raises:
        UsageError: If an argument is not as described.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, Ch. 13.

    Example:
        >>> bootstrap_interval(lambda x, y, counts: counts @ (y - x) / len(x), [1, 2, 3, 4], [2, 3, 4, 5])
        Interval(low=1.0, high=1.0)
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    call = "bootstrap_interval(statistic, x, y, ...)"
    if x.ndim != 1 or x.shape != y.shape or len(x) < _FEWEST:
        expected = f"two vectors of one length >= {_FEWEST}"
        raise UsageError(complaint(call, expected, (x.shape, y.shape), "Pair the values up."))
    if resamples < 1:
        raise UsageError(complaint(call, "resamples >= 1", resamples, "1,000 are usual."))
    if not 0 < level < 1:
        raise UsageError(complaint(call, "0 < level < 1", level, "0.95 is usual."))
    rng = np.random.default_rng(seed)
    at_once = max(1, _NUMBERS_AT_ONCE // len(x))
    sizes = [min(at_once, resamples - done) for done in range(0, resamples, at_once)]
    values = np.concatenate([statistic(x, y, _draw(len(x), size, rng)) for size in sizes])
    defined = values[~np.isnan(values)]
    if not len(defined):
        return Interval(np.nan, np.nan)
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def _draw(n: int, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Draw n of n with replacement, several times; count how often each came, shape (resamples, n)."""
    drawn = rng.integers(n, size=(resamples, n)) + n * np.arange(resamples)[:, None]
    return np.bincount(drawn.ravel(), minlength=resamples * n).reshape(resamples, n)
