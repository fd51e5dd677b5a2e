"""Why a correlation has no number."""

from __future__ import annotations

import numpy as np

_FEWEST = 2


def why_undefined(estimates: np.ndarray, truth: np.ndarray) -> str:
    """Say why estimates cannot be compared with a truth; nothing where they can.

    Args:
        estimates: Shape (n,).
        truth: Shape (n,), finite.

    Example:
        >>> why_undefined(np.array([1.0, 1.0, np.nan]), np.array([70.0, 80.0, 90.0]))
        'the same for all 2 that have a number'
        >>> why_undefined(np.array([1.0, 2.0]), np.array([70.0, 80.0]))
        ''
    """
    known = np.isfinite(estimates)
    count = int(known.sum())
    if count < _FEWEST:
        return f"{count} of {len(truth):,} have a number"
    if len(np.unique(estimates[known])) < _FEWEST:
        return f"the same for all {count:,} that have a number"
    if len(np.unique(truth[known])) < _FEWEST:
        return "all have the same accuracy"
    return ""
