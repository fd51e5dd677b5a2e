"""What is measured, and what is kept repeatable, during training."""

from lnas.training.callbacks.accuracy import AccuracyCallback, accuracy
from lnas.training.callbacks.angle import AngleCallback
from lnas.training.callbacks.loss import LossCallback
from lnas.training.callbacks.mean_loss import mean_training_loss
from lnas.training.callbacks.progress import EpochCallback, StepCallback, TrainingClock
from lnas.training.callbacks.ranking import RankingCallback
from lnas.training.callbacks.rotation import angle_between
from lnas.training.callbacks.seeding import SeedEpochs
from lnas.training.callbacks.temporal_ensemble import TemporalEnsembleCallback

__all__ = [
    "AccuracyCallback",
    "AngleCallback",
    "EpochCallback",
    "LossCallback",
    "RankingCallback",
    "SeedEpochs",
    "StepCallback",
    "TemporalEnsembleCallback",
    "TrainingClock",
    "accuracy",
    "angle_between",
    "mean_training_loss",
]
