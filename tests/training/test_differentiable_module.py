"""Steps beside ones made by hand, resuming, logs and what is refused, under real Trainers."""

from __future__ import annotations

import copy
import csv
import math
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

from lnas.data import DigitsData
from lnas.data.module import StepDataModule
from lnas.errors import RunError, UsageError
from lnas.nets import RegionNet, build_supernet, softmax_weights
from lnas.nets.choice import Pick
from lnas.nets.layers import PLAIN
from lnas.nets.nats_topology import NatsTopologyCell
from lnas.seeds import derive_seed
from lnas.spaces import DartsSpace, NasBench101Space, NatsSizeSpace, NdsResNetSpace
from lnas.training import quiet_lightning, short_trainer
from lnas.training.callbacks import mean_training_loss
from lnas.training.checkpoints import WholeFileCheckpointIO
from lnas.training.differentiable_module import DifferentiableModule
from lnas.training.relaxations import GumbelChoice
from lnas.types import Arch, Region

REGION = Region("nats_topology", ((0, 3), (1, 2), (1,), (0, 1, 3), (3, 4), (2,)))
BY_HAND: dict[str, Any] = {
    "optimizer": partial(torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=0.01),
    "architecture_optimizer": partial(torch.optim.SGD, lr=1.0),
    "schedule": None,
    "clip": None,
}
Batch = tuple[Tensor, Tensor]


class Batches(pl.LightningDataModule):
    """Batches by the number of the step."""

    def __init__(self, steps: int, size: int = 6) -> None:
        super().__init__()
        self.steps = steps
        self.size = size

    def train_dataloader(self) -> Any:
        return torch.utils.data.DataLoader([self.batch(step) for step in range(self.steps)], batch_size=None)

    def validation_batch(self, step: int) -> Batch:
        return self.batch(100 + step)

    def batch(self, number: int) -> Batch:
        generator = torch.Generator().manual_seed(number)
        labels = torch.randint(10, (self.size,), generator=generator)
        return torch.randn(self.size, 3, 8, 8, generator=generator), labels


def supernet(region: Region = REGION, **options: Any) -> RegionNet:
    torch.manual_seed(0)
    return build_supernet(region, **{"channels": 4, "cells": 1, **options})


def fit(module: pl.LightningModule, data: pl.LightningDataModule, epochs: int = 1, **options: Any) -> pl.Trainer:
    defaults = {"logger": False, "enable_checkpointing": False, "enable_progress_bar": False}
    trainer = pl.Trainer(
        **{"accelerator": "cpu", "max_epochs": epochs, "enable_model_summary": False, **defaults, **options}
    )
    with quiet_lightning():
        trainer.fit(module, datamodule=data)
    return trainer


def mixture_loss(net: RegionNet, logits: Sequence[Tensor], batch: Batch) -> Tensor:
    vectors = iter(logits)
    full = [next(vectors) if len(allowed) > 1 else torch.zeros(1) for allowed in net.region.choices]
    return functional.cross_entropy(net(batch[0], weights=softmax_weights(full)), batch[1])


def test_two_steps_of_first_order_by_hand() -> None:
    net, data = supernet(), Batches(steps=2)
    twin = copy.deepcopy(net)
    module = DifferentiableModule(net, seed=1, **BY_HAND)
    logits = [nn.Parameter(vector.detach().clone()) for vector in module.logits]
    assert [len(vector) for vector in logits] == [2, 2, 3, 2]
    weights = BY_HAND["optimizer"](twin.parameters())
    for step in range(2):
        gradients = torch.autograd.grad(mixture_loss(twin, logits, data.validation_batch(step)), logits)
        for vector, gradient in zip(logits, gradients, strict=True):
            vector.data -= gradient
        weights.zero_grad()
        mixture_loss(twin, [vector.detach() for vector in logits], data.batch(step)).backward()
        weights.step()
    trainer = fit(module, data)
    assert trainer.global_step == 2
    torch.testing.assert_close(list(module.logits), logits)
    torch.testing.assert_close(dict(net.named_parameters()), dict(twin.named_parameters()))
    assert module.logits[0].grad is None


