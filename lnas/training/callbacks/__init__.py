"""What is measured, and what is kept repeatable, during training."""

from lnas.training.callbacks.angle import AngleCallback, angle_between
from lnas.training.callbacks.loss import LossCallback, mean_training_loss
from lnas.training.callbacks.progress import EpochCallback, StepCallback, TrainingClock
from lnas.training.callbacks.seeding import SeedEpochs

__all__ = [
    "AngleCallback",
    "EpochCallback",
    "LossCallback",
    "SeedEpochs",
    "StepCallback",
    "TrainingClock",
    "angle_between",
    "mean_training_loss",
]
