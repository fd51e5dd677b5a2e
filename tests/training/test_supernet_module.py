"""Paths of steps, gradients, inactive parameters, schedule and resuming, under real Trainers."""

from __future__ import annotations

import copy
import csv
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lnas.data import DigitsData
from lnas.data.module import StepDataModule
from lnas.errors import UsageError
from lnas.nets import RegionNet, build_supernet
from lnas.spaces import DartsSpace, NasBench1Shot1Space, NatsTopologySpace, NdsResNetSpace, NdsResNeXtASpace
from lnas.testing import TinySpace
from lnas.training import (
    DeisoPaths,
    FairPaths,
    ListedPaths,
    SupernetModule,
    UniformPaths,
    evaluate_paths,
    quiet_lightning,
    short_trainer,
)
from lnas.training.active_parameters import active_parameters, shares, zero_missing_gradients
from lnas.training.callbacks import mean_training_loss
from lnas.training.checkpoints import WholeFileCheckpointIO
from lnas.types import Arch, Region

SPACE = NatsTopologySpace()
NAME = SPACE.name
PLAIN_SGD = partial(torch.optim.SGD, lr=1.0)
Batch = tuple[Tensor, Tensor]


def supernet(region: Region = SPACE.region, **options: Any) -> RegionNet:
    torch.manual_seed(0)
    return build_supernet(region, **{"channels": 4, "cells": 1, **options})


def batch_of(size: int, seed: int = 0) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(size, 3, 8, 8, generator=generator), torch.randint(10, (size,), generator=generator)


def train(module: SupernetModule, batches: Sequence[Batch], epochs: int = 1, **options: Any) -> pl.Trainer:
    """Train once through the batches."""
    defaults = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = pl.Trainer(
        **{"accelerator": "cpu", "max_epochs": epochs, "enable_model_summary": False, **defaults, **options}
    )
    with quiet_lightning():
        trainer.fit(module, torch.utils.data.DataLoader(list(batches), batch_size=None))
    return trainer


def plain(net: RegionNet, **options: Any) -> SupernetModule:
    """Return one whose steps take the gradient off the weights."""
    return SupernetModule(net, **{"optimizer": PLAIN_SGD, "schedule": None, "dropout": 0.0, "clip": None, **options})


def gradients_of(net: RegionNet, arch: Arch, batch: Batch) -> dict[str, Tensor]:
    alone = copy.deepcopy(net).train()
    functional.cross_entropy(alone(batch[0], arch), batch[1]).backward()
    return {name: weight.grad for name, weight in alone.named_parameters() if weight.grad is not None}


def steps_of(before: RegionNet, after: RegionNet) -> dict[str, Tensor]:
    pairs = zip(before.named_parameters(), after.parameters(), strict=True)
    return {name: (weight - moved).detach() for (name, weight), moved in pairs}


def divided(gradients: list[dict[str, Tensor]], divide_by: str) -> dict[str, Tensor]:
    names = {name for each in gradients for name in each}
    found = {name: [each[name] for each in gradients if name in each] for name in names}
    return {
        name: sum(those) / (len(those) if divide_by == "active" else len(gradients)) for name, those in found.items()
    }


