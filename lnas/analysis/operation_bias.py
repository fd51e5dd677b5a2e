"""Bias by operation: how often an estimate rises where one operation takes another's place, and how often the truth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.analysis.compared import compared
from lnas.analysis.operation_changes import Change, OperationChanges
from lnas.errors import UsageError, complaint

ANY = "any other"
"""What `by_target` calls the choices before."""


class OperationBias(NamedTuple):
    """What r changes of an operation do to the truth and to an estimate.

    Attributes:
        changes: The r changes; each of them, and its reverse, is one.
        pairs: In how many pairs both architectures have a finite estimate, shape (r,).
        missing: In how many one has not, shape (r,).
        truth_rises: Share of the pairs in which the truth is higher after the change, in [0, 1], shape (r,); NaN for
            none. What is equal does not rise, so that a change and its reverse sum to less than 1 where there are ties.
        estimate_rises: Share in which the estimate is higher, shape (r,).
        truth_ties: Share in which the truth is equal, shape (r,).
        estimate_ties: Share in which the estimate is equal, shape (r,).
    """

    changes: list[Change]
    pairs: np.ndarray
    missing: np.ndarray
    truth_rises: np.ndarray
    estimate_rises: np.ndarray
    truth_ties: np.ndarray
    estimate_ties: np.ndarray

    @property
    def excess(self) -> np.ndarray:
        """Share of rises by estimate less that by truth, a tie counting half, in [-1, 1], shape (r,).

        Positive where the estimator overestimates what the change is worth; of the reverse it is the negative.
        """
        return self.estimate_rises - self.truth_rises + (self.estimate_ties - self.truth_ties) / 2


def operation_bias(
    changes: OperationChanges, estimates: ArrayLike, truth: ArrayLike, within: ArrayLike | None = None
) -> OperationBias:
    """Count for every change of one operation the pairs in which truth and estimate rise.

    Args:
        changes: Of n architectures.
        estimates: Shape (n,), the higher the better. Pairs with one that is not finite are left out and counted.
        truth: Shape (n,), finite, the higher the better.
        within: Shape (n,), bools. Only pairs with both architectures among these count, such as those of the largest
            complexity group.

    Returns:
        Two rows for each change: as given, and its reverse.

    Raises:
        UsageError: If shapes do not fit, the truth is not finite, or all estimates or truths are the same.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 5.1.

    Example:
        >>> from lnas.analysis.operation_changes import operation_changes
        >>> from lnas.spaces import NatsSizeSpace
        >>> space = NatsSizeSpace()
        >>> changes = operation_changes([space.parse("8:8:8:8:8"), space.parse("8:24:8:8:8")], space)
        >>> found = operation_bias(changes, [1.0, 2.0], [90.0, 80.0])
        >>> found.changes[0], found.estimate_rises.tolist(), found.truth_rises.tolist()
        (Change(decision='width', source='8', target='24'), [1.0, 0.0], [0.0, 1.0])
    """
    call = "operation_bias(changes, estimates, truth, ...)"
    compared(call, estimates, truth)
    estimates, truth = np.asarray(estimates, dtype=float), np.asarray(truth, dtype=float)
    among = np.ones(len(truth), dtype=bool) if within is None else np.asarray(within)
    if changes.archs != len(truth) or among.shape != truth.shape or among.dtype != np.bool_:
        expected = f"estimates, truth and a mask `within` of {changes.archs} architectures"
        got = (len(truth), among.dtype.name, among.shape)
        raise UsageError(complaint(call, expected, got, "Find the changes of the same architectures."))
    asked = among[changes.first] & among[changes.second]
    known = asked & np.isfinite(estimates)[changes.first] & np.isfinite(estimates)[changes.second]
    first, second, of_each = changes.first[known], changes.second[known], changes.of_each[known]
    m = len(changes.changes)
    pairs = np.bincount(of_each, minlength=m)
    missing = np.bincount(changes.of_each[asked], minlength=m) - pairs

    def share(of_pair: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.bincount(of_each[of_pair], minlength=m) / pairs

    def both_ways(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return (
            share(values[second] > values[first]),
            share(values[second] < values[first]),
            share(values[second] == values[first]),
        )

    truth_rises, truth_falls, truth_ties = both_ways(truth)
    estimate_rises, estimate_falls, estimate_ties = both_ways(estimates)
    back = [Change(change.decision, change.target, change.source) for change in changes.changes]
    return OperationBias(
        [*changes.changes, *back],
        np.tile(pairs, 2),
        np.tile(missing, 2),
        np.concatenate([truth_rises, truth_falls]),
        np.concatenate([estimate_rises, estimate_falls]),
        np.tile(truth_ties, 2),
        np.tile(estimate_ties, 2),
    )


def by_target(bias: OperationBias) -> OperationBias:
    """Sum over what was there before: one row for each choice that is put in the place of any other.

    Its `excess` says in one number whether an estimator over- or underestimates the choice.

    Example:
        >>> one = Change("edge", "skip", "pool"), Change("edge", "conv", "pool")
        >>> shares = [np.array(values) for values in ([0.5, 1.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0])]
        >>> by_target(OperationBias([*one], np.array([2, 6]), np.array([0, 0]), *shares)).truth_rises.tolist()
        [0.875]
    """
    targets = list(dict.fromkeys((change.decision, change.target) for change in bias.changes))
    of_each = np.array([targets.index((change.decision, change.target)) for change in bias.changes], dtype=int)

    def total(values: np.ndarray) -> np.ndarray:
        return np.bincount(of_each, weights=values, minlength=len(targets))

    pairs = total(bias.pairs)
    with np.errstate(invalid="ignore"):
        shares = [total(np.where(bias.pairs > 0, share, 0) * bias.pairs) / pairs for share in bias[3:]]
    changes = [Change(decision, ANY, target) for decision, target in targets]
    return OperationBias(changes, pairs.astype(int), total(bias.missing).astype(int), *shares)
