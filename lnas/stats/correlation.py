"""Rank correlations between estimates and truth. SciPy, a second to import, comes in on first use."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from lnas.errors import UsageError, complaint


def kendall_tau(x: ArrayLike, y: ArrayLike, variant: Literal["a", "b"] = "b") -> float:
    """Return Kendall's rank correlation of two vectors of length n >= 2.

    Args:
        x: Finite numbers, shape (n,).
        y: Finite numbers, shape (n,).
        variant: "b" corrects for ties; "a" divides by n(n-1)/2 whatever the ties, as the formula of
            "Evaluating Efficient Performance Estimators" does.

    Returns:
        A number in [-1, 1]; NaN for "b" where one side is constant.

    Example:
        >>> round(kendall_tau([1, 2, 3, 4], [1, 2, 4, 3]), 6)
        0.666667
    """
    import scipy.stats

    x, y = _checked("kendall_tau", x, y)
    tau_b = float(scipy.stats.kendalltau(x, y, variant="b").statistic)
    if variant == "b":
        return tau_b
    pairs = len(x) * (len(x) - 1) / 2
    untied = [pairs - sum(m * (m - 1) / 2 for m in np.unique(v, return_counts=True)[1]) for v in (x, y)]
    return 0.0 if 0 in untied else tau_b * float(np.sqrt(untied[0] * untied[1])) / pairs


def spearman_r(x: ArrayLike, y: ArrayLike) -> float:
    """Return Spearman's rank correlation, ties by average rank; NaN where one side is constant.

    Example:
        >>> round(spearman_r([1, 2, 3, 4], [1, 2, 4, 3]), 6)
        0.8
    """
    import scipy.stats

    x, y = _checked("spearman_r", x, y)
    return pearson_r(scipy.stats.rankdata(x), scipy.stats.rankdata(y))


def pearson_r(x: ArrayLike, y: ArrayLike) -> float:
    """Return the linear correlation; NaN where one side is constant.

    Example:
        >>> pearson_r([1, 2, 3], [2, 4, 6])
        1.0
    """
    x, y = _checked("pearson_r", x, y)
    if x.min() == x.max() or y.min() == y.max():
        return float("nan")
    return float(np.clip(np.dot(_standardized(x), _standardized(y)), -1, 1))


def _standardized(values: np.ndarray) -> np.ndarray:
    """Center and scale to length one, by the largest first: squares of 1e200 overflow, those of 1e-170 vanish."""
    scaled = values / np.abs(values).max()
    centered = scaled - scaled.mean()
    centered = centered / np.abs(centered).max()
    return centered / np.linalg.norm(centered)


def _checked(name: str, x: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise UsageError(
            complaint(f"{name}(x, y)", "two vectors of one length >= 2", (x.shape, y.shape), "Pair the values up.")
        )
    bad = int((~np.isfinite(x) | ~np.isfinite(y)).sum())
    if bad:
        raise UsageError(complaint(f"{name}(x, y)", "finite values", f"{bad} non-finite", "Drop and count them first."))
    return x, y