def assert_equal_steps(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    for name, step in found.items():
        torch.testing.assert_close(step, expected.get(name, torch.zeros_like(step)), rtol=1e-4, atol=1e-6)


def test_what_a_step_trains_depends_on_seed_and_step_alone() -> None:
    net = supernet()
    one, same, other = (SupernetModule(net, samples=2, seed=seed) for seed in (1, 1, 2))
    assert [one.paths_at(step) for step in range(9)] == [same.paths_at(step) for step in reversed(range(9))][::-1]
    assert len({*map(one.paths_at, range(9)), *map(other.paths_at, range(9))}) == 18
    assert len(SupernetModule(net, paths=FairPaths(), samples=2).paths_at(0)) > 5


@pytest.mark.parametrize("divide_by", ["active", "samples"])
@pytest.mark.parametrize("inactive", ["decayed", "skipped"])
def test_a_step_of_two_paths_is_that_of_two_backward_passes(divide_by: Any, inactive: Any) -> None:
    net, batch = supernet(), batch_of(6)
    before = copy.deepcopy(net)
    module = plain(net, samples=2, divide_by=divide_by, inactive=inactive)
    gradients = [gradients_of(net, arch, batch) for arch in module.paths_at(0)]
    assert set(gradients[0]) != set(gradients[1])
    train(module, [batch])
    assert_equal_steps(steps_of(before, net), divided(gradients, divide_by))
    assert sum(bool(step.any()) for step in steps_of(before, net).values()) > 10


def test_accumulated_batches_take_the_same_paths_and_are_averaged() -> None:
    net, batches = supernet(), [batch_of(4, seed) for seed in range(2)]
    before = copy.deepcopy(net)
    module = plain(net, samples=3)
    per_batch = [divided([gradients_of(net, arch, each) for arch in module.paths_at(0)], "active") for each in batches]
    train(module, batches, accumulate_grad_batches=2)
    assert_equal_steps(
        steps_of(before, net), {name: (per_batch[0][name] + per_batch[1][name]) / 2 for name in per_batch[0]}
    )


def test_gradients_are_clipped_after_they_are_divided() -> None:
    net = supernet()
    before = copy.deepcopy(net)
    train(plain(net, samples=2), [batch_of(6)], gradient_clip_val=0.01)
    length = torch.cat([step.flatten() for step in steps_of(before, net).values()]).norm()
    assert float(length) == pytest.approx(0.01, rel=1e-3)


def test_a_parameter_is_active_where_a_gradient_reaches_it() -> None:
    """Of DARTS, too, whose cells compute inputs that no node uses."""
    for space, size in ((SPACE, {"cells": 1}), (DartsSpace(), {"cells": 3}), (NasBench1Shot1Space(1), {"cells": 1})):
        net = supernet(space.region, **size)
        arch = space.sample(np.random.default_rng(4))
        images, labels = batch_of(3)
        loss = functional.cross_entropy(net(images, arch), labels)
        active = set(active_parameters(loss))
        loss.backward()
        assert active == {weight for weight in net.parameters() if weight.grad is not None}
        assert 0 < len(active) < len(list(net.parameters()))


def test_shares_are_of_the_losses() -> None:
    a, b, c = (nn.Parameter(torch.ones(1)) for _ in range(3))
    assert shares([a * b, a + a, (b[0] * a).sum()]) == {b: 2 / 3}
    assert shares([a * b, c * b]) == {a: 1 / 2, c: 1 / 2}


def test_an_inactive_weight_under_pytorch_before_and_since_2() -> None:
    """One active step and 50 inactive ones, SGD as in the study."""
    ends = {}
    for inactive in ("decayed", "skipped"):
        weight = nn.Parameter(torch.ones(()))
        optimizer = torch.optim.SGD([weight], lr=0.05, momentum=0.9, weight_decay=5e-4)
        for step in range(51):
            weight.grad = torch.ones(()) if step == 0 else None
            if inactive == "decayed":
                zero_missing_gradients(optimizer)
            optimizer.step()
        ends[inactive] = float(weight.detach())
    assert ends == {"decayed": pytest.approx(0.496, abs=5e-4), "skipped": pytest.approx(0.950, abs=5e-4)}


@pytest.mark.parametrize(("inactive", "end"), [("decayed", 0.496), ("skipped", 0.950)])
def test_an_inactive_weight_in_a_training(monkeypatch: pytest.MonkeyPatch, inactive: Any, end: float) -> None:
    net = supernet()
    module = SupernetModule(net, inactive=inactive, schedule=None, clip=None)
    conv, pool = (Arch(NAME, (0, 0, 0, gene, 0, 0)) for gene in (3, 4))
    monkeypatch.setattr(module, "paths_at", lambda step: (pool if step else conv,))
    weight = net.blocks[0].edges["0->3"]["nor_conv_3x3"][1].weight
    nn.init.ones_(weight)
    weight.register_hook(torch.ones_like)
    train(module, [batch_of(3)] * 51)
    torch.testing.assert_close(weight.detach(), torch.full_like(weight, end), atol=5e-4, rtol=0)


def test_weights_that_no_path_has_used_stay_without_a_gradient() -> None:
    net = supernet()
    before = copy.deepcopy(net)
    train(
        SupernetModule(net, paths=ListedPaths([Arch(NAME, (3, 1, 1, 1, 1, 1))]), inactive="skipped"), [batch_of(4)] * 3
    )
    moved = {name for name, step in steps_of(before, net).items() if step.any()}
    assert {name.split("edges.")[1].split(".")[0] for name in moved if "edges" in name} == {"0->1"}
    assert "classifier.weight" in moved


def test_dropout_is_before_the_classifier_and_in_training_only() -> None:
    net, (images, labels) = supernet(), batch_of(50)
    module = SupernetModule(net, dropout=0.5)
    arch = module.paths_at(0)[0]
    seen: list[Tensor] = []

    class Watch(pl.Callback):
        def on_train_batch_start(self, *arguments: Any) -> None:
            self.hook = net.classifier.register_forward_hook(
                lambda layer, inputs, output: seen.append(inputs[0].detach())
            )

        def on_train_batch_end(self, *arguments: Any) -> None:
            self.hook.remove()

    expected = copy.deepcopy(net).train().stage_features(images, ["head"], arch)["head"].detach()
    train(module, [(images, labels)], callbacks=[Watch()])
    kept = seen[0] != 0
    torch.testing.assert_close(seen[0][kept], 2 * expected[kept], rtol=1e-4, atol=1e-5)
    assert 0.4 < float((~kept & (expected != 0)).sum() / (expected != 0).sum()) < 0.6
    assert not net.classifier._forward_pre_hooks
    assert evaluate_paths(net, [arch], [(images, labels)]) == evaluate_paths(net, [arch], [(images, labels)])


def test_dropout_leaves_the_generator_alone() -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    module = SupernetModule(supernet(), dropout=0.5)
    torch.manual_seed(7)
    drawn: list[Tensor] = []

    class Draw(pl.Callback):
        def on_train_end(self, *arguments: Any) -> None:
            drawn.append(torch.rand(3))

    class Seed(pl.Callback):
        def on_train_batch_start(self, *arguments: Any) -> None:
            torch.manual_seed(7)

    train(module, [batch_of(4)], callbacks=[Seed(), Draw()])
    assert torch.equal(drawn[0], expected)


@pytest.mark.parametrize(
    "space", [NasBench1Shot1Space(1), DartsSpace(), NdsResNetSpace(), NdsResNeXtASpace()], ids=lambda space: space.name
)
def test_every_space_is_trained(space: Any) -> None:
    shallow = {k: allowed[:2] for k, allowed in enumerate(space.region.choices[:6])} if "nds" in space.name else {}
    choices = tuple(shallow.get(k, allowed) for k, allowed in enumerate(space.region.choices))
    size = {"nasbench1shot1_1": {"cells": 1}, "darts": {"cells": 2}}.get(space.name, {"cells": None})
    net = supernet(Region(space.name, choices), **size)
    before = copy.deepcopy(net)
    train(SupernetModule(net, paths=DeisoPaths(), samples=2), [batch_of(4)] * 2)
    assert all(torch.isfinite(step).all() for step in steps_of(before, net).values())
    assert steps_of(before, net)["classifier.weight"].any()


def test_it_trains_in_mixed_precision_and_under_a_bare_bones_trainer() -> None:
    net = supernet()
    before = copy.deepcopy(net)
    module = plain(net, samples=2)
    gradients = [gradients_of(net, arch, batch_of(6)) for arch in module.paths_at(0)]
    train(module, [batch_of(6)], precision="bf16-mixed")
    step, expected = steps_of(before, net)["classifier.bias"], divided(gradients, "active")["classifier.bias"]
    torch.testing.assert_close(step, expected, rtol=0.1, atol=0.01)
    with quiet_lightning():
        loader = torch.utils.data.DataLoader([batch_of(4)] * 3, batch_size=None)
        short_trainer([], steps=3, accelerator="cpu").fit(SupernetModule(supernet()), loader)


class Losses(pl.Callback):
    """What each step of each epoch returned."""

    def __init__(self) -> None:
        self.epochs: list[list[float]] = []

    def on_train_epoch_start(self, *arguments: Any) -> None:
        self.epochs.append([])

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, *arguments: Any) -> None:
        self.epochs[-1].append(float(outputs["loss"]))