def test_a_step_of_second_order_is_the_gradient_through_the_step_of_the_weights() -> None:
    """By a difference of whole trainings: the loss after a step of the weights from moved logits."""
    net, data = supernet(), Batches(steps=1)
    twin = copy.deepcopy(net)
    options = {**BY_HAND, "optimizer": partial(torch.optim.SGD, lr=0.5)}
    module = DifferentiableModule(net.double(), order="second", radius=1e-4, **options).double()
    before = [vector.detach().clone() for vector in module.logits]
    data.batch = lambda number, batch=data.batch: (batch(number)[0].double(), batch(number)[1])  # type: ignore[method-assign]
    statistics = copy.deepcopy(dict(net.named_buffers()))

    def loss_after_a_step(decision: int, choice: int, by: float) -> float:
        moved, other = [vector.clone() for vector in before], copy.deepcopy(twin).double()
        moved[decision][choice] += by
        mixture_loss(other, moved, data.batch(0)).backward()
        torch.optim.SGD(other.parameters(), lr=0.5).step()
        return float(mixture_loss(other, moved, data.validation_batch(0)).detach())

    fit(module, data)
    for decision, choice in ((0, 1), (2, 0), (3, 1)):
        slope = (loss_after_a_step(decision, choice, 1e-5) - loss_after_a_step(decision, choice, -1e-5)) / 2e-5
        step = float((before[decision] - module.logits[decision].detach())[choice])
        assert step == pytest.approx(slope, rel=1e-4)
    kept = copy.deepcopy(twin).double()
    mixture_loss(kept, [vector.detach() for vector in module.logits], data.batch(0))
    for name, buffer in kept.named_buffers():  # of one training batch at the weights that it found
        torch.testing.assert_close(net.get_buffer(name), buffer)
        assert not torch.equal(buffer, statistics[name])


def test_edges_are_normalized() -> None:
    """Node by node, beside a mixture whose weights are multiplied by hand."""
    net, data = supernet(), Batches(steps=1)
    twin = copy.deepcopy(net)
    module = DifferentiableModule(net, edges="normalized", **BY_HAND)
    assert [len(vector) for vector in module.edge_logits] == [1, 2, 3]
    for vector in module.edge_logits:
        vector.data.normal_()
    logits, edge_logits = ([each.detach().clone().requires_grad_() for each in group] for group in _groups(module))
    shares = [share for vector in edge_logits for share in vector.softmax(0)]
    vectors = iter(logits)
    mixture = [
        (next(vectors) if len(allowed) > 1 else torch.zeros(1)).softmax(0) * share
        for allowed, share in zip(REGION.choices, shares, strict=True)
    ]
    images, labels = data.validation_batch(0)
    # As a mixture also where one choice is left, which the net's own forward takes for a plain choice.
    loss = functional.cross_entropy(twin.logits(images, mixture), labels)
    gradients = torch.autograd.grad(loss, [*logits, *edge_logits])
    trainer = fit(module, data)
    for found, before, gradient in zip(
        [*module.logits, *module.edge_logits], [*logits, *edge_logits], gradients, strict=True
    ):
        torch.testing.assert_close(found, before - gradient)
    assert float(trainer.callback_metrics["val_loss"]) == pytest.approx(float(loss.detach()), rel=1e-5)


def _groups(module: DifferentiableModule) -> tuple[list[Tensor], list[Tensor]]:
    return list(module.logits), list(module.edge_logits)


