"""Parts of the architectures on which estimators are compared, too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnas.errors import UsageError, complaint

ALL = "all"
SAME_SIZE = "same size"


def check_top(top: Sequence[int], n: int) -> None:
    """Raise `UsageError` unless every subset of the best is another one, of two or more and not of all."""
    call = f"top={list(top)}"
    for count in top:
        if not 2 <= count < n:
            step = f"All {n:,} are compared anyway."
            raise UsageError(complaint(call, f"numbers in 2..{n - 1}", count, step))
        if list(top).count(count) > 1:
            raise UsageError(complaint(call, "each subset once", f"{count} twice", "Name it once."))


def subsets_of(truth: np.ndarray, top: Sequence[int]) -> dict[str, np.ndarray]:
    """Return name -> places of its architectures: all, and so many of the most accurate.

    Where accuracies tie across the end of a subset, the first given are in it.

    Example:
        >>> {name: found.tolist() for name, found in subsets_of(np.array([70.0, 90.0, 80.0]), [2]).items()}
        {'all': [0, 1, 2], 'top 2': [1, 2]}
    """
    order = np.argsort(-truth, kind="stable")
    return {ALL: np.arange(len(truth)), **{f"top {count:,}": order[:count] for count in top}}