def test_the_plateau_is_of_the_mean_training_loss(tmp_path: Path) -> None:
    """Beside PyTorch's own schedule, stepped by hand with the losses that the steps returned."""
    plateau = partial(ReduceLROnPlateau, factor=0.5, patience=1, threshold=0.2)
    module, losses, logger = SupernetModule(supernet(), schedule=plateau), Losses(), CSVLogger(tmp_path)
    train(module, [batch_of(4, seed) for seed in range(2)], epochs=12, callbacks=[losses], logger=logger)
    with (Path(logger.log_dir) / "metrics.csv").open() as file:
        rows = list(csv.DictReader(file))
    means = [sum(each) / len(each) for each in losses.epochs]
    by_hand = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.05)
    schedule, rates = plateau(by_hand), []
    for mean in means:
        rates.append(by_hand.param_groups[0]["lr"])
        schedule.step(mean)
    assert [float(row["train_loss"]) for row in rows] == pytest.approx(means, rel=1e-5)
    assert [float(row["lr"]) for row in rows] == pytest.approx(rates)
    assert len(set(rates)) > 2
    assert "inactive: decayed" in (Path(logger.log_dir) / "hparams.yaml").read_text()


def study(folder: Path, resumed: Path | None = None) -> tuple[SupernetModule, pl.Trainer, CSVLogger]:
    """Train six steps, two an epoch, keeping a checkpoint after each step and each epoch."""
    plateau = partial(ReduceLROnPlateau, factor=0.5, patience=0, threshold=0.9)
    module = SupernetModule(supernet(), paths=FairPaths(), schedule=plateau, seed=3)
    data = DigitsData()
    digits = StepDataModule(data.splits["train"].take(np.arange(24)), data, seed=1, steps=None, batch_size=12)
    kept = {"dirpath": folder, "save_top_k": -1, "enable_version_counter": False}
    logger = CSVLogger(folder)
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=3,
        callbacks=[
            ModelCheckpoint(filename="{step}", every_n_train_steps=1, **kept),
            ModelCheckpoint(filename="end-of-{epoch}", save_on_train_epoch_end=True, every_n_epochs=1, **kept),
        ],
        plugins=[WholeFileCheckpointIO()],
        logger=logger,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
    )
    with quiet_lightning():
        trainer.fit(module, digits, ckpt_path=None if resumed is None else str(resumed))
    return module, trainer, logger


