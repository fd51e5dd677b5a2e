"""The angle under a real Trainer, for a module that is not ours, against algebra by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.strategies import FSDPStrategy
from torch import Tensor, nn

from lnas.errors import UsageError
from lnas.training.callbacks import AngleCallback, angle_between


class Scripted(pl.LightningModule):
    """A module whose weights are set, step by step, to given values."""

    def __init__(self, *weights: Tensor) -> None:
        super().__init__()
        self.first = nn.Linear(1, 1)
        self.out = nn.Linear(weights[0].shape[1], weights[0].shape[0])
        self.weights = weights
        self.automatic_optimization = False
        self._to(0)

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        self.optimizers().step()
        self._to(batch_idx + 1)
        return torch.zeros(())

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)

    @torch.no_grad()
    def _to(self, step: int) -> None:
        self.out.weight.copy_(self.weights[step])
        self.out.bias.fill_(10.0 * step)
        self.first.weight.fill_(step + 1.0)


class Watched(pl.Callback):
    """Keep the weights of the last layer after every batch."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, Tensor]] = []

    def on_train_batch_end(self, trainer: Any, pl_module: Any, *rest: Any) -> None:
        self.seen.append((trainer.global_step, pl_module.out.weight.detach().clone()))


class SavesAt(pl.Callback):
    """Write a checkpoint after some step, before or after others have their turn, as its place in the list is."""

    def __init__(self, step: int, path: Path) -> None:
        self.step, self.path = step, path

    def on_train_batch_end(self, trainer: Any, *rest: Any) -> None:
        if trainer.global_step == self.step:
            trainer.save_checkpoint(self.path)


def turned(*degrees: float) -> list[Tensor]:
    return [torch.tensor([[math.cos(x), math.sin(x)]]) for x in map(math.radians, degrees)]


def test_angles_by_hand(fit: Callable[..., pl.Trainer]) -> None:
    start, end = torch.eye(2, 4), torch.tensor([[0.0, 1, 0, 0], [0, 1, 0, 0]])
    # (1,0,0,0, 0,1,0,0) to (0,1,0,0, 0,1,0,0): dot 1, lengths sqrt 2 each; then to the opposite
    callback, features = AngleCallback(every=1), AngleCallback("features")
    fit(Scripted(start, end, -3 * start), callback, features, steps=2)
    assert callback.history == [(1, pytest.approx(math.pi / 3)), (2, pytest.approx(math.pi))]
    assert callback.angle == callback.history[-1][1]
    assert callback.cosine == pytest.approx(-1)
    assert features.history == [(2, 0.0)]
    assert features.angle == 0
    assert callback.seconds > 0


def test_biases_count_where_asked_for(fit: Callable[..., pl.Trainer]) -> None:
    without, with_them = AngleCallback("out"), AngleCallback("out", biases="included")
    start, end = turned(0, 90)
    fit(Scripted(start, 10 * end), without, with_them, steps=1)
    assert without.angle == pytest.approx(math.pi / 2)
    # (1, 0, 0) to (0, 10, 10); a start with its bias, (1, 0, 2), to (10, 0, 20) has none
    assert with_them.angle == pytest.approx(math.pi / 2)
    module = Scripted(start, start)
    with_them = AngleCallback("out", biases="included")
    fit(module, with_them, steps=1)
    assert with_them.cosine == pytest.approx(1 / math.sqrt(101))  # (1, 0, 0) to (1, 0, 10)


@pytest.mark.parametrize(("every", "steps"), [(None, [5]), (1, [1, 2, 3, 4, 5]), (2, [2, 4, 5]), (5, [5]), (9, [5])])
def test_each_step_asked_for_is_measured_and_the_end_once(
    every: int | None, steps: list[int], fit: Callable[..., pl.Trainer]
) -> None:
    callback = AngleCallback(every=every)
    fit(Scripted(*turned(0, 10, 20, 30, 40, 50)), callback, steps=5)
    assert callback.history == [(step, pytest.approx(math.radians(10 * step), rel=1e-6)) for step in steps]


@pytest.mark.parametrize("accumulated", [1, 2, 3])
def test_steps_are_the_optimizers(
    accumulated: int, make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer]
) -> None:
    module = make()
    start = module.out.weight.detach().clone()
    callback, watched = AngleCallback("out", every=2), Watched()
    fit(module, callback, watched, steps=7, accumulate_grad_batches=accumulated)
    expected = {step: angle_between(start, weight) for step, weight in watched.seen if step in (2, 4, 6, 7)}
    assert [step for step, _ in callback.history] == [2, 4, 6, 7]
    assert dict(callback.history) == expected


def test_several_optimizers_in_a_step_leave_no_multiple_out(fit: Callable[..., pl.Trainer]) -> None:
    class Two(Scripted):
        def training_step(self, batch: Any, batch_idx: int) -> Tensor:
            self.optimizers().step()
            return super().training_step(batch, batch_idx)

    callback = AngleCallback(every=3)
    fit(Two(*turned(0, 10, 20, 30, 40)), callback, steps=8)
    assert [step for step, _ in callback.history] == [4, 6, 8]


