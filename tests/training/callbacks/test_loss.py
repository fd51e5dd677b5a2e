"""The loss of steps under a real Trainer, for modules that are not ours, against loops and sums by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor

from lnas.errors import UsageError
from lnas.training.callbacks import LossCallback, loss


class Says(pl.LightningModule):
    """A module whose losses are given numbers."""

    def __init__(self, *losses: float | None, as_dict: bool = False, manual: bool = False) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.losses = losses
        self.as_dict = as_dict
        self.automatic_optimization = not manual

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        if not self.automatic_optimization:
            self.optimizers().step()
        if (number := self.losses[batch_idx]) is None:
            return None
        loss = self.weight * 0 + number
        return {"loss": loss, "extra": batch_idx} if self.as_dict else loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


class Recorder(pl.Callback):
    """Keep what Lightning hands to callbacks."""

    def __init__(self) -> None:
        self.losses: list[float] = []

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        self.losses.append(float(outputs["loss"]))


@pytest.mark.parametrize("as_dict", [False, True])
@pytest.mark.parametrize("manual", [False, True])
def test_steps_and_what_is_made_of_them(manual: bool, as_dict: bool, fit: Callable[..., pl.Trainer]) -> None:
    callback = LossCallback()
    assert math.isnan(callback.last)
    assert math.isnan(callback.area)
    fit(Says(4.0, 2.0, 1.0, 3.0, as_dict=as_dict, manual=manual), callback, steps=4)
    assert callback.steps == [4, 2, 1, 3]
    assert callback.last == 3
    assert callback.area == 10
    assert [callback.mean_of_last(k) for k in (1, 2, 3, 4)] == [3, 2, 2, 2.5]
    assert math.isnan(callback.after)
    assert callback.seconds > 0


@pytest.mark.parametrize("k", [0, -1, 3])
def test_a_mean_of_more_steps_than_there_are_is_refused(k: int, fit: Callable[..., pl.Trainer]) -> None:
    callback = LossCallback()
    fit(Says(4.0, 2.0), callback, steps=2)
    with pytest.raises(UsageError, match=rf"mean_of_last\({k}\): expected 1 <= k <= 2, the steps so far, got {k}"):
        callback.mean_of_last(k)


@pytest.mark.parametrize(("accumulated", "expected"), [(1, [8, 4, 2, 1, 5, 3, 7, 9]), (2, [6, 1.5, 4, 8])])
def test_a_step_is_the_mean_over_its_batches(
    accumulated: int, expected: list[float], fit: Callable[..., pl.Trainer]
) -> None:
    callback = LossCallback()
    numbers = 8.0, 4.0, 2.0, 1.0, 5.0, 3.0, 7.0, 9.0
    fit(Says(*numbers), callback, steps=len(expected), accumulate_grad_batches=accumulated)
    assert callback.steps == expected


def test_a_last_step_of_fewer_batches_is_their_mean(fit: Callable[..., pl.Trainer]) -> None:
    callback = LossCallback()
    fit(Says(3, 6, 9, 3, 6, 9, 2, 4), callback, steps=3, accumulate_grad_batches=3)
    assert callback.steps == pytest.approx([6, 6, 3])


def test_accumulation_by_hand_counts_steps_as_well(fit: Callable[..., pl.Trainer]) -> None:
    class ByHand(Says):
        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            if batch_idx % 2:
                self.optimizers().step()
            return torch.tensor(self.losses[batch_idx])

    callback = LossCallback()
    fit(ByHand(3.0, 5.0, 1.0, 2.0, manual=True), callback, steps=2)
    assert callback.steps == [4, 1.5]


@pytest.mark.filterwarnings("ignore:.*returned `None`")
def test_a_skipped_batch_has_no_loss(fit: Callable[..., pl.Trainer]) -> None:
    callback = LossCallback()
    fit(Says(4.0, None, 1.0), callback, steps=3)
    assert callback.steps == pytest.approx([4, math.nan, 1], nan_ok=True)
    assert math.isnan(callback.area)


@pytest.mark.parametrize("numbers", [(math.nan, 1.0), (math.inf, 1.0)])
def test_divergence_is_recorded_as_it_is(numbers: tuple[float, ...], fit: Callable[..., pl.Trainer]) -> None:
    callback = LossCallback()
    fit(Says(*numbers), callback, steps=2)
    assert callback.steps == pytest.approx(list(numbers), nan_ok=True)
    assert not math.isfinite(callback.area)


def test_a_module_without_a_loss_is_told_so(fit: Callable[..., pl.Trainer]) -> None:
    message = r"expected a loss of one number from training_step, got {}\. Return it, or {{'loss': ...}}, in manual"
    with pytest.raises(UsageError, match=message.format(None)):
        fit(Says(None, manual=True), LossCallback())

    class Vector(Says):
        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            return torch.zeros(3)

    with pytest.raises(UsageError, match=message.format(r"\(3,\)")):
        fit(Vector(manual=True), LossCallback())


def test_final_batches_are_refused_where_computing_the_loss_trains(fit: Callable[..., pl.Trainer]) -> None:
    with pytest.raises(UsageError, match=r"expected automatic optimization, got 'Says'\. Leave final_batches out"):
        fit(Says(1.0, manual=True), LossCallback([1]))


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "bf16-true"])
def test_the_loss_after_the_last_update_is_computed_as_in_training(
    precision: str, make: Callable[..., pl.LightningModule], batches: Any, fit: Callable[..., pl.Trainer]
) -> None:
    module, callback, recorder = make(), LossCallback(batches), Recorder()
    trainer = fit(module, callback, recorder, precision=precision)
    assert callback.steps == recorder.losses
    module.train()
    with torch.no_grad(), trainer.precision_plugin.train_step_context():
        converted = [trainer.precision_plugin.convert_input(batch) for batch in batches]
        by_hand = torch.stack([module.training_step(batch, 0) for batch in converted]).mean()
    assert callback.after == float(by_hand)


def test_final_batches_may_come_one_by_one_and_may_be_none(
    make: Callable[..., pl.LightningModule], batches: Any, fit: Callable[..., pl.Trainer]
) -> None:
    listed, streamed, nothing = (LossCallback(items) for items in (batches, iter(list(batches)), iter([])))
    for callback in (listed, streamed, nothing):
        fit(make(), callback)
    assert streamed.after == listed.after
    assert math.isnan(nothing.after)


@pytest.mark.parametrize("done", [1, 2, 5, 7])
def test_a_resumed_training_gives_the_numbers_of_an_uninterrupted_one(
    done: int, make: Callable[..., pl.LightningModule], batches: Any, fit: Callable[..., pl.Trainer], tmp_path: Path
) -> None:
    whole, part, resumed = (LossCallback(batches) for _ in range(3))
    fit(make(), whole)
    fit(make(), part, steps=done).save_checkpoint(tmp_path / "part")
    fit(make(seed=1), resumed, go_on_from=tmp_path / "part")
    assert part.after != whole.after
    assert (resumed.steps, resumed.area, resumed.after) == (whole.steps, whole.area, whole.after)
    assert len(resumed.steps) == 8


def test_a_training_that_had_ended_keeps_its_numbers(
    make: Callable[..., pl.LightningModule], batches: Any, fit: Callable[..., pl.Trainer], tmp_path: Path
) -> None:
    ended, again = LossCallback(batches), LossCallback(batches)
    fit(make(), ended, steps=3).save_checkpoint(tmp_path / "end")
    fit(make(seed=1), again, steps=3, go_on_from=tmp_path / "end")
    assert (again.steps, again.after) == (ended.steps, ended.after)


def test_steps_that_a_checkpoint_lacks_are_no_silent_gap(
    make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer], tmp_path: Path
) -> None:
    fit(make(), steps=3).save_checkpoint(tmp_path / "part")
    message = r"LossCallback\(\) resumed: expected a checkpoint with the losses of all 3 steps, got 'up to step 0'"
    with pytest.raises(UsageError, match=message):
        fit(make(), LossCallback(), go_on_from=tmp_path / "part")


def test_a_callback_can_be_used_again(make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer]) -> None:
    used, fresh = LossCallback(), LossCallback()
    fit(make(), used, steps=4)
    fit(make(seed=1), used)
    fit(make(seed=1), fresh)
    assert used.steps == fresh.steps


def test_losses_are_read_from_the_device_once_an_epoch(
    fit: Callable[..., pl.Trainer], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []
    monkeypatch.setattr(Tensor, "tolist", lambda tensor: reads.append(len(tensor)) or [0.0] * len(tensor))
    monkeypatch.setattr(Tensor, "item", lambda tensor: pytest.fail("waits for the device"))
    callback = LossCallback()
    fit(Says(*[1.0] * 8), callback)
    assert callback.steps == [0.0] * 8
    assert reads == [8]


def test_the_mean_over_processes_leaves_what_others_see_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_reduce(total: Tensor) -> None:
        total += 10 + 30  # of two other processes

    monkeypatch.setattr(torch.distributed, "all_reduce", all_reduce)
    callback, outputs = LossCallback(), {"loss": torch.tensor(2.0)}
    trainer: Any = SimpleNamespace(world_size=3, global_step=1, accumulate_grad_batches=1)
    callback.on_train_batch_end(trainer, Says(1.0), outputs, None, 0)
    assert callback.steps == [14]
    assert outputs["loss"] == 2
    monkeypatch.setattr(loss, "mean_training_loss", lambda module, batches: torch.tensor(5.0))
    trainer.precision_plugin = pl.plugins.Precision()
    callback = LossCallback([None])
    callback.on_train_end(trainer, Says(1.0))
    assert callback.after == 15