def end_of(run: tuple[SupernetModule, pl.Trainer, CSVLogger]) -> tuple[Any, Any, Any, Any]:
    module, trainer, logger = run
    with (Path(logger.log_dir) / "metrics.csv").open() as file:
        epochs = {row["epoch"]: row for row in csv.DictReader(file)}
    optimizer = {key: value["momentum_buffer"] for key, value in trainer.optimizers[0].state_dict()["state"].items()}
    return module.state_dict(), optimizer, trainer.lr_scheduler_configs[0].scheduler.state_dict(), epochs


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("whole")
    return folder, end_of(study(folder))


@pytest.mark.filterwarnings("ignore:The dirpath has changed")
@pytest.mark.parametrize("at", ["step=3", "step=4", "end-of-epoch=0"])
def test_a_resumed_training_ends_as_one_that_was_never_stopped(
    whole: tuple[Path, Any], tmp_path: Path, at: str
) -> None:
    """Bit for bit: in the middle of an epoch, after its last step, and at its end."""
    folder, (weights, momentum, schedule, epochs) = whole
    run = study(tmp_path, folder / f"{at}.ckpt")
    found_weights, found_momentum, found_schedule, found_epochs = end_of(run)
    assert run[1].global_step == 6
    assert all(torch.equal(found_weights[name], weights[name]) for name in weights)
    assert all(torch.equal(found_momentum[key], momentum[key]) for key in momentum)
    assert found_schedule == schedule
    assert found_schedule["num_bad_epochs"] == 0
    assert run[1].optimizers[0].param_groups[0]["lr"] == pytest.approx(0.0125)
    assert len(found_epochs) >= (2 if at == "step=3" else 1)
    assert found_epochs == {epoch: epochs[epoch] for epoch in found_epochs}


def test_a_checkpoint_of_another_region_is_refused(whole: tuple[Path, Any]) -> None:
    module = SupernetModule(supernet(SPACE.region.without(0, 4)))
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=3, logger=False, enable_checkpointing=False, enable_progress_bar=False
    )
    loader = torch.utils.data.DataLoader([batch_of(4)], batch_size=None)
    with quiet_lightning(), pytest.raises(UsageError, match=r"expected a checkpoint of a supernet of .*0,1,2,3-0,1"):
        trainer.fit(module, loader, ckpt_path=str(whole[0] / "step=3.ckpt"))


