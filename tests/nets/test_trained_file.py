"""A trained network in a folder: written, read and built again, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from lnas.errors import UsageError
from lnas.nets import NetBuilder
from lnas.nets.trained_file import MODEL, ImageTask, SplitFacts, TrainedNet, read_trained, resolved, write_trained
from lnas.spaces import SPACES, NatsTopologySpace
from lnas.types import Arch

SPACE = NatsTopologySpace()
CELL = "|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
OTHER = "|nor_conv_1x1~0|+|none~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|"
SMALL = NetBuilder(channels=4, cells=1)
TASK = ImageTask(
    "mine", 3, (3, 8, 8), (0.5, 0.4, 0.3), (0.2, 0.3, 0.4), ("cat", "dog", "ö"), {"test": SplitFacts(9, "f")}
)

OF_SPACES = {
    "nats_topology": SMALL,
    "nats_size": NetBuilder(channels=8),
    "nasbench101": NetBuilder(channels=8, cells=1),
    "nasbench1shot1_3": NetBuilder(channels=8, cells=1),
    "darts": NetBuilder(channels=4, cells=3, auxiliary=True, drop_path=0.2),
    "nds_resnet": NetBuilder(channels=2),
    "nds_resnext_a": NetBuilder(channels=8),
}


def unlike_new(net: nn.Module) -> nn.Module:
    """Move every tensor away from its initial value, statistics of batch norms too."""
    generator = torch.Generator().manual_seed(1)
    for tensor in net.state_dict().values():
        if tensor.is_floating_point():
            tensor.mul_(torch.empty_like(tensor).uniform_(0.5, 1.5, generator=generator)).add_(0.01)
    return net.eval()


def written(folder: Path, arch: Arch, builder: NetBuilder) -> tuple[nn.Module, TrainedNet]:
    net = unlike_new(builder(arch, 3))
    safetensors.torch.save_file(
        {k: v.contiguous() for k, v in net.state_dict().items()}, folder / "weights.safetensors"
    )
    notation = SPACES[arch.space]().format(arch)
    trained = TrainedNet(arch, notation, resolved(builder, arch), TASK, {"test_acc": 0.5}, {"epochs": 2}, 7, epoch=2)
    return net, write_trained(folder, trained)


def logits(net: nn.Module) -> torch.Tensor:
    with torch.no_grad():
        return net(torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("space", OF_SPACES)
def test_what_is_built_again_says_the_same(space: str, tmp_path: Path) -> None:
    arch = SPACES[space]().sample(np.random.default_rng(3))
    net, trained = written(tmp_path, arch, OF_SPACES[space])
    state = torch.get_rng_state()
    again = read_trained(tmp_path, arch)
    assert again == trained
    built = again.build()
    assert not built.training
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(logits(built), logits(net))


def test_sizes_are_spelled_out() -> None:
    named = {name: resolved(NetBuilder(), SPACES[name]().sample(np.random.default_rng(0))) for name in OF_SPACES}
    assert {name: (net.channels, net.cells, net.bn_momentum) for name, net in named.items()} == {
        "nats_topology": (16, 5, 0.1),
        "nats_size": (64, None, 0.1),
        "nasbench101": (128, 3, 0.003),
        "nasbench1shot1_3": (128, 3, 0.003),
        "darts": (36, 20, 0.1),
        "nds_resnet": (16, None, 0.1),
        "nds_resnext_a": (16, None, 0.1),
    }
    assert resolved(SMALL, SPACE.parse(CELL)) == replace(SMALL, bn_momentum=0.1)


def own_net(arch: Arch, num_classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, num_classes))


def test_a_net_of_ones_own_is_built_by_what_is_passed_alone(tmp_path: Path) -> None:
    arch, net = Arch("own", (1, 2)), unlike_new(own_net(Arch("own", ()), 3))
    safetensors.torch.save_file(net.state_dict(), tmp_path / "weights.safetensors")
    write_trained(tmp_path, TrainedNet(arch, str(arch), "os.system", TASK, {}, {}, 0))
    trained = read_trained(tmp_path)
    with pytest.raises(UsageError, match=r"expected a network of lnas.*, got 'os.system'. Pass that factory as `net`"):
        trained.build()
    assert torch.equal(logits(trained.build(own_net)), logits(net))


def test_weights_of_another_architecture_are_named_with_both_shapes(tmp_path: Path) -> None:
    _, trained = written(tmp_path, SPACE.parse(CELL), SMALL)
    wider = replace(trained, net=replace(trained.builder(), channels=8))
    with pytest.raises(UsageError, match=r"expected 'stem.0.weight' of shape \(8, 3, 3, 3\), got \(4, 3, 3, 3\)"):
        wider.build()
    with pytest.raises(
        UsageError, match=r"'blocks.0.edges.0->1.nor_conv_1x1.1.weight' of shape .*, got 'no such tensor'"
    ):
        replace(trained, arch=SPACE.parse(OTHER)).build()


def test_other_weights_that_fit_are_told_from_those_measured(tmp_path: Path) -> None:
    net, _ = written(tmp_path, SPACE.parse(CELL), SMALL)
    tensors = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    tensors["classifier.bias"] += 1
    safetensors.torch.save_file(tensors, tmp_path / "weights.safetensors")
    with pytest.raises(UsageError, match=r"the file with SHA-256 .*, as described, got "):
        read_trained(tmp_path).build()


def changed(*path: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(record: dict[str, Any]) -> None:
        for key in path[:-1]:
            record = record[key]
        record[path[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed("format", to="onnx"), "expected the format 'lnas trained net', got 'onnx'"),
        (changed("format_version", to=2), "expected format_version 1, got 2"),
        (changed("arch", to=OTHER), f"expected {CELL!r}, as genes say, got {OTHER!r}"),
        (changed("genes", to=[9] * 6), "expected gene 0 .* in 0..4, got 9"),
        (changed("net", "width", to=3), "got .*unexpected keyword argument 'width'"),
        (changed("data", "num_classes", to=0), "expected an integer >= 1, got 0"),
        (changed("data", "classes", to=["cat"]), r"expected 3 names, got \('cat',\)"),
        (changed("data", "std", to=[1, 1]), "expected what `lnas retrain` wrote, got 'not enough values"),
        (changed("metrics", to={"accuracy": 0.5}), "a name that begins with train_, val_, test_, got 'accuracy'"),
        (changed("weights", "file", to="../weights.safetensors"), "expected a file beside it"),
        (changed("weights", "sha256", to=None), "expected the hash of their file, got None"),
        (changed("epoch", to=float("inf")), "got 'cannot convert float infinity to integer'"),
        (lambda record: record.pop("data"), "got \"no 'data'\""),
    ],
)
def test_odd_files_are_refused_in_a_line(change: Callable[[Any], None], message: str, tmp_path: Path) -> None:
    written(tmp_path, SPACE.parse(CELL), SMALL)
    record = json.loads((tmp_path / MODEL).read_text())
    change(record)
    (tmp_path / MODEL).write_text(json.dumps(record))
    with pytest.raises(UsageError, match=r"\A[^\n]*\Z") as caught:
        read_trained(tmp_path)
    assert str(tmp_path) in str(caught.value)
    caught.match(message.replace("|", r"\|").replace("+", r"\+") if CELL in message else message)


def test_files_that_are_not_there_or_no_json_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a file that can be read, got 'No such file or directory'"):
        read_trained(tmp_path)
    (tmp_path / MODEL).write_text("{")
    with pytest.raises(UsageError, match="expected JSON, got "):
        read_trained(tmp_path)
    (tmp_path / MODEL).write_text("[]")
    with pytest.raises(UsageError, match="got 'list'"):
        read_trained(tmp_path)


def test_another_architecture_than_expected_is_named(tmp_path: Path) -> None:
    written(tmp_path, SPACE.parse(CELL), SMALL)
    with pytest.raises(
        UsageError, match="expected the architecture nats_topology:2-0-3-1-0-3, got 'nats_topology:3-0-2-1"
    ):
        read_trained(tmp_path, SPACE.parse(OTHER))


def test_nothing_is_described_without_weights(tmp_path: Path) -> None:
    arch = SPACE.parse(CELL)
    with pytest.raises(UsageError, match=r"weights '.*weights\.safetensors': expected a file that can be read"):
        write_trained(tmp_path, TrainedNet(arch, CELL, SMALL, TASK, {}, {}, 0))
    assert not (tmp_path / MODEL).exists()
