"""One-shot pruning: a supernet's training goes on with the paths that score best."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, get_args

import lightning.pytorch as pl

from lnas.analysis.trivial_cells import are_trivial
from lnas.data.batches import Batch
from lnas.errors import RunError, UsageError, complaint, unknown_name
from lnas.spaces import SearchSpace
from lnas.spaces.isomorphs import classes_within
from lnas.stats.standings import top_size
from lnas.training.callbacks.epoch_ends import EpochEndCallback
from lnas.training.callbacks.path_scores import path_scores, require_evaluation, require_supernet
from lnas.training.callbacks.stopwatch import Stopwatch
from lnas.training.path_evaluation import PathScore, Statistics
from lnas.training.path_sampling import ListedPaths
from lnas.types import Arch, Region

By = Literal["accuracy", "loss"]

_CALL = "PathPruningCallback(...)"


class PathPruningCallback(EpochEndCallback):
    """Evaluate paths of a `SupernetModule` at the end of an epoch, and train only the best of them from then on.

    The weights are left as found. A training that is resumed from a checkpoint after the pruning goes on with the paths
    that were kept then; from one of that epoch or later that knows of no pruning, it is pruned before the next step. So
    one long training of a supernet can be gone on from with 10, 25 and 50 %.

    It costs one evaluation of all candidates: of the 6,321 classes of NATS topology that train anything, on 10,000
    images, half a million batches of 128. Nothing is dropped unseen, so that larger spaces need a sample of candidates.

    Args:
        batches: What the paths are evaluated on, such as `PreparedBatches` of the validation split.
        at_epoch: At the end of which epoch, counted from 1; the study's is 600 of 1,000.
        keep: What share of the candidates is kept, in (0, 1], rounded down but at least one. The study's are 0.1, 0.25
            and 0.5.
        archs: The candidates, each once; None is one member of each class of the supernet's region, as of `DeisoPaths`,
            for regions of up to a million architectures.
        by: The higher accuracy or the lower loss; of equals the first are kept. A path whose loss is not finite is not
            kept, and fewer remain where too few have one.
        statistics: What batch norms go by: "batch" or "running".

    Attributes:
        kept: The paths that are trained since, the best first; empty before.
        scores: Accuracy and loss of each candidate; empty before, and in a resumed training.
        seconds: What the evaluation took.

    Raises:
        UsageError: If an argument is none of these; when training starts, if the module trains no supernet, a candidate
            is outside its region, or the region's classes cannot be listed.
        RunError: When it prunes, if no path has a finite loss.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 6.3.
    """

    kept: tuple[Arch, ...]
    scores: dict[Arch, PathScore]
    _epoch: int
    _stopwatch: Stopwatch

    def __init__(
        self,
        batches: Iterable[Batch],
        at_epoch: int = 600,
        keep: float = 0.1,
        archs: Sequence[Arch] | None = None,
        by: By = "accuracy",
        statistics: Statistics = "batch",
    ) -> None:
        super().__init__(every_n_epochs=1)
        require_evaluation(_CALL, batches, statistics)
        _require_arguments(at_epoch, keep, archs, by)
        self._batches = batches
        self._at = at_epoch
        self._keep = float(keep)
        self._archs = None if archs is None else tuple(archs)
        self._by: By = by
        self._statistics: Statistics = statistics
        self._candidates: tuple[Arch, ...] = ()
        self._forget()

    @property
    def last_epoch(self) -> int:
        return self._epoch

    @property
    def seconds(self) -> float:
        return self._stopwatch.seconds

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        module = require_supernet(_CALL, pl_module)
        region = module.net.region
        self._candidates = self._archs or _one_of_each_class(module.space, region)
        ListedPaths(self._candidates).check(module.space, region)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.global_step == 0:
            self._forget()
        elif self.kept:
            require_supernet(_CALL, pl_module).paths = ListedPaths(self.kept)

    def at_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, epoch: int) -> None:
        if epoch < self._at or self.kept:
            return
        module = require_supernet(_CALL, pl_module)
        with self._stopwatch:
            self.scores = path_scores(trainer, module, self._candidates, self._batches, self._statistics)
        self.kept = _best(self.scores, self._keep, self._by)
        self._epoch = epoch
        module.paths = ListedPaths(self.kept)

    def state_dict(self) -> dict[str, Any]:
        kept = [(arch.space, list(arch.genes)) for arch in self.kept]
        return {"kept": kept, "epoch": self._epoch, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._forget()
        self.kept = tuple(Arch(space, tuple(genes)) for space, genes in state_dict["kept"])
        self._epoch = state_dict["epoch"]
        self._stopwatch = Stopwatch(state_dict["seconds"])

    def _forget(self) -> None:
        self.kept = ()
        self.scores = {}
        self._epoch = 0
        self._stopwatch = Stopwatch()


def _best(scores: dict[Arch, PathScore], keep: float, by: By) -> tuple[Arch, ...]:
    """Return the best share of all, as far as they have a finite loss."""
    finite = [arch for arch, score in scores.items() if math.isfinite(score.loss)]
    if not finite:
        step = "The supernet has diverged: lower its learning rate."
        raise RunError(complaint(_CALL, "a path with a finite loss", f"{len(scores)} without", step))
    ranked = sorted(finite, key=lambda arch: -scores[arch].accuracy if by == "accuracy" else scores[arch].loss)
    return tuple(ranked[: max(1, top_size(_CALL, keep, len(scores)))])


def _one_of_each_class(space: SearchSpace, region: Region) -> tuple[Arch, ...]:
    """Return the first member of each class that trains anything."""
    first = [members[0] for members in classes_within(space, region, "PathPruningCallback(archs=None)").values()]
    return tuple(arch for arch, trivial in zip(first, are_trivial(first, space), strict=True) if not trivial)


def _require_arguments(at_epoch: int, keep: float, archs: Sequence[Arch] | None, by: str) -> None:
    if type(at_epoch) is not int or at_epoch < 1:
        raise UsageError(complaint(_CALL, "at_epoch >= 1", at_epoch, "The study's is 600 of 1,000."))
    if not 0 < keep <= 1:
        raise UsageError(complaint(_CALL, "0 < keep <= 1", keep, "The study's are 0.1, 0.25 and 0.5."))
    if archs is not None and (not archs or len({*archs}) < len(archs)):
        step = "None takes one of each class."
        raise UsageError(complaint(_CALL, "at least one architecture, each once", f"{len(archs)} archs", step))
    if by not in get_args(By):
        raise UsageError(f"{_CALL}: {unknown_name('by', str(by), get_args(By))}")