def test_a_drawn_path_is_computed_alone_and_its_gradient_is_the_soft_one() -> None:
    net, data = supernet(), Batches(steps=1)
    twin = copy.deepcopy(net)
    module = DifferentiableModule(net, seed=4, relaxation=GumbelChoice(2.0, 2.0), **BY_HAND)
    logits = [vector.detach().clone().requires_grad_() for vector in module.logits]
    seen: dict[str, int] = {}
    for name, operation in net.named_modules():
        if name.split(".")[-1] in ("nor_conv_1x1", "nor_conv_3x3", "skip_connect", "avg_pool_3x3"):
            operation.register_forward_hook(lambda *_, name=name: seen.__setitem__(name, seen.get(name, 0) + 1))
    drawn: list[list[Any]] = []
    module._drawn, draw = lambda kind: drawn.append(draw(kind)) or drawn[-1], module._drawn  # type: ignore[method-assign, func-returns-value]
    fit(module, data)
    validation, training = ([int(pick) for pick in picks] for picks in drawn)
    assert validation != training
    assert sum(seen.values()) <= 2 * 3 * 6
    assert {name.split(".")[3] for name in seen} <= {"0->1", "0->2", "1->2", "0->3", "1->3", "2->3"}
    # The soft weight of each drawn choice, made anew, as a factor of its operation.
    soft = iter([vector.log_softmax(0) for vector in logits])
    generator = torch.Generator().manual_seed(derive_seed(4, "picks", 0, "validation"))
    picks = []
    for allowed, gene in zip(REGION.choices, validation, strict=True):
        vector = torch.zeros(len(allowed))
        index = allowed.index(gene)
        if len(allowed) > 1:
            noise = -torch.empty(len(allowed), dtype=torch.float64).exponential_(generator=generator).log()
            share = torch.softmax((next(soft) + noise.float()) / 2.0, 0)[index]
            vector = vector.index_put((torch.tensor(index),), 1 + share - share.detach())
        else:
            vector[index] = 1
        picks.append(vector)
    images, labels = data.validation_batch(0)
    loss = functional.cross_entropy(twin.logits(images, picks), labels)
    plain = functional.cross_entropy(twin(images, Arch("nats_topology", tuple(validation))), labels)
    assert float(loss.detach()) == pytest.approx(float(plain.detach()), rel=1e-5)
    gradients = torch.autograd.grad(loss, logits)
    assert any(gradient.any() for gradient in gradients)
    for found, before, gradient in zip(module.logits, logits, gradients, strict=True):
        torch.testing.assert_close(found, before - gradient)


def test_draws_leave_no_darts_node_without_an_edge() -> None:
    net = supernet(Region("darts", ((0, 3),) * 28), cells=2)
    module = DifferentiableModule(net, relaxation=GumbelChoice(), **BY_HAND)
    for vector in module.logits:
        vector.data = torch.tensor([2.0, 0.0])
    trainer = fit(module, Batches(steps=2))
    assert trainer.global_step == 2
    for vector in module.logits:
        vector.data = torch.tensor([40.0, 0.0])
    with pytest.raises(RunError, match=r"an edge into each node, got '1000 draws.*without `none`"):
        fit(module, Batches(steps=1))


def test_unused_weights_are_decayed_or_skipped() -> None:
    for inactive in ("decayed", "skipped"):
        net = supernet(Region("nats_topology", ((2, 3),) * 6))
        options = {**BY_HAND, "optimizer": partial(torch.optim.SGD, lr=0.1, weight_decay=0.5), "inactive": inactive}
        before = copy.deepcopy(net.state_dict())
        fit(DifferentiableModule(net, relaxation=GumbelChoice(), **options), Batches(steps=1))
        kinds = [
            (torch.equal(after, before[name]), torch.allclose(after, 0.95 * before[name], rtol=1e-6))
            for name, after in net.named_parameters()
            if "edges" in name
        ]
        assert (sum(same for same, _ in kinds), sum(decayed for _, decayed in kinds)) == (
            (0, 18) if inactive == "decayed" else (18, 0)
        )


def test_gradients_of_the_weights_are_clipped() -> None:
    net = supernet()
    before = copy.deepcopy(net)
    options = {**BY_HAND, "optimizer": partial(torch.optim.SGD, lr=1.0), "clip": 0.01}
    fit(DifferentiableModule(net, **options), Batches(steps=1))
    pairs = zip(before.parameters(), net.parameters(), strict=True)
    length = torch.cat([(one - other).detach().flatten() for one, other in pairs]).norm()
    assert float(length) == pytest.approx(0.01, rel=1e-3)


