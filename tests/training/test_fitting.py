"""Full trainings: schedule, resume, checkpoints."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from lnas.data import DigitsData
from lnas.data.module import ImageDataModule
from lnas.errors import RunError
from lnas.nets import build_net, isolated_randomness
from lnas.spaces import NatsTopologySpace
from lnas.training import Measured, Retraining, fit, measure, quiet_lightning
from lnas.training.checkpoints import WholeFileCheckpointIO

ARCH = NatsTopologySpace().parse("|nor_conv_1x1~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|avg_pool_3x3~2|")
RECIPE = Retraining(epochs=4, batch_size=256, lr=0.1, warmup_epochs=1, accelerator="cpu")


class StoppedError(Exception):
    pass


def train(folder: Path, stop_after: int | None = None) -> tuple[nn.Module, Measured, dict[int, Any]]:
    epochs: dict[int, Any] = {}

    def on_epoch(epoch: int, numbers: Any) -> None:
        epochs[epoch] = dict(numbers)
        if epoch == stop_after:
            raise StoppedError

    with isolated_randomness(3), quiet_lightning():
        net = build_net(ARCH, channels=4, cells=1)
        data = ImageDataModule(DigitsData(), batch_size=RECIPE.batch_size, seed=1)
        result = measure(fit(net, 10, data, RECIPE, 7, on_epoch, folder), data)
    return net, result, epochs


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Measured, dict[int, Any]]:
    return train(tmp_path_factory.mktemp("whole"))


def test_learning_rate_warms_up_and_then_follows_the_cosine(whole: Any) -> None:
    rates = [numbers["lr"] for numbers in whole[2].values()]
    expected = [0.001, *(0.05 * (1 + math.cos(math.pi * epoch / 4)) for epoch in (1, 2, 3))]
    assert rates == pytest.approx(expected)


def test_each_epoch_reports_loss_and_validation(whole: Any) -> None:
    assert list(whole[2]) == [1, 2, 3, 4]
    assert all({"train_loss", "val_acc", "val_loss", "lr", "seconds"} <= set(numbers) for numbers in whole[2].values())
    assert whole[2][4]["train_loss"] < whole[2][1]["train_loss"]


def test_test_accuracy_is_that_of_the_final_weights(whole: Any) -> None:
    net, result, _ = whole
    data = DigitsData()
    test = data.splits["test"]
    images = (torch.from_numpy(test.images).float() / 255 - data.mean[0]) / data.std[0]
    with torch.no_grad():
        right = (net.eval()(images).argmax(1) == torch.from_numpy(test.labels)).float().mean()
    assert result.accuracy == pytest.approx(float(right), abs=1e-6)


@pytest.mark.parametrize("stop_after", [1, 2, 3, 4])
def test_a_stopped_training_ends_with_the_weights_of_one_that_was_not(
    whole: Any, tmp_path: Path, stop_after: int
) -> None:
    with pytest.raises(StoppedError):
        train(tmp_path, stop_after)
    net, result, epochs = train(tmp_path)
    assert min(epochs) == stop_after  # the epoch in whose end it died is trained again, none before it
    assert all(
        torch.equal(a, b) for a, b in zip(net.state_dict().values(), whole[0].state_dict().values(), strict=True)
    )
    assert result[:2] == whole[1][:2]


def test_the_process_generator_is_left_as_found(tmp_path: Path) -> None:
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    train(tmp_path)
    assert torch.equal(torch.rand(3), expected)


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return (print, ("executed",))

    torch.save({"state_dict": Evil()}, tmp_path / "last.ckpt")
    with pytest.raises(Exception, match="Weights only load failed"):
        WholeFileCheckpointIO().load_checkpoint(tmp_path / "last.ckpt")


def test_a_checkpoint_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="expected a folder that can be written"):
        WholeFileCheckpointIO().save_checkpoint({"a": torch.zeros(3)}, tmp_path / "file" / "last.ckpt")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
