"""A strategy that learns from the supernet in training, against the evaluation and the strategy called by hand."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch

from lnas.data import DigitsData
from lnas.data.batches import PreparedBatches
from lnas.data.module import StepDataModule
from lnas.errors import UsageError
from lnas.nets import RegionNet, build_supernet
from lnas.search import FPNAS, Objective, RandomSearch, Reinforce, Strategy
from lnas.spaces import NatsTopologySpace
from lnas.training import SupernetModule, evaluate_paths, quiet_lightning, short_trainer
from lnas.training.callbacks.controller import ControllerCallback
from lnas.training.policy_paths import PolicyPaths
from lnas.types import Arch, Region

SPACE, DATA = NatsTopologySpace(), DigitsData()
SHOWN = list(PreparedBatches(DATA.splits["val"].take(np.arange(30)), DATA, 10))
OBJECTIVE = Objective("oneshot_acc", {"oneshot_acc": True})


def enas() -> Reinforce:
    return Reinforce(SPACE, 0, OBJECTIVE, "nats_bench", lr=0.5)


def fp_nas() -> FPNAS:
    return FPNAS(SPACE, 0, Objective("oneshot_loss", {"oneshot_loss": False}), lr=0.5)


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
    """Keeps the supernet before each step, and what the step trains."""

    def __init__(self) -> None:
        self.nets: list[RegionNet] = []
        self.paths: list[Arch] = []

    def on_train_batch_start(self, trainer: pl.Trainer, pl_module: Any, *args: Any) -> None:
        self.nets.append(copy.deepcopy(pl_module.net))

    def on_before_backward(self, trainer: pl.Trainer, pl_module: Any, loss: Any) -> None:
        self.paths += pl_module.paths_at(trainer.global_step)


def logits_of(controller: ControllerCallback) -> list[np.ndarray]:
    return controller.strategy.policy.logits  # type: ignore[attr-defined]


def test_the_strategy_is_told_what_its_paths_have_on_the_next_batch() -> None:
    """Before steps 0, 2, 4, 6 and 8, two proposals on one of three batches each time."""
    witness, controller = Witness(), ControllerCallback(enas(), SHOWN, every_n_steps=2, proposals=2)
    train(supernet_module(), [witness, controller])
    reference, told = enas(), controller.trials
    assert len(told) == 10
    for number in range(5):
        trials = told[2 * number : 2 * number + 2]
        archs = reference.ask(2)
        assert [trial.arch for trial in trials] == archs
        scores = evaluate_paths(witness.nets[2 * number], archs, [SHOWN[number % 3]])
        found = [[estimate.value for estimate in trial.estimates.values()] for trial in trials]
        assert found == [list(scores[arch]) for arch in archs]
        reference.tell(trials)
    assert all(map(np.array_equal, logits_of(controller), reference.policy.logits))
    assert controller.derive() == reference.answer()
    assert controller.seconds > 0


def test_paths_are_those_of_the_policy_once_the_warm_up_is_over() -> None:
    """A strategy that is all but sure decides every path after the first epoch, and none in it."""
    sure, favourite = enas(), (3, 2, 4, 3, 1, 2)
    sure.policy.ascend([60.0 * np.eye(5)[gene] for gene in favourite])
    witness, controller = Witness(), ControllerCallback(sure, SHOWN, warmup_epochs=1)
    module = supernet_module()
    train(module, [witness, controller], epochs=2)
    uniform = supernet_module()
    assert witness.paths == [
        *(path for step in range(3) for path in uniform.paths_at(step)),
        *[Arch(SPACE.name, favourite)] * 3,
    ]
    assert len(controller.trials) == 3
    assert module.paths == PolicyPaths(controller.strategy.policy)  # type: ignore[attr-defined]
    assert not any(path.genes == favourite for path in witness.paths[:3])


def test_a_strategy_that_works_in_epochs_is_asked_for_one_each_time() -> None:
    controller = ControllerCallback(fp_nas(), SHOWN)
    train(supernet_module(), [controller], epochs=1)
    assert fp_nas().ahead == 3
    assert len(controller.trials) == 9
    assert controller.derive() == controller.strategy.policy.mode()  # type: ignore[attr-defined]


@pytest.mark.parametrize(("make_strategy", "step"), [(enas, 2), (fp_nas, 4), (enas, 6), (fp_nas, 6)])
def test_resumed_training_is_the_uninterrupted_one(
    tmp_path: Path, saver: Callable[..., Any], make_strategy: Callable[[], Strategy], step: int
) -> None:
    """From the warm-up, from within an epoch, and from the end of one, written before that is told."""
    whole, resumed = supernet_module(), supernet_module(1)
    controllers = [ControllerCallback(make_strategy(), SHOWN, 2, warmup_epochs=1) for _ in range(2)]
    train(whole, [controllers[0], saver(tmp_path / "at.ckpt", step)], epochs=4)
    train(resumed, controllers[1:], epochs=4, go_on_from=tmp_path / "at.ckpt")
    assert all(map(torch.equal, whole.state_dict().values(), resumed.state_dict().values()))
    assert controllers[0].trials == controllers[1].trials
    assert len(controllers[0].trials) >= 4
    assert all(map(np.array_equal, logits_of(controllers[0]), logits_of(controllers[1])))
    assert controllers[0].derive() == controllers[1].derive()


def test_the_strategy_that_is_given_stays_as_it_was_and_each_training_starts_anew() -> None:
    strategy = enas()
    controller = ControllerCallback(strategy, SHOWN)
    train(supernet_module(), [controller], epochs=1)
    first = controller.trials
    assert any(own.any() for own in logits_of(controller))
    assert strategy.ask(1) == enas().ask(1)
    train(supernet_module(), [controller], epochs=1)
    assert controller.trials == first


def test_paths_that_diverged_have_no_number() -> None:
    module, controller = supernet_module(), ControllerCallback(enas(), SHOWN)
    with torch.no_grad():
        module.net.classifier.bias.fill_(math.nan)
    before = [own.copy() for own in logits_of(controller)]
    train(module, [controller], epochs=1)
    assert {each.status for trial in controller.trials for each in trial.estimates.values()} == {"nonfinite"}
    assert all(map(np.array_equal, before, logits_of(controller)))


def test_rounds_are_of_steps_not_of_batches_and_the_strategys_state_is_logged() -> None:
    controller = ControllerCallback(enas(), SHOWN)
    with quiet_lightning():
        trainer = pl.Trainer(
            accelerator="cpu",
            max_epochs=1,
            accumulate_grad_batches=2,
            callbacks=[controller],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(supernet_module(), torch.utils.data.DataLoader(SHOWN, batch_size=None))
    assert len(controller.trials) == trainer.global_step == 2
    logged = {name: float(trainer.callback_metrics[f"controller/{name}"]) for name in ("entropy", "baseline")}
    assert logged == pytest.approx(dict(controller.strategy.state))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": RandomSearch(SPACE, 0)}, r"expected a strategy with a policy, .* got 'RandomSearch'"),
        (
            {"strategy": Reinforce(SPACE, 0, Objective("snip", {"snip": True}))},
            r"oneshot_acc and oneshot_loss, got 'snip'",
        ),
        ({"every_n_steps": 0}, r"every_n_steps >= 1, got 0"),
        ({"proposals": 0}, r"proposals >= 1, got 0"),
        ({"warmup_epochs": -1}, r"warmup_epochs >= 0, got -1"),
        ({"batches": iter(SHOWN)}, r"gone through again, got 'an iterator'"),
        ({"statistics": "runing"}, r"unknown statistics 'runing'. Did you mean 'running'"),
    ],
)
def test_what_cannot_be_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ControllerCallback(**{"strategy": enas(), "batches": SHOWN, **options})


def test_what_does_not_fit_the_training_is_named(
    make: Callable[..., pl.LightningModule], tmp_path: Path, saver: Callable[..., Any]
) -> None:
    with pytest.raises(UsageError, match="expected a SupernetModule, got 'Users'"):
        train(make(), [ControllerCallback(enas(), SHOWN)])
    with pytest.raises(UsageError, match="expected a supernet of the whole space"):
        train(supernet_module(region=SPACE.region.without(0, 0)), [ControllerCallback(enas(), SHOWN)])
    with pytest.raises(UsageError, match="at least one batch, got 0"):
        train(supernet_module(), [ControllerCallback(enas(), [])])
    train(supernet_module(), [ControllerCallback(enas(), SHOWN), saver(tmp_path / "at.ckpt", 2)], epochs=1)
    with pytest.raises(UsageError, match=r"expected the checkpoint's strategy, .*Reinforce.* got .*FPNAS"):
        train(supernet_module(), [ControllerCallback(fp_nas(), SHOWN)], go_on_from=tmp_path / "at.ckpt")
    told = enas()
    told.ask(1)
    with pytest.raises(UsageError, match="a strategy that proposes what it did in the checkpoint"):
        train(supernet_module(), [ControllerCallback(told, SHOWN)], go_on_from=tmp_path / "at.ckpt")