def test_several_callbacks_share_a_trainer(
    make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer]
) -> None:
    callbacks = [AngleCallback(), AngleCallback(every=1), AngleCallback(biases="included"), AngleCallback("features")]
    trainer = fit(make(), *callbacks)
    assert len({callback.angle for callback in callbacks}) == 3
    assert len({callback.state_key for callback in callbacks}) == 4
    assert trainer.global_step == 8


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "bf16-true", "64-true"])
def test_any_precision_is_measured_from_the_weights_as_they_are(
    precision: str, make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer]
) -> None:
    module, callback, watched = make(), AngleCallback("out", every=1), Watched()
    fit(module, callback, watched, precision=precision)
    start = make().out.weight.to(watched.seen[0][1].dtype)
    assert callback.history == [(step, angle_between(start, weight)) for step, weight in watched.seen]
    assert callback._start["out.weight"].dtype == module.out.weight.dtype


@pytest.mark.slow
def test_a_compiled_net_and_a_wrapped_module_turn_as_plain_ones(
    make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer]
) -> None:
    class Wrapping(pl.LightningModule):
        def __init__(self, inner: pl.LightningModule) -> None:
            super().__init__()
            self.inner = inner

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            return self.inner.training_step(batch, batch_idx)

        def configure_optimizers(self) -> Any:
            return self.inner.configure_optimizers()

    compiled = make()
    compiled.body = torch.compile(compiled.body, backend="eager")
    histories = []
    for module in (make(), Wrapping(make()), compiled, torch.compile(make(), backend="eager")):
        callback = AngleCallback("features", every=2)
        fit(module, callback)
        histories.append(callback.history)
    assert histories[1:] == [histories[0]] * 3


def test_shared_weights_count_once(make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer]) -> None:
    tied, plain = make(), make()
    tied.head = tied.out
    callbacks = [AngleCallback(""), AngleCallback("")]
    fit(tied, callbacks[0])
    fit(plain, callbacks[1])
    assert callbacks[0].angle == callbacks[1].angle > 0


def test_divergence_is_nan_and_raises_nothing(fit: Callable[..., pl.Trainer]) -> None:
    start = torch.tensor([[1.0, 0.0]])
    callback = AngleCallback(every=1)
    fit(Scripted(start, start * 1e30, start * math.inf, start * math.nan), callback, steps=3)
    angles = [angle for _, angle in callback.history]
    assert angles[0] == 0
    assert all(map(math.isnan, [*angles[1:], callback.angle, callback.cosine]))


@pytest.mark.parametrize("done", [1, 2, 5, 7])
def test_a_resumed_training_gives_the_numbers_of_an_uninterrupted_one(
    done: int, make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer], tmp_path: Path
) -> None:
    def callbacks() -> list[AngleCallback]:
        return [AngleCallback(every=2), AngleCallback("features"), AngleCallback("", every=1, biases="included")]

    whole = callbacks()
    fit(make(), *whole)
    fit(make(), *callbacks(), steps=done).save_checkpoint(tmp_path / "part")
    resumed = callbacks()
    fit(make(seed=1), *resumed, go_on_from=tmp_path / "part")
    for one, other in zip(whole, resumed, strict=True):
        assert one.history == other.history
        assert one.angle == other.angle > 0
        assert other.seconds > 0


@pytest.mark.parametrize("first", [True, False])
def test_a_checkpoint_within_training_loses_no_point(
    first: bool, make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer], tmp_path: Path
) -> None:
    whole, saves = AngleCallback(every=2), SavesAt(4, tmp_path / "part")
    fit(make(), *([saves, whole] if first else [whole, saves]))
    resumed = AngleCallback(every=2)
    fit(make(seed=1), resumed, go_on_from=tmp_path / "part")
    assert resumed.history == whole.history
    assert [step for step, _ in resumed.history] == [2, 4, 6, 8]


def test_a_training_that_had_ended_keeps_its_numbers(
    make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer], tmp_path: Path
) -> None:
    ended, again = AngleCallback(), AngleCallback()
    fit(make(), ended, steps=3).save_checkpoint(tmp_path / "end")
    fit(make(seed=1), again, steps=3, go_on_from=tmp_path / "end")
    assert again.history == ended.history == [(3, ended.angle)]
    assert again.angle == ended.angle


def test_the_end_of_a_training_that_goes_on_is_no_end(
    make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer], tmp_path: Path
) -> None:
    callback, during = AngleCallback(), []
    watching = pl.callbacks.LambdaCallback(
        on_train_batch_end=lambda *arguments: during.append((callback.angle, callback.history))
    )
    fit(make(), AngleCallback(), steps=3).save_checkpoint(tmp_path / "part")
    fit(make(), callback, watching, steps=4, go_on_from=tmp_path / "part")
    assert during == [(pytest.approx(math.nan, nan_ok=True), [])]


