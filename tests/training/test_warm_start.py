"""Beginning with the weights of another training."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from lnas.errors import UsageError
from lnas.nets import NetBuilder
from lnas.nets.trained_file import ImageTask, TrainedNet, read_trained, resolved, write_trained
from lnas.spaces import SPACES, DartsSpace, NatsTopologySpace
from lnas.training.warm_start import warm_started
from lnas.types import Arch

NATS, DARTS = (space.sample(np.random.default_rng(0)) for space in (NatsTopologySpace(), DartsSpace()))
SMALL = NetBuilder(channels=4, cells=1)
DEEP = NetBuilder(channels=2, cells=3, auxiliary=True)
STATISTIC = "head.0.running_mean"


def trained(folder: Path, arch: Arch, builder: NetBuilder) -> TrainedNet:
    net = builder(arch, 10)
    for buffer in net.buffers():
        buffer += 3
    safetensors.torch.save_file(
        {k: v.contiguous() for k, v in net.state_dict().items()}, folder / "weights.safetensors"
    )
    task = ImageTask("ten", 10, (3, 8, 8), (0, 0, 0), (1, 1, 1))
    notation = SPACES[arch.space]().format(arch)
    write_trained(folder, TrainedNet(arch, notation, resolved(builder, arch), task, {}, {}, 0))
    return read_trained(folder)


def untouched(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name for name in before if torch.equal(before[name], after[name])}


def snapshot(net: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in net.state_dict().items()}


@pytest.fixture
def of_nats(tmp_path: Path) -> TrainedNet:
    return trained(tmp_path, NATS, SMALL)


def test_all_weights_and_statistics_are_taken_where_classes_are_as_many(of_nats: TrainedNet) -> None:
    net = warm_started(SMALL(NATS, 10), of_nats)
    expected = of_nats.tensors()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in net.state_dict().items())
    assert net.training


def test_the_classifier_alone_is_new_for_other_classes(of_nats: TrainedNet) -> None:
    net = SMALL(NATS, 7)
    before = snapshot(net)
    warm_started(net, of_nats)
    assert untouched(before, net.state_dict()) >= {"classifier.weight", "classifier.bias"}
    assert torch.equal(net.state_dict()[STATISTIC], of_nats.tensors()[STATISTIC])


@pytest.mark.parametrize(("classes", "new"), [(10, set()), (7, {"classifier", "auxiliary.9"})])
def test_the_auxiliary_classifier_comes_along(classes: int, new: set[str], tmp_path: Path) -> None:
    net, source = DEEP(DARTS, classes), trained(tmp_path, DARTS, DEEP)
    before = snapshot(net)
    warm_started(net, source)
    kept = untouched(before, source.tensors()) | untouched(before, net.state_dict())
    expected = source.tensors()
    loaded = {name for name, tensor in net.state_dict().items() if torch.equal(tensor, expected[name])}
    assert before.keys() - loaded == {f"{layer}.{part}" for layer in new for part in ("weight", "bias")} <= kept
    without = warm_started(NetBuilder(channels=2, cells=3)(DARTS, classes), source)
    assert not any(name.startswith("auxiliary") for name in without.state_dict())


def test_another_architecture_or_size_is_named(of_nats: TrainedNet) -> None:
    other = NatsTopologySpace().sample(np.random.default_rng(5))
    with pytest.raises(UsageError, match=f"expected weights of {other}, got '{NATS}'"):
        warm_started(SMALL(other, 10), of_nats)
    message = r"channels=4, cells=1\): expected 'stem.0.weight' of shape \(8, 3, 3, 3\), got \(4, 3, 3, 3\)"
    with pytest.raises(UsageError, match=message):
        warm_started(NetBuilder(channels=8, cells=1)(NATS, 7), of_nats)
