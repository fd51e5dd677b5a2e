"""Scores of paths through the supernet that a Trainer is training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, get_args

import lightning.pytorch as pl

from lnas.data.batches import Batch
from lnas.errors import UsageError, complaint, unknown_name
from lnas.training.path_evaluation import PathScore, Statistics, evaluate_paths
from lnas.training.supernet_module import SupernetModule
from lnas.types import Arch


def path_scores(
    trainer: pl.Trainer,
    module: SupernetModule,
    archs: Sequence[Arch],
    batches: Iterable[Batch],
    statistics: Statistics,
) -> dict[Arch, PathScore]:
    """Evaluate paths in the Trainer's precision, by `evaluate_paths`; every process has the numbers of the first."""
    precision = trainer.precision_plugin
    with precision.val_step_context():
        found = evaluate_paths(module.net, archs, map(precision.convert_input, batches), statistics)
    numbers: list[Any] = trainer.strategy.broadcast([tuple(score) for score in found.values()])
    return {arch: PathScore(*each) for arch, each in zip(found, numbers, strict=True)}


def require_supernet(call: str, module: pl.LightningModule) -> SupernetModule:
    """Return the module; raise `UsageError` unless it trains a supernet's paths."""
    if not isinstance(module, SupernetModule):
        raise UsageError(complaint(call, "a SupernetModule", type(module).__name__, "Train one."))
    return module


def require_evaluation(call: str, batches: Iterable[Batch], statistics: str) -> None:
    """Raise `UsageError` unless paths can be evaluated so during training, time and again."""
    if isinstance(batches, Iterator):
        raise UsageError(complaint(call, "batches that can be gone through again", "an iterator", "Make a list."))
    known = [name for name in get_args(Statistics) if name != "recalibrated"]
    if statistics not in known:
        raise UsageError(f"{call}: {unknown_name('statistics', str(statistics), known)}")
