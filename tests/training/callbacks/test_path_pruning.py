"""Training goes on with the best paths, against the evaluation by hand, resumed at any time."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch

from lnas.analysis.trivial_cells import are_trivial
from lnas.data import DigitsData
from lnas.data.batches import PreparedBatches
from lnas.data.module import StepDataModule
from lnas.errors import RunError, UsageError
from lnas.nets import build_supernet
from lnas.spaces import DartsSpace, NatsTopologySpace
from lnas.training import PathScore, SupernetModule, evaluate_paths, quiet_lightning, short_trainer
from lnas.training.callbacks.path_pruning import PathPruningCallback
from lnas.training.path_sampling import UniformPaths
from lnas.types import Arch, Region

SPACE, DATA = NatsTopologySpace(), DigitsData()
ARCHS = [SPACE.sample(np.random.default_rng(seed)) for seed in range(8)]
SHOWN = list(PreparedBatches(DATA.splits["val"].take(np.arange(40)), DATA, 20))


def supernet_module(seed: int = 0, region: Region = SPACE.region) -> SupernetModule:
    torch.manual_seed(seed)
    return SupernetModule(build_supernet(region, channels=4, cells=1), seed=3)


def train(
    module: pl.LightningModule, callbacks: Sequence[pl.Callback], epochs: int = 3, go_on_from: Path | None = None
) -> None:
    """Train epochs of three steps."""
    digits = StepDataModule(DATA.splits["train"].take(np.arange(24)), DATA, seed=1, steps=None, batch_size=8)
    with quiet_lightning():
        trainer = short_trainer(callbacks, epochs=epochs, accelerator="cpu")
        trainer.fit(module, digits, ckpt_path=go_on_from)


class Witness(pl.Callback):
    """Notes the path of each step and, by hand, the scores at each epoch's end."""

    def __init__(self) -> None:
        self.paths: list[Arch] = []
        self.scores: list[dict[Arch, PathScore]] = []

    def on_before_backward(self, trainer: pl.Trainer, pl_module: Any, loss: Any) -> None:
        self.paths += pl_module.paths_at(trainer.global_step)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.scores.append(evaluate_paths(pl_module.net, ARCHS, SHOWN))


@pytest.mark.parametrize(("by", "keep", "count"), [("accuracy", 0.3, 2), ("loss", 0.01, 1)])
def test_the_best_of_the_epochs_end_are_trained_from_then_on(by: Any, keep: float, count: int) -> None:
    witness, pruning = Witness(), PathPruningCallback(SHOWN, 2, keep, ARCHS, by)
    module = supernet_module()
    train(module, [witness, pruning], epochs=4)
    assert pruning.scores == witness.scores[1] != witness.scores[2]
    value = {arch: score.accuracy if by == "accuracy" else -score.loss for arch, score in witness.scores[1].items()}
    assert list(pruning.kept) == sorted(ARCHS, key=value.__getitem__, reverse=True)[:count]
    assert set(witness.paths[6:]) <= set(pruning.kept)
    assert not set(witness.paths[:6]) <= set(ARCHS)
    assert pruning.seconds > 0


def test_candidates_are_one_of_each_class_that_trains_anything() -> None:
    region = Region(SPACE.name, ((0, 1), (0, 1, 3), (1, 3), (0, 3), (0, 1), (1, 2)))
    pruning = PathPruningCallback(SHOWN[:1], 1, 0.25)
    train(supernet_module(region=region), [pruning], epochs=1)
    inside = [arch for arch in SPACE.archs() if arch in region and not are_trivial([arch], SPACE)[0]]
    assert {SPACE.canonical(arch) for arch in pruning.scores} == {SPACE.canonical(arch) for arch in inside}
    assert len(pruning.scores) == len({SPACE.canonical(arch) for arch in inside}) < len(inside)
    assert {*pruning.scores} <= {*inside}
    assert len(pruning.kept) == len(pruning.scores) // 4