def test_warm_up_moves_the_weights_only() -> None:
    class Watch(pl.Callback):
        def __init__(self) -> None:
            self.epochs: list[tuple[list[float], set[str]]] = []

        def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
            logged = {name for name in trainer.callback_metrics if name.endswith("loss")}
            self.epochs.append((module.logits[0].tolist(), logged))

    watch = Watch()
    module = DifferentiableModule(supernet(), warmup_epochs=2)
    initial = module.logits[0].tolist()
    fit(module, Batches(steps=2), epochs=3, callbacks=[watch])
    assert [vector == initial for vector, _ in watch.epochs] == [True, True, False]
    with pytest.raises(UsageError, match="more epochs than the 2 of warmup_epochs, got 2"):
        fit(DifferentiableModule(supernet(), warmup_epochs=2), Batches(steps=1), epochs=2)


def test_the_learning_rate_and_the_temperature_go_by_the_epoch() -> None:
    class Asked(GumbelChoice):
        def temperature(self, progress: float) -> float:
            temperatures.append(progress)
            return super().temperature(progress)

    class Rates(pl.Callback):
        def on_train_batch_end(self, trainer: Any, *arguments: Any) -> None:
            rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    temperatures: list[float] = []
    rates: list[float] = []
    fit(DifferentiableModule(supernet(), relaxation=Asked()), Batches(steps=2), epochs=3, callbacks=[Rates()])
    expected = [0.001 + 0.024 * (1 + math.cos(math.pi * epoch / 3)) / 2 for epoch in (0, 0, 1, 1, 2, 2)]
    assert rates == pytest.approx(expected)
    assert list(dict.fromkeys(temperatures)) == [0, 0.5, 1]
    assert temperatures == sorted(temperatures)


class OneCell(RegionNet):
    """A cell without a stem, and the mean of each channel where it is positive."""

    def __init__(self, region: Region) -> None:
        super().__init__(region)
        self.cell = NatsTopologyCell(region.choices, 3, PLAIN, None)
        self.classifier = nn.Linear(3, 2)

    def logits(self, images: Tensor, picks: Sequence[Pick]) -> Tensor:
        return self.classifier(functional.relu(self.cell(images, picks, ((), (), ((0, 3),)))).mean((2, 3)))


class Stripes(Batches):
    """Along the rows or along the columns: alike in all means of neighbourhoods."""

    def batch(self, number: int) -> Batch:
        generator = torch.Generator().manual_seed(number)
        labels = torch.randint(2, (16,), generator=generator)
        rows = torch.tensor([1.0, -1.0]).repeat(4)[:, None].expand(8, 8)
        return torch.where(labels[:, None, None] == 0, rows, rows.T)[:, None].expand(-1, 3, -1, -1), labels


def test_a_decision_moves_to_the_operation_that_the_labels_need() -> None:
    torch.manual_seed(0)
    net = OneCell(Region("nats_topology", ((0,), (0,), (0,), (3, 4), (0,), (0,))))
    fast = partial(torch.optim.Adam, lr=0.05, betas=(0.5, 0.999))
    module = DifferentiableModule(net, architecture_optimizer=fast)
    module.logits[0].data = torch.tensor([-1.0, 1.0])
    fit(module, Stripes(steps=40))
    assert module.derive().genes == (0, 0, 0, 3, 0, 0)
    assert float(module.logits[0].detach().softmax(0)[0]) > 0.7


