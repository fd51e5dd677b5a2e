"""P@topK and P@bottomK: how much of what an estimator picks is what the truth would pick."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from lnas.stats.standings import Standings, checked_top


def precision_at_top(estimates: ArrayLike, truth: ArrayLike, k: float) -> float:
    """Return P@topK, the share of the K best by estimate that are among the K best by truth.

    P@topK = #{i: r_i <= K and n_i <= K} / K, with ranks r_i by truth and n_i by estimate, 1 the best.

    Args:
        estimates: Shape (n,), the higher the better. What is not finite ranks below all that is, and is tied.
        truth: Shape (n,), finite, the higher the better.
        k: A count in 1..n if an int, a ratio in (0, 1] of n, rounded down, if a float: 1 is one, 1.0 all.

    Returns:
        A number in [0, 1], the higher the better; k / n is what guessing gets. Ties on either side are ordered at
        random, independently, and this is the expectation; so estimates equal to the truth have 1 unless a tie is cut.

    Raises:
        UsageError: If an argument is not as described, or the ratio is less than one of n.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 3. Its code
    breaks ties by the order given. For ties see McSherry and Najork 2008, "Computing Information Retrieval Performance
    Measures Efficiently in the Presence of Tied Scores".

    Example:
        >>> precision_at_top([4, 3, 2, 1], [9, 1, 8, 2], 2)
        0.5
        >>> precision_at_top([4, 3, 3, 1], [9, 1, 8, 2], 2)  # one of the two tied is drawn
        0.75
    """
    estimates, truth, size = checked_top("precision_at_top(estimates, truth, k)", estimates, truth, k)
    return precision(Standings.of(estimates), Standings.of(truth), size)


def precision_at_bottom(estimates: ArrayLike, truth: ArrayLike, k: float) -> float:
    """Return P@bottomK, the share of the K worst by estimate that are among the K worst by truth.

    P@bottomK = #{i: r_i > n - K and n_i > n - K} / K. Arguments, range, direction, ties, errors and source are those of
    `precision_at_top`; estimates that are not finite are the first to be among the worst.

    Example:
        >>> precision_at_bottom([4, 3, 2, 1], [9, 8, 1, 2], 1)
        0.0
        >>> precision_at_bottom([4, 3, 2, 1], [9, 8, 1, 2], 2)
        1.0
    """
    estimates, truth, size = checked_top("precision_at_bottom(estimates, truth, k)", estimates, truth, k)
    return precision(Standings.of(estimates).upside_down(), Standings.of(truth).upside_down(), size)


def precision(estimates: Standings, truth: Standings, size: int) -> float:
    """Return the expected share of the first `size` by one that are among the first by the other."""
    return float(np.dot(estimates.chance_of_top(size), truth.chance_of_top(size))) / size
