"""Asking an estimator, and holding it to what it promised."""

from __future__ import annotations

from lnas.errors import UsageError, complaint
from lnas.estimators import Estimator
from lnas.types import Arch, Estimate, Region


def ask(estimator: Estimator, candidate: Arch | Region, seed: int) -> dict[str, Estimate]:
    """Return an estimate for each of an estimator's measures, and no more.

    Raises:
        UsageError: If it leaves one out.
    """
    estimates = estimator.estimate(candidate, seed=seed)  # type: ignore[arg-type]  # those that serve regions take them
    if not estimates.keys() >= estimator.measures.keys():
        call = f"{type(estimator).__name__}.estimate"
        raise UsageError(complaint(call, f"{list(estimator.measures)}", list(estimates), "Fill every measure."))
    return {name: estimates[name] for name in estimator.measures}