def test_measuring_on_the_way_changes_no_mean() -> None:
    class Measure(pl.Callback):
        def on_train_batch_end(self, trainer: Any, module: Any, *arguments: Any) -> None:
            mean_training_loss(module, [batch_of(5, seed=9)])

    alone, watched = (SupernetModule(supernet(), samples=2) for _ in range(2))
    ends = [
        train(module, [batch_of(4, seed) for seed in range(3)], callbacks=callbacks).callback_metrics["train_loss"]
        for module, callbacks in ((alone, []), (watched, [Measure()]))
    ]
    assert torch.equal(*ends)


@pytest.mark.parametrize("trainer", [{}, {"gradient_clip_val": 0.02}])
def test_a_step_is_no_longer_than_its_clip(trainer: dict[str, float]) -> None:
    before = supernet()
    module = plain(copy.deepcopy(before), clip=0.01)
    train(module, [batch_of(4)], **trainer)
    length = torch.cat([step.flatten() for step in steps_of(before, module.net).values()]).norm()
    assert length.item() == pytest.approx(trainer.get("gradient_clip_val", 0.01), rel=1e-3)


def test_other_paths_are_trained_from_the_next_step_on() -> None:
    module = SupernetModule(supernet())
    only = Arch(NAME, (3, 3, 3, 3, 3, 3))
    assert module.paths_at(5) != (only,)
    module.paths = ListedPaths([only])
    assert module.paths_at(5) == (only,)
    with pytest.raises(UsageError, match="expected an arch of 'nats_topology'"):
        module.paths = ListedPaths([Arch("darts", (0,) * 28)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samples": 0}, "samples >= 1, got 0"),
        ({"dropout": 1.0}, "0 <= dropout < 1, got 1.0"),
        ({"clip": 0.0}, "clip > 0, or None, got 0.0"),
        ({"divide_by": "activ"}, "unknown divide_by 'activ'. Did you mean 'active'"),
        ({"inactive": "decay"}, "unknown inactive 'decay'. Did you mean 'decayed'"),
        ({"paths": UniformPaths(within=Region(NAME, ((0,),) * 6))}, "Allow a convolution"),
    ],
)
def test_what_cannot_be_trained_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        SupernetModule(supernet(), **options)


def test_a_space_of_a_users_own_is_passed() -> None:
    net = supernet()
    net.region = TinySpace().region
    with pytest.raises(UsageError, match=r"unknown space 'tiny'.*Pass one of your own as `space`"):
        SupernetModule(net)
    assert SupernetModule(net, space=TinySpace()).paths_at(0)[0].space == "tiny"


def test_a_strategy_without_unused_parameters_is_refused() -> None:
    module = SupernetModule(supernet())
    with quiet_lightning():
        module.trainer = pl.Trainer(accelerator="cpu", devices=2, strategy="ddp", logger=False)
        with pytest.raises(UsageError, match="ddp_find_unused_parameters_true"):
            module.setup("fit")
        module.trainer = pl.Trainer(
            accelerator="cpu", devices=2, strategy="ddp_find_unused_parameters_true", logger=False
        )
        module.setup("fit")


@pytest.mark.slow
@pytest.mark.parametrize("inactive", ["decayed", "skipped"])
def test_two_processes_are_one_that_averages_the_halves(
    tmp_path: Path, inactive: str, run_script: Callable[..., None]
) -> None:
    script = Path(__file__).with_name("two_halves.py")
    run_script(script, str(tmp_path), inactive)
    first, second, alone = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("0", "1", "alone"))
    assert first["weights"] == second["weights"]
    assert first["paths"] == second["paths"] == alone["paths"]
    assert first["train_loss"] == second["train_loss"] == pytest.approx(alone["train_loss"], rel=1e-5)
    assert first["lr"] == second["lr"] == alone["lr"] < 0.05
    for name, weight in alone["weights"].items():
        torch.testing.assert_close(torch.tensor(first["weights"][name]), torch.tensor(weight), rtol=1e-4, atol=1e-6)
