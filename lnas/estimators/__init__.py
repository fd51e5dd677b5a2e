"""Estimators: cheap measurements of architectures, each with the protocol that decides its numbers."""

from lnas.estimators.base import Estimator
from lnas.estimators.catalogue import ESTIMATOR_OF, EstimatorFactory, factories_for
from lnas.estimators.latency import LatencyEstimator, LatencyProtocol
from lnas.estimators.one_shot import OneShotEstimator, OneShotProtocol
from lnas.estimators.recorded import RecordedEstimator
from lnas.estimators.scores import RecordedScores, ScoresEstimator, ScoresProtocol
from lnas.estimators.short_training import ShortTrainingEstimator, ShortTrainingProtocol, truncated_training
from lnas.estimators.tabular import RecordedAccuracy, TabularEstimator, TabularProtocol
from lnas.estimators.zero_shot import ZeroShotEstimator, ZeroShotProtocol

__all__ = [
    "ESTIMATOR_OF",
    "Estimator",
    "EstimatorFactory",
    "LatencyEstimator",
    "LatencyProtocol",
    "OneShotEstimator",
    "OneShotProtocol",
    "RecordedAccuracy",
    "RecordedEstimator",
    "RecordedScores",
    "ScoresEstimator",
    "ScoresProtocol",
    "ShortTrainingEstimator",
    "ShortTrainingProtocol",
    "TabularEstimator",
    "TabularProtocol",
    "ZeroShotEstimator",
    "ZeroShotProtocol",
    "factories_for",
    "truncated_training",
]
