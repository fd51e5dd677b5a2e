"""The majority of several measures, pair by pair."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

from lnas.errors import UsageError, complaint

_PAIRS_AT_ONCE = 1 << 20


def vote(scores: ArrayLike, higher_is_better: Sequence[bool]) -> np.ndarray:
    """Count for each candidate how many others it beats, less how many beat it: its Copeland score.

    One beats another if more measures prefer it. A measure that gives both the same abstains; where as many prefer the
    one as the other, neither wins, which two measures that disagree always come to. What is not finite is worse than
    every number and equal to whatever else is not finite.

    Released code sorts by the comparison of pairs instead. Majorities can go in circles (a beats b beats c beats a),
    and what a sort makes of them depends on the order given; the Copeland score does not.

    Args:
        scores: Shape (m, n): m measures of n candidates.
        higher_is_better: Direction of each measure.

    Returns:
        int64, shape (n,), in -(n-1) .. n-1, the higher the better. For one measure it ranks as that measure does.

    Raises:
        UsageError: If the scores are no matrix with a direction for each of at least one row.

    Example:
        >>> vote([[1, 2, 3], [2, 1, 3], [1, 3, 2]], [True, True, True]).tolist()
        [-2, 0, 2]
    """
    ranks = _ranks("vote(scores, higher_is_better)", scores, higher_is_better)
    return np.concatenate([_surplus(won) for _, won in _majorities(ranks)])


def pairwise_agreement(scores: ArrayLike, truth: ArrayLike, higher_is_better: Sequence[bool]) -> float:
    """Return the share of pairs that the majority orders as the truth does, as Zero-Cost NAS reports its vote.

    This is no rank correlation: chance gives 1/2. The number on the scale of Kendall's is 2p - 1, so that the published
    0.817 / 0.832 / 0.813 stand for about 0.634 / 0.665 / 0.626.

    Args:
        scores: Shape (m, n): m measures of n candidates.
        truth: Shape (n,), finite, the higher the better. Pairs that are equal in it do not count.
        higher_is_better: Direction of each measure.

    Returns:
        A share in [0, 1]; a pair without a majority counts half.

    Raises:
        UsageError: If shapes do not fit, or the truth is not finite or all the same.

    Source: SamsungLabs/zero-cost-nas, `notebooks/nasbench201_correlations.ipynb`, over ordered pairs. There a measure
    that gives both the same does not abstain but prefers whichever comes second, so that results can differ where a
    measure has ties.

    Example:
        >>> pairwise_agreement([[1, 2, 3]], [1, 3, 2], [True])
        0.6666666666666666
    """
    call = "pairwise_agreement(scores, truth, higher_is_better)"
    ranks, truth = _ranks(call, scores, higher_is_better), np.asarray(truth, dtype=float)
    if truth.shape != ranks.shape[1:]:
        raise UsageError(complaint(call, f"truth of shape {ranks.shape[1:]}", truth.shape, "One for each column."))
    if not np.isfinite(truth).all():
        raise UsageError(complaint(call, "a finite truth", f"{(~np.isfinite(truth)).sum()} others", "Drop them first."))
    agreed = opposed = pairs = 0
    for rows, won in _majorities(ranks):
        better = truth[rows, None] > truth
        agreed += int(np.count_nonzero(better & (won > 0)))
        opposed += int(np.count_nonzero(better & (won < 0)))
        pairs += int(np.count_nonzero(better))
    if not pairs:
        raise UsageError(complaint(call, "a truth that differs somewhere", truth.tolist(), "It orders no pair."))
    return (1 + (agreed - opposed) / pairs) / 2


def _majorities(ranks: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield some rows at a time of a matrix that is positive where the row beats the column, negative where beaten."""
    n = ranks.shape[1]
    step = max(1, _PAIRS_AT_ONCE // n)
    for start in range(0, n, step):
        rows = slice(start, start + step)
        balance = np.zeros((len(ranks[0, rows]), n), np.min_scalar_type(-len(ranks) - 1))
        for own in ranks:
            balance += own[rows, None] > own
            balance -= own[rows, None] < own
        yield rows, balance


def _surplus(won: np.ndarray) -> np.ndarray:
    return np.count_nonzero(won > 0, axis=1) - np.count_nonzero(won < 0, axis=1)


def _ranks(call: str, scores: ArrayLike, higher_is_better: Sequence[bool]) -> np.ndarray:
    """Replace scores by small integers of the same order, the higher the better, and what is not finite by -1."""
    matrix = np.asarray(scores, dtype=float)
    if matrix.ndim != 2 or not matrix.size or len(matrix) != len(higher_is_better):
        expected = f"scores of shape (m, n) with m = {len(higher_is_better)} directions"
        raise UsageError(complaint(call, expected, matrix.shape, "One row and one direction per measure."))
    signs = np.where(higher_is_better, 1.0, -1.0)
    return np.stack([_places(row) for row in matrix * signs[:, None]])


def _places(values: np.ndarray) -> np.ndarray:
    finite = np.isfinite(values)
    places = np.full(len(values), -1, dtype=np.int32)
    places[finite] = np.unique(values[finite], return_inverse=True)[1]
    return places
