"""Which architectures an estimator can be compared on: those of which it has a finite estimate."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.errors import UsageError, complaint
from lnas.stats.standings import checked_pair

_FEWEST = 2


class Compared(NamedTuple):
    """The architectures that have an estimate.

    Attributes:
        where: Their places among all that were given, ascending, shape (c,).
        estimates: Finite, shape (c,).
        truth: Finite, shape (c,).
        missing: How many had no finite estimate.
    """

    where: np.ndarray
    estimates: np.ndarray
    truth: np.ndarray
    missing: int


def compared(call: str, estimates: ArrayLike, truth: ArrayLike) -> Compared:
    """Leave out the architectures without a finite estimate, and count them.

    Args:
        call: The call to blame in errors.
        estimates: Shape (n,).
        truth: Shape (n,), finite.

    Raises:
        UsageError: If shapes differ, the truth is not finite, fewer than two have an estimate, or those that do have
            all the same estimate or truth: nothing is ranked then.
    """
    estimates, truth = checked_pair(call, estimates, truth)
    known = np.isfinite(estimates)
    found = Compared(np.flatnonzero(known), estimates[known], truth[known], int((~known).sum()))
    if len(found.where) < _FEWEST:
        got = f"{len(found.where)} of {len(truth)}"
        raise UsageError(complaint(call, f"at least {_FEWEST} finite estimates", got, "One alone has no rank."))
    require_differences(call, "estimates", found.estimates)
    require_differences(call, "truth", found.truth)
    return found


def require_differences(call: str, what: str, values: np.ndarray) -> None:
    """Raise `UsageError` if all values are the same."""
    if values.min() == values.max():
        expected, step = f"{what} that differ", "What is the same for all ranks none."
        raise UsageError(complaint(call, expected, f"{values[0]:g} for all {len(values)}", step))


def known_in_all(call: str, rows: ArrayLike, truth: ArrayLike | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return a matrix of estimates and which architectures, of its columns, have a finite one in every row.

    Args:
        call: The call to blame in errors.
        rows: Shape (m, n), m >= 1.
        truth: Shape (n,), finite, where the estimates are compared with it.

    Returns:
        The matrix, shape (m, n), and a mask, shape (n,).

    Raises:
        UsageError: If it is no such matrix, or fewer than two architectures have all their estimates.
    """
    matrix = np.asarray(rows, dtype=float)
    if matrix.ndim != 2 or not matrix.size:
        raise UsageError(complaint(call, "a matrix, one row of n estimates each", matrix.shape, "Stack the rows."))
    if truth is not None:
        checked_pair(call, matrix[0], truth)
    known = np.isfinite(matrix).all(axis=0)
    if known.sum() < _FEWEST:
        expected = f"at least {_FEWEST} architectures with a finite estimate in every row"
        step = "Leave out the row that lacks them."
        raise UsageError(complaint(call, expected, f"{int(known.sum())} of {len(known)}", step))
    return matrix, known
