"""Which estimator gives which measure: what a bare name on the command line means."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from functools import partial
from typing import Any

from lnas.data import ImageData
from lnas.errors import UsageError, complaint, unknown_name
from lnas.estimators.base import Estimator
from lnas.estimators.directions import LATENCY, OF_ONE_SHOT, OF_SHORT_TRAINING, OF_TRUNCATED_TRAINING
from lnas.estimators.latency import LatencyEstimator
from lnas.estimators.short_training import ShortTrainingEstimator, truncated_training
from lnas.estimators.zero_shot import ZeroShotEstimator
from lnas.proxies import PROXIES
from lnas.types import Arch

EstimatorFactory = Callable[[Callable[[Arch, int], Any], ImageData], Estimator]

ESTIMATOR_OF: dict[str, type[LatencyEstimator] | type[ShortTrainingEstimator] | type[ZeroShotEstimator]] = {
    **dict.fromkeys(OF_SHORT_TRAINING, ShortTrainingEstimator),
    **dict.fromkeys(PROXIES, ZeroShotEstimator),
    LATENCY: LatencyEstimator,
}
"""Which estimator gives which measure. `train_acc@E` and `val_acc@E`, after E epochs, are of truncated training."""


def factories_for(measures: Iterable[str]) -> list[EstimatorFactory]:
    """Return the estimators, with their default arguments, that give some measures, each estimator once.

    Raises:
        UsageError: If a name is no measure; the nearest one is suggested. If it is one of a supernet, whose weights no
            default can name.
    """
    chosen: dict[Hashable, EstimatorFactory] = {}
    zero_shot: list[str] = []
    for name in dict.fromkeys(measures):
        if name in PROXIES:
            zero_shot.append(name)
            chosen["zero-shot"] = partial(ZeroShotEstimator, names=tuple(zero_shot))
        elif truncated := OF_TRUNCATED_TRAINING.fullmatch(name):
            epochs = int(truncated.group(1))
            chosen.setdefault(epochs, partial(truncated_training, epochs=epochs))
        elif name in ESTIMATOR_OF:
            chosen.setdefault(ESTIMATOR_OF[name], ESTIMATOR_OF[name])
        elif name in OF_ONE_SHOT:
            step = "Name OneShotEstimator with `weights`, a supernet's, among the estimators."
            raise UsageError(complaint(f"measure {name!r}", "an estimator with weights", "none", step))
        else:
            raise UsageError(unknown_name("measure", name, [*ESTIMATOR_OF, "train_acc@12", "val_acc@12"]))
    return list(chosen.values())
