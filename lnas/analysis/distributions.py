"""How scores are distributed, time after time: where they lie, how far they spread, how many are the same."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.errors import UsageError, complaint
from lnas.stats.standings import Standings

QUANTILES = (0.0, 0.25, 0.5, 0.75, 1.0)
_FEWEST = 2


class Distributions(NamedTuple):
    """The scores of n architectures at each of e times; NaN where too few are finite.

    Attributes:
        counts: How many are finite, shape (e,).
        mean: Of those, shape (e,).
        deviation: Their standard deviation, one less in the divisor, shape (e,).
        quantiles: Least, quartiles and greatest, shape (e, 5).
        distinct: How many different ones there are, shape (e,).
        tied: Share of the pairs of finite scores that are equal, in [0, 1], shape (e,).
    """

    counts: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray
    quantiles: np.ndarray
    distinct: np.ndarray
    tied: np.ndarray


class Histograms(NamedTuple):
    """Shares of the scores in b equal bins, which are the same at all e times.

    Attributes:
        edges: Ascending, shape (b + 1,).
        shares: Of the finite scores of each time, summing to 1, shape (e, b); NaN for none.
    """

    edges: np.ndarray
    shares: np.ndarray


def distributions(scores: ArrayLike) -> Distributions:
    """Describe the distribution of the scores of each time.

    Args:
        scores: Shape (e, n). Those that are not finite are left out.

    Raises:
        UsageError: If they are no such matrix.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Fig. 2: accuracies
    are more concentrated than losses.

    Example:
        >>> found = distributions([[0.25, 0.5, 0.5, 0.75]])
        >>> found.mean.tolist(), found.distinct.tolist(), found.tied.round(4).tolist()
        ([0.5], [3], [0.1667])
    """
    known = [row[np.isfinite(row)] for row in _matrix("distributions(scores)", scores)]
    nothing = np.full(len(QUANTILES), np.nan)
    return Distributions(
        np.array([len(row) for row in known]),
        np.array([row.mean() if len(row) else np.nan for row in known]),
        np.array([row.std(ddof=1) if len(row) >= _FEWEST else np.nan for row in known]),
        np.array([np.quantile(row, QUANTILES) if len(row) else nothing for row in known]),
        np.array([len(np.unique(row)) for row in known]),
        np.array([_share_of_ties(row) for row in known]),
    )


def histograms(scores: ArrayLike, bins: int = 20) -> Histograms:
    """Count the scores of each time in equal bins from the least to the greatest of all times.

    Args:
        scores: Shape (e, n), with a finite one. Others are left out.
        bins: At least 1.

    Raises:
        UsageError: If an argument is not as described.

    Example:
        >>> found = histograms([[0, 1, 1, 4], [4, 4, 3, 2]], bins=2)
        >>> found.edges.tolist(), found.shares.tolist()
        ([0.0, 2.0, 4.0], [[0.75, 0.25], [0.0, 1.0]])
    """
    call = f"histograms(scores, bins={bins})"
    rows = _matrix(call, scores)
    if bins < 1:
        raise UsageError(complaint(call, "bins >= 1", bins, "20 are usual."))
    finite = rows[np.isfinite(rows)]
    if not len(finite):
        raise UsageError(complaint(call, "at least one finite score", 0, "Leave the figure out."))
    edges = np.histogram_bin_edges(finite, bins)
    counts = np.array([np.histogram(row[np.isfinite(row)], edges)[0] for row in rows])
    with np.errstate(invalid="ignore"):
        return Histograms(edges, counts / counts.sum(axis=1, keepdims=True))


def _share_of_ties(values: np.ndarray) -> float:
    n = len(values)
    return float((Standings.of(values).tied - 1).sum() / (n * (n - 1))) if n >= _FEWEST else np.nan


def _matrix(call: str, scores: ArrayLike) -> np.ndarray:
    rows = np.asarray(scores, dtype=float)
    if rows.ndim != 2 or not rows.size:
        raise UsageError(complaint(call, "a matrix, one row of scores for each time", rows.shape, "Stack the rows."))
    return rows
