"""How high a rank expression places each of a pool of architectures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lnas.stats import rank_sum
from lnas.types import Trial


def merits(expression: str, trials: Sequence[Trial], directions: Mapping[str, bool]) -> np.ndarray:
    """Return a number for each trial, the higher the better: its sum of ranks among all of them, sign turned.

    Args:
        expression: As for `rank_sum`.
        trials: The pool, n >= 1.
        directions: Whether higher is better, of each measure.

    Returns:
        Shape (n,), NaN for a trial that lacks a number.
    """
    ranking = rank_sum(expression, trials, directions)
    return np.where(ranking.complete, -ranking.total, np.nan)