def search(folder: Path, resumed: Path | None = None, **options: Any) -> tuple[DifferentiableModule, pl.Trainer, Any]:
    """Search six steps, two an epoch, keeping a checkpoint after each step and each epoch."""
    module = DifferentiableModule(supernet(), seed=3, edges="normalized", **options)
    data = DigitsData()
    images = data.splits["train"]
    digits = StepDataModule(
        images.take(np.arange(24)), data, seed=1, steps=None, batch_size=12, held_out=images.take(np.arange(24, 60))
    )
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
        trainer.fit(module, datamodule=digits, ckpt_path=None if resumed is None else str(resumed))
    with (Path(logger.log_dir) / "metrics.csv").open() as file:
        return module, trainer, {row["epoch"]: row for row in csv.DictReader(file)}


OPTIONS: dict[str, dict[str, Any]] = {"drawn": {"relaxation": GumbelChoice()}, "second": {"order": "second"}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Any]]:
    folders = {kind: tmp_path_factory.mktemp(kind) for kind in OPTIONS}
    return {kind: (folder, search(folder, **OPTIONS[kind])) for kind, folder in folders.items()}


@pytest.mark.filterwarnings("ignore:The dirpath has changed", "ignore:Using ModelCheckpoint with manual optimization")
@pytest.mark.parametrize(
    ("kind", "at"), [("drawn", "step=3"), ("drawn", "step=4"), ("drawn", "end-of-epoch=0"), ("second", "step=3")]
)
def test_a_resumed_search_ends_as_one_that_was_never_stopped(
    whole: dict[str, tuple[Path, Any]], tmp_path: Path, kind: str, at: str
) -> None:
    """Bit for bit: in the middle of an epoch, after its last step, and at its end."""
    folder, (module, trainer, epochs) = whole[kind]
    found, found_trainer, found_epochs = search(tmp_path, folder / f"{at}.ckpt", **OPTIONS[kind])
    assert found_trainer.global_step == trainer.global_step == 6
    weights = found.state_dict()
    assert all(torch.equal(weights[name], value) for name, value in module.state_dict().items())
    states = [[each.state_dict() for each in run.optimizers] for run in (found_trainer, trainer)]
    torch.testing.assert_close(*states, rtol=0, atol=0)
    assert found.derive() == module.derive()
    assert len(found_epochs) >= (2 if at == "step=3" else 1)
    assert found_epochs == {epoch: epochs[epoch] for epoch in found_epochs}
    assert all(epochs["2"][name] for name in ("train_loss", "val_loss", "entropy", "lr"))


@pytest.mark.filterwarnings("ignore:Using ModelCheckpoint with manual optimization")
def test_a_checkpoint_of_another_region_is_refused(whole: dict[str, tuple[Path, Any]]) -> None:
    checkpoint = torch.load(whole["drawn"][0] / "step=3.ckpt", weights_only=True)
    with pytest.raises(UsageError, match=r"a checkpoint of a supernet of nats_topology:.*-1,3-.*got 'nats_topology:"):
        DifferentiableModule(supernet(REGION.without(3, 0))).on_load_checkpoint(checkpoint)


def test_logits_depend_on_the_seed_alone_and_are_small() -> None:
    one, same, other = (DifferentiableModule(supernet(), seed=seed) for seed in (1, 1, 2))
    assert all(map(torch.equal, one.logits, same.logits))
    assert not torch.equal(one.logits[0], other.logits[0])
    assert max(float(vector.detach().abs().max()) for vector in one.logits) < 0.01
    assert one.entropy == pytest.approx((3 * math.log(2) + math.log(3)) / 4, abs=1e-4)


def test_what_is_derived_follows_the_logits_and_is_what_forward_computes() -> None:
    module = DifferentiableModule(supernet(), edges="normalized").eval()
    for vector, best in zip(module.logits, (1, 0, 2, 0), strict=True):
        vector.data[best] = 1.0
    assert module.derive().genes == (3, 1, 1, 3, 3, 2)
    images, _ = Batches(1).batch(0)
    assert torch.equal(module(images), module.net(images, Arch("nats_topology", (3, 1, 1, 3, 3, 2))))


