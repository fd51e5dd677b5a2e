"""What decides which paths are trained, while they are, as options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from lnas.data import ImageData
from lnas.pipeline.scoring.choosing import choose_archs
from lnas.pipeline.supernet.validation import validation_batches
from lnas.search import Objective, Strategy
from lnas.seeds import derive_seed
from lnas.spaces import SearchSpace
from lnas.training.callbacks import ControllerCallback, PathPruningCallback
from lnas.training.callbacks.path_pruning import By

_DIRECTIONS = {"oneshot_acc": True, "oneshot_loss": False}


@dataclass(frozen=True)
class Pruning:
    """From an epoch on, only the best paths are trained.

    Args:
        at_epoch: At the end of which.
        keep: Share of the candidates that is kept.
        archs: How many candidates to draw, or a file as of lnas score; a member of each class of twins if not given.
        by: accuracy or loss.
        batches: Validation batches that each is evaluated on; None is all.
        batch_size: Images of each.
    """

    at_epoch: int = 600
    keep: float = 0.1
    archs: int | str | None = None
    by: By = "accuracy"
    batches: int | None = None
    batch_size: int = 128

    def callback(self, space: SearchSpace, data: ImageData, seed: int) -> PathPruningCallback:
        """Make what prunes."""
        archs = None if self.archs is None else choose_archs(self.archs, space, derive_seed(seed, "pruning"))
        batches = validation_batches(data, self.batch_size, self.batches)
        return PathPruningCallback(batches, self.at_epoch, self.keep, archs, self.by)


@dataclass(frozen=True)
class Controller:
    """A strategy learns from paths while they are trained, and decides which: ENAS with Reinforce, FP-NAS with FPNAS.

    Args:
        strategy: One that has a policy.
        rank: What it makes as good as it can: oneshot_acc, oneshot_loss, or both joined by +.
        every_n_steps: Steps from one time that it is asked to the next.
        proposals: How many paths it is asked for; as many as it wants if not given.
        warmup_epochs: For how many epochs it is not asked.
        batch_size: Images of the validation batch that its paths are evaluated on, the next one each time.
    """

    strategy: Callable[[SearchSpace, int, Objective], Strategy]
    rank: str = "oneshot_acc"
    every_n_steps: int = 1
    proposals: int | None = None
    warmup_epochs: int = 0
    batch_size: int = 128

    def callback(self, space: SearchSpace, data: ImageData, seed: int) -> ControllerCallback:
        """Make what lets it learn."""
        strategy = self.strategy(space, derive_seed(seed, "controller"), Objective(self.rank, _DIRECTIONS))
        batches = validation_batches(data, self.batch_size, None)
        return ControllerCallback(strategy, batches, self.every_n_steps, self.proposals, self.warmup_epochs)
