"""How far an estimator over- or underestimates each architecture, in ranks."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lnas.analysis.compared import compared
from lnas.stats.standings import Standings


def rank_differences(estimates: ArrayLike, truth: ArrayLike) -> np.ndarray:
    """Return the true rank less the estimated one, rank 1 being the best: positive where overestimated.

    Ranks are among all architectures with a finite estimate, ties by average, so that the differences sum to zero.

    Args:
        estimates: Shape (n,), the higher the better.
        truth: Shape (n,), finite, the higher the better.

    Returns:
        Shape (n,), in ranks, -(n - 1) .. n - 1; NaN where there is no finite estimate.

    Raises:
        UsageError: If shapes differ, the truth is not finite, or fewer than two architectures, or none that differ,
            can be compared.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 5.1: RD.

    Example:
        >>> rank_differences([9, 8, 8, None], [70, 90, 80, 60]).tolist()
        [2.0, -1.5, -0.5, nan]
    """
    found = compared("rank_differences(estimates, truth)", estimates, truth)
    differences = np.full(len(found.where) + found.missing, np.nan)
    estimated, true = Standings.of(found.estimates), Standings.of(found.truth)
    differences[found.where] = true.average_ranks() - estimated.average_ranks()
    return differences
