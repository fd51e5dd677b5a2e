"""LightningModules, callbacks, Trainers and recipes. What needs Lightning, seconds to import, comes in on first use."""

from typing import TYPE_CHECKING

from lnas.lazy import lazy_exports
from lnas.training.path_sampling import DeisoPaths, FairPaths, ListedPaths, PathSampler, UniformPaths
from lnas.training.policy_paths import PolicyPaths
from lnas.training.recipe import Retraining

if TYPE_CHECKING:
    from lnas.training.candidate_module import CandidateModule
    from lnas.training.differentiable_methods import Darts, Gdas, PcDarts
    from lnas.training.differentiable_module import DifferentiableModule
    from lnas.training.fitting import Fitted, Measured, fit, measure
    from lnas.training.path_evaluation import PathScore, evaluate_paths
    from lnas.training.supernet_module import SupernetModule
    from lnas.training.trainers import honest_signals, quiet_lightning, short_trainer
    from lnas.training.weight_sharing import WeightSharingModule

__all__ = [
    "CandidateModule",
    "Darts",
    "DeisoPaths",
    "DifferentiableModule",
    "FairPaths",
    "Fitted",
    "Gdas",
    "ListedPaths",
    "Measured",
    "PathSampler",
    "PathScore",
    "PcDarts",
    "PolicyPaths",
    "Retraining",
    "SupernetModule",
    "UniformPaths",
    "WeightSharingModule",
    "evaluate_paths",
    "fit",
    "honest_signals",
    "measure",
    "quiet_lightning",
    "short_trainer",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "CandidateModule": "lnas.training.candidate_module",
        "Darts": "lnas.training.differentiable_methods",
        "DifferentiableModule": "lnas.training.differentiable_module",
        "Gdas": "lnas.training.differentiable_methods",
        "PcDarts": "lnas.training.differentiable_methods",
        "Fitted": "lnas.training.fitting",
        "Measured": "lnas.training.fitting",
        "PathScore": "lnas.training.path_evaluation",
        "SupernetModule": "lnas.training.supernet_module",
        "WeightSharingModule": "lnas.training.weight_sharing",
        "evaluate_paths": "lnas.training.path_evaluation",
        "fit": "lnas.training.fitting",
        "measure": "lnas.training.fitting",
        "honest_signals": "lnas.training.trainers",
        "quiet_lightning": "lnas.training.trainers",
        "short_trainer": "lnas.training.trainers",
    },
)