def test_a_group_is_what_was_trained_at_the_start(
    make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer], tmp_path: Path
) -> None:
    callbacks = [AngleCallback("features"), AngleCallback("features")]
    fit(make(), callbacks[0], steps=3).save_checkpoint(tmp_path / "part")
    frozen = make(seed=1)
    frozen.body.requires_grad_(False)
    frozen.configure_optimizers = lambda: torch.optim.SGD(
        [{"params": [*frozen.body.parameters(), *frozen.out.parameters()]}], lr=0.1, momentum=0.9
    )
    with pytest.raises(UsageError, match="Nothing is trained"):
        fit(frozen, AngleCallback("features"), steps=1)
    frozen.setup = lambda stage: None  # a module that may still change in its own `setup`
    fit(frozen, callbacks[1], go_on_from=tmp_path / "part")
    assert callbacks[1].angle == callbacks[0].angle


def test_a_callback_can_be_used_again(make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer]) -> None:
    used, fresh = AngleCallback(every=3), AngleCallback(every=3)
    fit(make(), used, steps=4)
    fit(make(seed=1), used)
    fit(make(seed=1), fresh)
    assert used.history == fresh.history


@pytest.mark.filterwarnings("ignore:.*callbacks used to create the checkpoint")
def test_resumed_weights_are_never_taken_for_the_start(
    make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer], tmp_path: Path
) -> None:
    fit(make(), AngleCallback("out"), steps=3).save_checkpoint(tmp_path / "part")
    with pytest.raises(UsageError, match=r"AngleCallback\(group='body'\) resumed: expected a checkpoint .* step 3"):
        fit(make(), AngleCallback("body"), go_on_from=tmp_path / "part")


def test_a_checkpoint_of_another_module_is_refused(make: Callable[..., pl.LightningModule]) -> None:
    callback = AngleCallback("out")
    callback.load_state_dict(AngleCallback("out").state_dict() | {"start": {"out.weight": torch.zeros(3, 3)}})
    with pytest.raises(UsageError, match=r"the weights of the checkpoint, got 'no out\.weight'"):
        callback.on_train_start(SimpleNamespace(global_step=1), make())  # type: ignore[arg-type]


def test_the_state_is_plain_and_its_size_is_that_of_the_group(
    make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer], tmp_path: Path
) -> None:
    callback = AngleCallback("out", every=3)
    fit(make(), callback)
    torch.save(callback.state_dict(), tmp_path / "state")
    state = torch.load(tmp_path / "state", weights_only=True)
    assert [weight.numel() for weight in state["start"].values()] == [8]
    again = AngleCallback("out", every=3)
    again.load_state_dict(state)
    assert (again.history, again.angle, again.seconds) == (callback.history, callback.angle, callback.seconds)


def test_the_start_is_kept_as_it_is(make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer]) -> None:
    module, callback = make(), AngleCallback("features")
    fit(module, callback)
    assert {name: weight.dtype for name, weight in callback._start.items()} == {"body.0.weight": torch.float32}
    assert torch.equal(callback._start["body.0.weight"], make().body[0].weight)
    assert callback._weights == {}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, r"AngleCallback\(every=0\): expected every >= 1, got 0"),
        ({"every": True}, r"every >= 1, got True"),
        ({"every": 1.5}, r"every >= 1, got 1.5"),
        ({"biases": "no"}, r"AngleCallback\(biases='no'\): expected excluded or included, got 'no'"),
    ],
)
def test_arguments_out_of_range_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        AngleCallback(**options)


def test_an_unknown_group_and_a_module_without_parameters_are_refused_before_anything_is_set_up(
    make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer]
) -> None:
    module = make()
    module.configure_optimizers = lambda: pytest.fail("too late")
    with pytest.raises(UsageError, match=r"AngleCallback\(group='outs'\): unknown group .* Did you mean 'out'\?"):
        fit(module, AngleCallback("outs"))
    module.body = module.out = None
    with pytest.raises(UsageError, match=r"expected a module with parameters, got 'Users'"):
        fit(module, AngleCallback())


def test_a_module_may_make_its_net_in_its_own_setup(
    make: Callable[..., pl.LightningModule], fit: Callable[..., pl.Trainer]
) -> None:
    class Late(type(make())):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            del self.out

        def setup(self, stage: str) -> None:
            self.out = nn.Linear(4, 2)

    callback = AngleCallback("out")
    fit(Late(), callback)
    assert callback.angle > 0


def test_split_weights_are_refused(make: Callable[..., pl.LightningModule]) -> None:
    trainer: Any = SimpleNamespace(strategy=FSDPStrategy())
    with pytest.raises(UsageError, match="whole weights in every process, got 'FSDPStrategy'"):
        AngleCallback().setup(trainer, make(), "fit")
