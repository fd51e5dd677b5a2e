"""LightningModules, callbacks and Trainers. Importing this package imports Lightning, which takes seconds."""

from lnas.training.candidate_module import CandidateModule
from lnas.training.retraining import SgdRecipe, fit_and_test
from lnas.training.trainers import quiet_lightning, short_trainer

__all__ = [
    "CandidateModule",
    "SgdRecipe",
    "fit_and_test",
    "quiet_lightning",
    "short_trainer",
]
