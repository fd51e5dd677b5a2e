"""What is measured, and what is kept repeatable, during training."""

from lnas.training.callbacks.accuracy import AccuracyCallback, accuracy
from lnas.training.callbacks.angle import AngleCallback
from lnas.training.callbacks.controller import ControllerCallback
from lnas.training.callbacks.forgetting import ForgettingCallback
from lnas.training.callbacks.gradient_similarity import GradientSimilarityCallback
from lnas.training.callbacks.keeping import KeepTraining
from lnas.training.callbacks.loss import LossCallback
from lnas.training.callbacks.mean_loss import mean_training_loss
from lnas.training.callbacks.path_pruning import PathPruningCallback
from lnas.training.callbacks.progress import EpochCallback, StepCallback, TrainingClock
from lnas.training.callbacks.ranking import RankingCallback
from lnas.training.callbacks.rotation import angle_between
from lnas.training.callbacks.seeding import SeedEpochs
from lnas.training.callbacks.temporal_ensemble import TemporalEnsembleCallback

__all__ = [
    "AccuracyCallback",
    "AngleCallback",
    "ControllerCallback",
    "EpochCallback",
    "ForgettingCallback",
    "GradientSimilarityCallback",
    "KeepTraining",
    "LossCallback",
    "PathPruningCallback",
    "RankingCallback",
    "SeedEpochs",
    "StepCallback",
    "TemporalEnsembleCallback",
    "TrainingClock",
    "accuracy",
    "angle_between",
    "mean_training_loss",
]
