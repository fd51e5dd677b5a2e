"""Full trainings, bit for bit: resumed, averaged, diverged, in several processes. Also a script that is one of them."""

from __future__ import annotations

import json
import math
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from lnas.errors import UsageError
from lnas.nets import build_net, isolated_randomness
from lnas.nets.depthwise import is_wide_depthwise
from lnas.spaces import published_genotype
from lnas.training import Fitted, Measured, Retraining, fit, measure, quiet_lightning
from lnas.training.callbacks.best import KeepBest
from lnas.training.callbacks.divergence import DivergedError
from lnas.training.checkpoints import WholeFileCheckpointIO
from lnas.training.fitting import Weights, holding

CLASSES, PIXELS, BATCH, STEPS = 6, 4, 8, 3
RECIPE = Retraining(epochs=4, batch_size=BATCH, lr=0.1, accelerator="cpu")


class TwoHeads(nn.Module):
    """Batch norm, drop-path and an auxiliary classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten())
        self.auxiliary = nn.Linear(16, CLASSES)
        self.classifier = nn.Linear(16, CLASSES)
        self.drop_path = 0.0

    def set_drop_path(self, probability: float) -> None:
        self.drop_path = probability

    def features(self, images: Tensor) -> Tensor:
        return functional.dropout(self.body(images), self.drop_path, self.training)

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier(self.features(images))

    def logits_with_auxiliary(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(images)
        return self.classifier(features), self.auxiliary(features)


def batch(number: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(number)
    images = torch.randn(BATCH, 3, PIXELS, PIXELS, generator=generator)
    return images, torch.randint(CLASSES, (BATCH,), generator=generator)


def loader(batches: list[Any]) -> Any:
    """Load them; without a generator of its own a loader would draw from the global one whenever it is iterated."""
    return torch.utils.data.DataLoader(batches, batch_size=None, generator=torch.Generator())


class Batches(pl.LightningDataModule):
    """Three training batches, shown with noise and mixed labels drawn from each global generator, and two others."""

    def train_dataloader(self) -> Any:
        return loader([batch(number) for number in range(STEPS)])

    def val_dataloader(self) -> Any:
        return loader([batch(10), batch(11)])

    def test_dataloader(self) -> Any:
        return self.val_dataloader()

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        images, labels = batch
        if self.trainer is None or not self.trainer.training:
            return images, labels
        share = (np.random.rand() + random.random()) / 2  # noqa: NPY002
        mixed = functional.one_hot(labels, CLASSES) * share + functional.one_hot(labels.flip(0), CLASSES) * (1 - share)
        return images + torch.randn_like(images) / 10, mixed


def train(
    recipe: Retraining = RECIPE,
    folder: Path | None = None,
    callbacks: Iterable[pl.Callback] = (),
    data: pl.LightningDataModule | None = None,
    epochs: list[dict[str, float]] | None = None,
) -> Fitted:
    """Train from the same start; the numbers of each epoch are added to `epochs`."""

    def keep(epoch: int, numbers: Any) -> None:
        if epochs is not None:
            epochs.append(dict(numbers))

    with isolated_randomness(3), quiet_lightning():
        return fit(TwoHeads(), CLASSES, data or Batches(), recipe, 7, keep, folder, callbacks)


Numbers = list[dict[str, float]]


class StoppedError(Exception):
    pass


class StopAt(pl.Callback):
    """Raise in the middle of an epoch."""

    def __init__(self, step: int) -> None:
        self._step = step

    def on_train_batch_end(self, trainer: pl.Trainer, *arguments: Any) -> None:
        if trainer.global_step == self._step:
            raise StoppedError


def weights(module: nn.Module) -> dict[str, Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def loaded(path: Path) -> dict[str, Any]:
    return WholeFileCheckpointIO().load_checkpoint(path)


def curves(epochs: Numbers) -> list[dict[str, float]]:
    return [{name: value for name, value in numbers.items() if name != "seconds"} for numbers in epochs]


def measured(fitted: Fitted, which: Weights = "last") -> Measured:
    with quiet_lightning():
        return measure(fitted, Batches(), which)


RECIPES = {
    "plain": {},
    "averaged": {"ema": 0.5, "step_every": "step", "gradient_clip": 0.5, "accumulate": 2, "decayed": "weights"},
    "darts": {"auxiliary_weight": 0.4, "drop_path": 0.3, "label_smoothing": 0.1, "schedule": "exponential"},
    "impatient": {"patience": 1, "lr": 2.0, "epochs": 12, "schedule": "none"},
}


@pytest.mark.parametrize("options", RECIPES.values(), ids=RECIPES)
def test_a_training_stopped_amid_an_epoch_ends_as_one_that_was_not(tmp_path: Path, options: dict[str, Any]) -> None:
    recipe = replace(RECIPE, **options)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    epochs: Numbers = []
    expected = train(recipe, whole, epochs=epochs)
    in_parts: Numbers = []
    with pytest.raises(StoppedError):
        train(recipe, parts, [StopAt(math.ceil(1.5 * STEPS / recipe.accumulate))], epochs=in_parts)
    found = train(recipe, parts, epochs=in_parts)
    assert curves(in_parts) == curves(epochs)
    assert equal(weights(found.module), weights(expected.module))
    for name in ("last.ckpt", "best.ckpt"):
        assert equal(loaded(parts / name)["state_dict"], loaded(whole / name)["state_dict"])
    again: Numbers = []
    assert equal(weights(train(recipe, parts, epochs=again).module), weights(expected.module))
    assert again == []


def test_a_training_stops_where_its_patience_ends() -> None:
    epochs: Numbers = []
    train(replace(RECIPE, **RECIPES["impatient"]), epochs=epochs)
    losses = [numbers["val_loss"] for numbers in epochs]
    assert len(losses) < 12
    assert losses[-1] >= min(losses[:-1])
    assert all(loss < min(losses[:index]) for index, loss in enumerate(losses[:-1]) if index)


def test_the_best_epoch_is_the_first_of_the_highest_validation_accuracy(tmp_path: Path) -> None:
    epochs: Numbers = []
    fitted = train(replace(RECIPE, lr=0.5), tmp_path, epochs=epochs)
    accuracies = [numbers["val_acc"] for numbers in epochs]
    kept = next(callback for callback in fitted.trainer.callbacks if isinstance(callback, KeepBest))
    assert kept.epoch == accuracies.index(max(accuracies)) + 1 < len(accuracies)
    last = weights(fitted.module)
    assert measured(fitted, "best").accuracy == max(accuracies)
    with holding(fitted, "best") as net:
        assert not equal(weights(net), {name.removeprefix("net."): last[name] for name in last})
    assert equal(weights(fitted.module), last)
    assert measured(fitted).accuracy == accuracies[-1]


def test_without_held_out_images_no_epoch_is_best(tmp_path: Path) -> None:
    epochs: Numbers = []
    fitted = train(replace(RECIPE, trained_on="train+val"), tmp_path, epochs=epochs)
    assert set(epochs[0]) == {"train_loss", "lr", "seconds"}
    with pytest.raises(UsageError, match=r"measure\(weights='best'\): expected best.ckpt"):
        measured(fitted, "best")


def test_the_average_is_the_exponential_one_of_all_steps() -> None:
    class Averages(pl.Callback):
        def on_train_start(self, trainer: pl.Trainer, module: Any) -> None:
            self.mean = weights(module.net)

        def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *arguments: Any) -> None:
            for name, tensor in weights(module.net).items():
                self.mean[name] = 0.9 * self.mean[name] + 0.1 * tensor if tensor.is_floating_point() else tensor

    averages = Averages()
    epochs: Numbers = []
    fitted = train(replace(RECIPE, ema=0.9), callbacks=[averages], epochs=epochs)
    for name, tensor in weights(fitted.module.net).items():
        torch.testing.assert_close(tensor, averages.mean[name])
    found = measured(fitted)
    assert (found.accuracy, found.loss) == (epochs[-1]["val_acc"], epochs[-1]["val_loss"])


class TurnBad(pl.Callback):
    """Make an image, or after a step the weights, no numbers."""

    def __init__(self, what: str, step: int) -> None:
        self._what, self._step = what, step

    def on_train_batch_start(self, trainer: pl.Trainer, module: Any, batch: Any, batch_idx: int) -> None:
        if self._what == "loss" and trainer.global_step == self._step - 1:
            batch[0].fill_(math.nan)

    def on_train_batch_end(self, trainer: pl.Trainer, module: Any, *arguments: Any) -> None:
        if self._what == "weights" and trainer.global_step == self._step:
            next(module.net.parameters()).data.fill_(math.inf)


@pytest.mark.parametrize(
    ("what", "step", "said"),
    [("loss", 5, "epoch 2, step 5: expected a finite loss, got nan"), ("weights", 6, "epoch 2, step 6: .* weights")],
)
def test_a_diverged_training_stops_and_leaves_its_good_checkpoints(
    tmp_path: Path, what: str, step: int, said: str
) -> None:
    epochs: Numbers = []
    with pytest.raises(DivergedError, match=said):
        train(folder=tmp_path, callbacks=[TurnBad(what, step)], epochs=epochs)
    assert len(epochs) == 1
    for name in ("last.ckpt", "best.ckpt"):
        kept = loaded(tmp_path / name)
        assert kept["epoch"] == 0
        assert all(tensor.isfinite().all() for tensor in kept["state_dict"].values())
    assert equal(weights(train(folder=tmp_path).module), weights(train().module))


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_learning_rate_moves_with_every_step_where_asked(accumulate: int) -> None:
    class Rates(pl.Callback):
        def __init__(self) -> None:
            self.found: dict[int, float] = {}

        def on_train_batch_start(self, trainer: pl.Trainer, *arguments: Any) -> None:
            self.found[trainer.global_step] = trainer.optimizers[0].param_groups[0]["lr"]

    rates = Rates()
    train(replace(RECIPE, schedule="linear", step_every="step", accumulate=accumulate, epochs=2), callbacks=[rates])
    steps = 2 * math.ceil(STEPS / accumulate)
    assert list(rates.found.values()) == pytest.approx([0.1 * (1 - step / steps) for step in range(steps)])


@pytest.mark.parametrize("options", [{"drop_path": 0.2}, {"auxiliary_weight": 0.4}])
def test_what_the_network_lacks_is_named(options: dict[str, Any]) -> None:
    net = nn.Linear(2, 2)
    with pytest.raises(UsageError, match=r"expected a network with .*, got 'Linear'"):
        fit(net, 2, Batches(), replace(RECIPE, **options), 0, lambda epoch, numbers: None)


def test_wide_depthwise_convolutions_are_ours_while_a_network_is_trained() -> None:
    net = build_net(published_genotype("DARTS_V2"), CLASSES, channels=4, cells=3)
    wide = [module for module in net.modules() if is_wide_depthwise(module)]
    seen = []

    class Watch(pl.Callback):
        def on_train_batch_start(self, *arguments: Any) -> None:
            seen.append(all("forward" in vars(module) for module in wide))

    with quiet_lightning():
        fit(net, CLASSES, Batches(), replace(RECIPE, epochs=1), 0, lambda *told: None, callbacks=[Watch()])
    assert wide
    assert seen == [True] * STEPS
    assert not any("forward" in vars(module) for module in wide)


@pytest.mark.slow
def test_compiled_passes_train_alike() -> None:
    options = RECIPES["darts"] | {"drop_path": 0.0}  # a compiled pass draws other numbers
    recipe = replace(RECIPE, **options, epochs=2)
    expected, found = train(recipe), train(replace(recipe, compile="inductor"))
    for name, tensor in weights(found.module).items():
        torch.testing.assert_close(tensor, weights(expected.module)[name], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", "averaged"])
def test_a_killed_training_ends_as_one_that_was_not(tmp_path: Path, name: str, run_script: Callable[..., None]) -> None:
    command = [sys.executable, __file__, "killed", str(tmp_path), name]
    assert subprocess.run(command, check=False, timeout=300).returncode == -signal.SIGKILL
    assert (tmp_path / "last.ckpt").is_file()
    run_script(Path(__file__), "resumed", str(tmp_path), name)
    expected = train(replace(RECIPE, **RECIPES[name]))
    assert equal(torch.load(tmp_path / "end.pt"), weights(expected.module))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["plain", "averaged"])
def test_two_processes_are_one_that_averages_the_halves(
    tmp_path: Path, name: str, run_script: Callable[..., None]
) -> None:
    run_script(Path(__file__), "halves", str(tmp_path), name)
    first, second, alone = (torch.load(tmp_path / f"{which}.pt") for which in ("0", "1", "alone"))
    for weight in (f"net.{name}" for name, _ in TwoHeads().named_parameters()):
        assert torch.equal(first[weight], second[weight])
        torch.testing.assert_close(first[weight], alone[weight], rtol=1e-4, atol=1e-6)
    assert json.loads((tmp_path / "epochs.json").read_text()) == [RECIPE.epochs, RECIPE.epochs]


class Halves(Batches):
    """Serve each process its half of every batch, or one process both in turn, as they are."""

    def train_dataloader(self) -> Any:
        size = self.trainer.world_size
        mine = range(2) if size == 1 else [self.trainer.global_rank]
        halves = [
            tuple(tensor.chunk(2)[which] for tensor in batch(number)) for number in range(STEPS) for which in mine
        ]
        return loader(halves)

    def on_after_batch_transfer(self, batch: Any, dataloader_idx: int) -> Any:
        return batch


class Kill(pl.Callback):
    def on_train_batch_end(self, trainer: pl.Trainer, *arguments: Any) -> None:
        if trainer.current_epoch == 1:
            signal.raise_signal(signal.SIGKILL)


def main(what: str, folder: Path, name: str) -> None:
    """Be killed, go on, or train in two processes and then, in the first, alone."""
    recipe = replace(RECIPE, **RECIPES[name])
    if what == "killed":
        train(recipe, folder, [Kill()])
    if what == "resumed":
        torch.save(weights(train(recipe, folder).module), folder / "end.pt")
    if what == "halves":
        epochs: Numbers = []
        two = train(replace(recipe, devices=2, accumulate=1), folder, data=Halves(), epochs=epochs)
        torch.save(weights(two.module), folder / f"{two.trainer.global_rank}.pt")
        torch.distributed.destroy_process_group()  # or the metrics of the next training wait for the other process
        if two.trainer.global_rank == 0:
            alone: Numbers = []
            one = train(replace(recipe, accumulate=2), data=Halves(), epochs=alone)
            torch.save(weights(one.module), folder / "alone.pt")
            (folder / "epochs.json").write_text(json.dumps([len(epochs), len(alone)]))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
