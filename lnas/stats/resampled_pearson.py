"""The linear correlation of many resamples at once, from how often each pair was drawn."""

from __future__ import annotations

import numpy as np


def resampled_pearson(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return `pearson_r` of each resample; NaN where one side is constant.

    Args:
        x: Finite numbers, shape (n,).
        y: Finite numbers, shape (n,).
        counts: How often each pair is in a resample, shape (resamples, n).

    Returns:
        Shape (resamples,).
    """
    one, other = (_standardized(values, counts) for values in (x, y))
    return np.clip((counts * one * other).sum(axis=1), -1, 1)


def _standardized(values: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Center each resample and scale it to length one, shape (resamples, n); what was not drawn is any number.

    One that was drawn is subtracted first, so that equal values leave exact zeros, and the largest difference divided
    by: beside a value of 1e20 that was not drawn, squares of the others would vanish.
    """
    scaled = values / (np.abs(values).max() or 1.0)
    drawn = counts > 0
    shifted = np.where(drawn, scaled - scaled[drawn.argmax(axis=1), None], 0.0)
    reach = np.abs(shifted).max(axis=1, keepdims=True)
    shifted /= np.where(reach > 0, reach, np.nan)
    centered = shifted - (counts * shifted).sum(axis=1, keepdims=True) / counts.sum(axis=1, keepdims=True)
    return centered / np.sqrt((counts * centered**2).sum(axis=1, keepdims=True))
