"""What putting one operation in another's place does to a measure, or to the accuracy, on the average."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.analysis.operation_changes import Change, OperationChanges
from lnas.errors import UsageError, complaint, unknown_name
from lnas.stats import Interval, bootstrap_interval

_FEWEST = 2


class MeanChanges(NamedTuple):
    """How much a measure changes by r changes of an operation.

    Attributes:
        changes: The r changes; each of them, and its reverse, is one.
        pairs: In how many pairs both architectures have a finite number, shape (r,).
        missing: In how many one has not, shape (r,).
        families: How many parts the pairs fall into that have no architecture in common, shape (r,).
        mean: Of the number after less the number before, shape (r,); NaN where there is no pair.
        low: Lower end of the 95 % interval of the mean, shape (r,); NaN where there are fewer than two families.
        high: Its upper end, shape (r,).
    """

    changes: list[Change]
    pairs: np.ndarray
    missing: np.ndarray
    families: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray


class _MeanChange(NamedTuple):
    """A row of `MeanChanges` but for what is missing."""

    pairs: int
    families: int
    mean: float
    interval: Interval


def mean_changes(changes: OperationChanges, values: ArrayLike) -> MeanChanges:
    """Average for every change of one operation how much a measure rises.

    The interval is a bootstrap's over families of pairs: a cell with two `none` is in two pairs, which are not
    independent; what shares an architecture, directly or through others, is drawn together.

    Args:
        changes: Of n architectures.
        values: Of a measure, or the accuracy, shape (n,). Pairs with one that is not finite are left out and counted.
            Of what spans orders of magnitude, such as a condition number, give the logarithm: few decide its mean.

    Returns:
        Two rows for each change: as given, and its reverse.

    Raises:
        UsageError: If there is not one value for each architecture, or no pair has two finite ones.

    Source: the question is that of Chen et al. 2021 (TEG-NAS), Fig. 3, which shows one cell. Bootstrap of families:
    Field and Welsh 2007, "Bootstrapping clustered data".

    Example:
        >>> from lnas.analysis.operation_changes import operation_changes
        >>> from lnas.spaces import NatsSizeSpace
        >>> space = NatsSizeSpace()
        >>> archs = [space.parse(text) for text in ("8:8:8:8:8", "8:24:8:8:8", "8:8:8:8:64", "8:24:8:8:64")]
        >>> found = from_source(mean_changes(operation_changes(archs, space), [70.0, 71.0, 80.0, 83.0]), "8")
        >>> [change.target for change in found.changes], found.mean.tolist(), found.pairs.tolist()
        (['24', '64'], [2.0, 11.0], [2, 2])
    """
    values = np.asarray(values, dtype=float)
    call = "mean_changes(changes, values)"
    if values.shape != (changes.archs,):
        expected = f"a vector of {changes.archs} values"
        raise UsageError(complaint(call, expected, values.shape, "Find the changes of the same architectures."))
    finite = np.isfinite(values)
    known = finite[changes.first] & finite[changes.second]
    if not known.any():
        expected, got = "a pair with two finite values", f"none of {len(known)} pairs"
        raise UsageError(complaint(call, expected, got, "Measure more architectures."))
    of_each = np.where(known, changes.of_each, -1)
    places = [np.flatnonzero(of_each == number) for number in range(len(changes.changes))]
    rows = [_mean_change(changes.first[own], changes.second[own], values) for own in places]
    pairs, families, mean, intervals = (np.array(column) for column in zip(*rows, strict=True))
    missing = np.bincount(changes.of_each, minlength=len(rows)) - pairs
    low, high = intervals.T
    back = [Change(change.decision, change.target, change.source) for change in changes.changes]
    return MeanChanges(
        [*changes.changes, *back],
        np.tile(pairs, 2),
        np.tile(missing, 2),
        np.tile(families, 2),
        np.concatenate([mean, -mean]),
        np.concatenate([low, -high]),
        np.concatenate([high, -low]),
    )


def changes_of(changes: OperationChanges, operation: str) -> OperationChanges:
    """Keep the pairs in which one operation is put in another's place, or another in its.

    Raises:
        UsageError: If there are none.
    """
    wanted = [number for number, change in enumerate(changes.changes) if operation in (change.source, change.target)]
    if not wanted:
        known = {name for change in changes.changes for name in (change.source, change.target)}
        raise UsageError(f"changes_of(changes, {operation!r}): {unknown_name('operation', operation, known)}")
    kept = np.isin(changes.of_each, wanted)
    return OperationChanges(
        changes.archs,
        [changes.changes[number] for number in wanted],
        changes.first[kept],
        changes.second[kept],
        np.searchsorted(wanted, changes.of_each[kept]),
    )


def from_source(found: MeanChanges, source: str) -> MeanChanges:
    """Keep what takes the place of one operation, such as of `none`.

    Raises:
        UsageError: If that is never replaced.
    """
    rows = [row for row, change in enumerate(found.changes) if change.source == source]
    if not rows:
        known = {change.source for change in found.changes}
        raise UsageError(f"from_source(found, {source!r}): {unknown_name('operation', source, known)}")
    return MeanChanges([found.changes[row] for row in rows], *(column[rows] for column in found[1:]))


def _mean_change(first: np.ndarray, second: np.ndarray, values: np.ndarray) -> _MeanChange:
    """Average the change of n values over the pairs of one change, in families."""
    if not len(first):
        return _MeanChange(0, 0, np.nan, Interval(np.nan, np.nan))
    rises = values[second] - values[first]
    family = _families(first, second, len(values))
    sums, sizes = np.bincount(family, weights=rises), np.bincount(family)
    enough = len(sizes) >= _FEWEST
    interval = bootstrap_interval(_ratio_of_sums, sums, sizes) if enough else Interval(np.nan, np.nan)
    return _MeanChange(len(first), len(sizes), float(rises.mean()), interval)


def _families(first: np.ndarray, second: np.ndarray, archs: int) -> np.ndarray:
    """Number the pairs from 0, so that those with an architecture in common have one number."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(first)), (first, second)), shape=(archs, archs))
    _, of_arch = connected_components(graph, directed=False)
    return np.unique(of_arch[first], return_inverse=True)[1]


def _ratio_of_sums(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return (counts @ x) / (counts @ y)
