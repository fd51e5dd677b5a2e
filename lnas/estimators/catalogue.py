"""Which estimator gives which measure: what a bare name on the command line means."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from lnas.data import ImageData
from lnas.errors import UsageError, unknown_name
from lnas.estimators.base import Estimator
from lnas.estimators.short_training import ShortTrainingEstimator
from lnas.estimators.zero_shot import ZeroShotEstimator
from lnas.proxies import PROXIES
from lnas.types import Arch

EstimatorFactory = Callable[[Callable[[Arch, int], Any], ImageData], Estimator]

ESTIMATOR_OF: dict[str, type[ShortTrainingEstimator] | type[ZeroShotEstimator]] = {
    "angle": ShortTrainingEstimator,
    "loss": ShortTrainingEstimator,
    **dict.fromkeys(PROXIES, ZeroShotEstimator),
}


def factories_for(measures: Iterable[str]) -> list[EstimatorFactory]:
    """Return the estimators, with their default arguments, that give some measures, each estimator once.

    Raises:
        UsageError: If a name is no measure; the nearest one is suggested.
    """
    chosen: dict[type[ShortTrainingEstimator] | type[ZeroShotEstimator], list[str]] = {}
    for name in dict.fromkeys(measures):
        if name not in ESTIMATOR_OF:
            raise UsageError(unknown_name("measure", name, ESTIMATOR_OF))
        chosen.setdefault(ESTIMATOR_OF[name], []).append(name)
    return [
        partial(ZeroShotEstimator, names=tuple(names)) if kind is ZeroShotEstimator else kind
        for kind, names in chosen.items()
    ]
