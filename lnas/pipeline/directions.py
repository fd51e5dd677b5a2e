"""Which way each measure of several estimators is better."""

from __future__ import annotations

from collections.abc import Iterable

from lnas.errors import UsageError, complaint
from lnas.estimators import Estimator


def directions_of(estimators: Iterable[Estimator]) -> dict[str, bool]:
    """Return for every measure, in order, whether the higher is the better.

    Raises:
        UsageError: If a measure comes from two estimators.
    """
    directions: dict[str, bool] = {}
    for estimator in estimators:
        for name, higher_is_better in estimator.measures.items():
            if name in directions:
                expected = "each measure from one estimator"
                raise UsageError(complaint("estimators", expected, name, "Drop one of the two."))
            directions[name] = higher_is_better
    return directions
