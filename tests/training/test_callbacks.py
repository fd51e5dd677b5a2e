"""Callbacks: hooks called by hand with known weights, then under a real Trainer."""

from __future__ import annotations

import math
from functools import partial
from types import SimpleNamespace
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from lnas.errors import UsageError
from lnas.training import CandidateModule, quiet_lightning, short_trainer
from lnas.training.callbacks import (
    AngleCallback,
    LossCallback,
    SeedEpochs,
    TrainingClock,
    angle_between,
    mean_training_loss,
    progress,
)


class Users(pl.LightningModule):
    """A module that is not ours: another attribute for the net, a loss of its own, batch norm and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
        self.out = nn.Linear(4, 2)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        inputs, targets = batch
        return nn.functional.mse_loss(self.out(self.body(inputs)), targets)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def fit_briefly(module: pl.LightningModule, batches: DataLoader[Any], *callbacks: pl.Callback, steps: int) -> None:
    with quiet_lightning():
        short_trainer(steps, callbacks, accelerator="cpu").fit(module, batches)


def loader(batches: int = 5) -> DataLoader[Any]:
    torch.manual_seed(0)
    return DataLoader(TensorDataset(torch.randn(4 * batches, 4), torch.randn(4 * batches, 2)), batch_size=4)


@pytest.mark.parametrize("degrees", [0, 1e-5, 45, 90, 179.99999, 180])
def test_angle_is_exact_also_where_arccos_is_not(degrees: float) -> None:
    radians = math.radians(degrees)
    u = torch.tensor([3.0, 0.0], dtype=torch.float64)
    v = 7 * torch.tensor([math.cos(radians), math.sin(radians)], dtype=torch.float64)
    assert angle_between(u, v) == pytest.approx(radians, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("bad", [[0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0]])
def test_angle_with_a_zero_or_broken_vector_is_nan(bad: list[float]) -> None:
    assert math.isnan(angle_between(torch.tensor(bad), torch.tensor([1.0, 0.0])))


def test_angle_callback_sees_the_group_without_its_bias() -> None:
    module = Users()
    callback = AngleCallback("out")
    trainer: Any = SimpleNamespace(global_step=3)
    with torch.no_grad():
        module.out.weight.copy_(torch.eye(2, 4))
        callback.on_fit_start(trainer, module)
        module.out.weight.copy_(torch.tensor([[0.0, 1, 0, 0], [0, 1, 0, 0]]))
        module.out.bias.fill_(100)
        module.body[0].weight.fill_(5)
    callback.on_train_end(trainer, module)
    # start (1,0,0,0, 0,1,0,0), end (0,1,0,0, 0,1,0,0): dot 1, lengths sqrt 2 each
    assert callback.angle == pytest.approx(math.pi / 3)
    assert callback.cosine == pytest.approx(0.5)
    assert callback.history == [(3, callback.angle)]


def test_angle_callback_follows_training_every_k_steps() -> None:
    callback = AngleCallback("out", every=2)
    fit_briefly(Users(), loader(), callback, steps=5)
    assert [step for step, _ in callback.history] == [2, 4, 5]
    assert all(0 < angle < math.pi for _, angle in callback.history)


def test_angle_callback_survives_a_checkpoint() -> None:
    module, trainer = Users(), SimpleNamespace(global_step=1)
    first = AngleCallback("out")
    first.on_fit_start(trainer, module)  # type: ignore[arg-type]
    again = AngleCallback("out")
    again.load_state_dict(first.state_dict())
    with torch.no_grad():
        module.out.weight.add_(1)
    for callback in (first, again):
        callback.on_fit_start(trainer, module)  # type: ignore[arg-type]
        callback.on_train_end(trainer, module)  # type: ignore[arg-type]
    assert first.angle == again.angle > 0.1


def test_angle_callback_names_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"AngleCallback\(group='head'\).*body.1, out"):
        AngleCallback("head").on_fit_start(SimpleNamespace(), Users())  # type: ignore[arg-type]


def test_angle_callback_finds_a_head_that_goes_by_two_names_and_counts_it_once() -> None:
    module = Users()
    module.net = nn.Module()
    module.net.classifier = module.out  # named `out` first
    module.net.classifier_aux = nn.Linear(3, 3)
    callback = AngleCallback("net.classifier")
    assert callback._weights(module).shape == (module.out.weight.numel(),)


def test_angle_callback_refuses_a_period_below_one() -> None:
    with pytest.raises(UsageError, match="every >= 1, got 0"):
        AngleCallback(every=0)


class Recorder(pl.Callback):
    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.losses.append(float(outputs["loss"].detach()))


def test_loss_callback_records_each_step_and_then_the_given_batches() -> None:
    torch.manual_seed(1)
    module = Users()
    module.body[2].p = 0.0
    final = [(torch.randn(4, 4), torch.randn(4, 2)), (torch.randn(4, 4), torch.randn(4, 2))]
    callback, recorder = LossCallback(final), Recorder()
    fit_briefly(module, loader(), callback, recorder, steps=5)
    assert callback.steps == recorder.losses
    assert callback.last == recorder.losses[-1]
    module.train()
    by_hand = [float(module.training_step(batch, 0).detach()) for batch in final]
    assert callback.after == pytest.approx(sum(by_hand) / 2, rel=1e-6)


def test_mean_training_loss_leaves_the_module_as_found() -> None:
    module = Users().eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    mean_training_loss(module, [(torch.randn(4, 4), torch.randn(4, 2))])
    assert not module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(weight.grad is None for weight in module.parameters())


def test_seed_epochs_makes_an_epochs_draws_its_own() -> None:
    def draws(epoch: int) -> list[float]:
        torch.rand(7)
        SeedEpochs(5).on_train_epoch_start(SimpleNamespace(current_epoch=epoch), None)  # type: ignore[arg-type]
        return torch.rand(3).tolist()

    assert draws(0) == draws(0) != draws(1)


class Ticking(Users):
    """A training step takes 1 s and a validation step 100 s, by the clock of the test."""

    def __init__(self, clock: SimpleNamespace) -> None:
        super().__init__()
        self.clock = clock

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        self.clock.now += 1
        return super().training_step(batch, batch_idx)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        self.clock.now += 100


@pytest.mark.parametrize("interval", [1.0, 0.5])
def test_training_clock_leaves_validation_out(interval: float, monkeypatch: pytest.MonkeyPatch) -> None:
    time = SimpleNamespace(now=0.0)
    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: time.now))
    clock = TrainingClock()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=2,
        val_check_interval=interval,
        callbacks=[clock],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with quiet_lightning():
        trainer.fit(Ticking(time), loader(4), loader(1))
    assert time.now > 200
    assert clock.seconds == 8


def test_a_short_training_is_the_bare_loop() -> None:
    """Proof that the Trainer adds nothing: the same weights, bit for bit, as a loop written out."""

    def net() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 3))

    torch.manual_seed(1)
    images, labels = torch.randn(10, 3, 2, 2), torch.randint(3, (10,))
    sgd = partial(torch.optim.SGD, lr=0.2, momentum=0.9, nesterov=True, weight_decay=5e-4)
    trained = net()
    batches = DataLoader([(images, labels)] * 8, batch_size=None)
    fit_briefly(CandidateModule(trained, 3, sgd), batches, steps=8)
    bare = net()
    optimizer = sgd(bare.parameters())
    for _ in range(8):
        optimizer.zero_grad()
        nn.functional.cross_entropy(bare(images), labels).backward()
        optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(trained.parameters(), bare.parameters(), strict=True))
