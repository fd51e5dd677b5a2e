"""Which estimator gives which measure: what a bare name on the command line means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lnas.data import ImageData
from lnas.errors import UsageError, unknown_name
from lnas.estimators.base import Estimator
from lnas.estimators.short_training import ShortTrainingEstimator
from lnas.estimators.zero_shot import ZeroShotEstimator
from lnas.types import Arch

EstimatorFactory = Callable[[Callable[[Arch, int], Any], ImageData], Estimator]

ESTIMATOR_OF: dict[str, type[ShortTrainingEstimator] | type[ZeroShotEstimator]] = {
    "angle": ShortTrainingEstimator,
    "loss": ShortTrainingEstimator,
    "params": ZeroShotEstimator,
}


def factories_for(measures: Iterable[str]) -> list[EstimatorFactory]:
    """Return the estimators, with their default arguments, that give some measures, each estimator once.

    Raises:
        UsageError: If a name is no measure; the nearest one is suggested.
    """
    chosen: dict[EstimatorFactory, None] = {}
    for name in measures:
        if name not in ESTIMATOR_OF:
            raise UsageError(unknown_name("measure", name, ESTIMATOR_OF))
        chosen[ESTIMATOR_OF[name]] = None
    return list(chosen)