@pytest.mark.parametrize("step", [2, 3, 5])
def test_resumed_training_is_the_uninterrupted_one(tmp_path: Path, saver: Callable[..., Any], step: int) -> None:
    """From before the pruning, from the end of its epoch, written before that is told, and from after it."""
    whole, resumed = supernet_module(), supernet_module(1)
    prunings = [PathPruningCallback(SHOWN, 1, 0.25, ARCHS) for _ in range(2)]
    train(whole, [prunings[0], saver(tmp_path / "at.ckpt", step)])
    train(resumed, prunings[1:], go_on_from=tmp_path / "at.ckpt")
    assert prunings[0].kept == prunings[1].kept
    assert all(map(torch.equal, whole.state_dict().values(), resumed.state_dict().values()))
    if step == 5:
        assert prunings[1].scores == {}
        assert prunings[1].seconds == pytest.approx(prunings[0].seconds)


def test_a_training_without_it_is_gone_on_from_with_it(tmp_path: Path, saver: Callable[..., Any]) -> None:
    """Also from a later epoch than the one that was meant."""
    train(supernet_module(), [saver(tmp_path / "at.ckpt", 6)], epochs=2)
    tenth, half = (PathPruningCallback(SHOWN, 1, keep, ARCHS) for keep in (0.125, 0.5))
    for pruning in (tenth, half):
        witness = Witness()
        train(supernet_module(1), [witness, pruning], go_on_from=tmp_path / "at.ckpt")
        assert len(witness.paths) == 3
        assert set(witness.paths) <= set(pruning.kept)
    assert tenth.kept == half.kept[:1]
    assert tenth.scores == half.scores


def test_it_starts_anew_with_each_training() -> None:
    pruning = PathPruningCallback(SHOWN, 1, 0.25, ARCHS)
    train(supernet_module(), [pruning], epochs=1)
    first = pruning.scores
    train(supernet_module(1), [pruning], epochs=1)
    assert pruning.scores != first


def test_paths_that_diverged_are_not_kept() -> None:
    module = supernet_module()
    with torch.no_grad():
        module.net.classifier.bias.fill_(math.nan)
    with pytest.raises(RunError, match="a path with a finite loss, got '8 without'"):
        train(module, [PathPruningCallback(SHOWN, 1, 0.5, ARCHS)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"at_epoch": 0}, r"at_epoch >= 1, got 0"),
        ({"keep": 0.0}, r"0 < keep <= 1, got 0.0"),
        ({"keep": 10}, r"0 < keep <= 1, got 10"),
        ({"archs": []}, r"at least one architecture, each once, got '0 archs'"),
        ({"archs": [*ARCHS, ARCHS[0]]}, r"each once, got '9 archs'"),
        ({"by": "los"}, r"unknown by 'los'. Did you mean 'loss'"),
        ({"batches": iter(SHOWN)}, r"gone through again, got 'an iterator'"),
        ({"statistics": "recalibrated"}, r"unknown statistics 'recalibrated'.* Known: batch, running"),
    ],
)
def test_what_cannot_be_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        PathPruningCallback(**{"batches": SHOWN, "archs": ARCHS, **options})


def test_what_does_not_fit_the_training_is_named_when_it_starts(make: Callable[..., pl.LightningModule]) -> None:
    small = SPACE.region.replaced(0, (ARCHS[0].genes[0],))
    with pytest.raises(UsageError, match="expected archs of the supernet's region of nats_topology"):
        train(supernet_module(region=small), [PathPruningCallback(SHOWN, archs=ARCHS)])
    with pytest.raises(UsageError, match="expected a SupernetModule, got 'Users'"):
        train(make(), [PathPruningCallback(SHOWN, archs=ARCHS)])
    darts = SupernetModule(build_supernet(DartsSpace(), channels=4, cells=3), paths=UniformPaths())
    with pytest.raises(UsageError, match=r"PathPruningCallback\(archs=None\): expected a region of independent"):
        train(darts, [PathPruningCallback(SHOWN)])