def test_edge_weights_decide_which_darts_edges_stay() -> None:
    module = DifferentiableModule(supernet(DartsSpace().region, cells=1), edges="normalized")
    for vector in module.edge_logits:
        vector.data = torch.arange(len(vector), dtype=torch.float32)
    arch = module.derive()
    DartsSpace().validate(arch)
    assert all(arch.genes[edge] > 0 for node in DartsSpace().edges_by_node for edge in node[-2:])


def test_measuring_trains_nothing() -> None:
    module, data, losses = DifferentiableModule(supernet()), Batches(steps=2), []

    class Measure(pl.Callback):
        def on_train_batch_end(self, trainer: Any, module: Any, *arguments: Any) -> None:
            before = copy.deepcopy(module.state_dict())
            losses.append(float(mean_training_loss(module, [data.batch(9)])))
            assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())

    fit(module, data, callbacks=[Measure()])
    assert len(losses) == 2
    assert all(map(math.isfinite, losses))


def test_it_searches_in_mixed_precision_and_under_a_bare_bones_trainer() -> None:
    for order in ("first", "second"):
        module = DifferentiableModule(supernet(), order=order)
        fit(module, Batches(steps=1), precision="bf16-mixed")
        assert all(vector.isfinite().all() for vector in module.logits)
    with quiet_lightning():
        short_trainer([], epochs=1, accelerator="cpu").fit(module, datamodule=Batches(steps=1))


@pytest.mark.parametrize("space", [NdsResNetSpace(), NatsSizeSpace(), NasBench101Space()], ids=lambda space: space.name)
def test_spaces_without_operations_on_edges_are_refused(space: Any) -> None:
    class Elsewhere(nn.Module):
        region = space.region

    with pytest.raises(UsageError, match=rf"operations on edges \(nats_topology, darts\), got '{space.name}'"):
        DifferentiableModule(Elsewhere())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"order": "frist"}, "unknown order 'frist'. Did you mean 'first'"),
        ({"edges": "mean"}, "unknown edges 'mean'"),
        ({"inactive": "decay"}, "unknown inactive 'decay'. Did you mean 'decayed'"),
        ({"none": "never"}, "unknown none 'never'"),
        ({"radius": 0.0}, "radius > 0, got 0.0"),
        ({"warmup_epochs": -1}, "warmup_epochs >= 0, got -1"),
        ({"clip": 0.0}, "clip > 0, or None, got 0.0"),
        ({"net": supernet(Region.of(Arch("nats_topology", (3,) * 6)))}, "a region with something to decide"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        DifferentiableModule(**{"net": supernet(), **options})


@pytest.mark.parametrize(
    ("make", "trainer", "message"),
    [
        (lambda: Batches(1), {"max_epochs": -1, "max_steps": 1}, r"Trainer\(max_epochs=...\), got -1"),
        (lambda: Batches(1), {"accelerator": "cpu", "devices": 2, "strategy": "ddp"}, r"Trainer\(devices=1\), got 2"),
        (lambda: pl.LightningDataModule(), {}, r"a data module with `validation_batch\(step\)`"),
    ],
)
def test_trainers_that_cannot_search_are_refused(
    make: Callable[[], Any], trainer: dict[str, Any], message: str
) -> None:
    module = DifferentiableModule(supernet())
    with quiet_lightning():
        module.trainer = pl.Trainer(**{"accelerator": "cpu", "max_epochs": 1, "logger": False, **trainer})
        module.trainer.datamodule = make()
        with pytest.raises(UsageError, match=message):
            module.setup("fit")


def test_float16_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pl.Trainer, "precision", "16-mixed")
    with pytest.raises(UsageError, match=r"'bf16-mixed'\) or '32-true', got '16-mixed'"):
        fit(DifferentiableModule(supernet()), Batches(1))


def test_second_order_is_refused_to_other_optimizers() -> None:
    with pytest.raises(UsageError, match="an SGD where order='second', got 'Adam'"):
        fit(DifferentiableModule(supernet(), order="second", optimizer=torch.optim.Adam), Batches(1))
