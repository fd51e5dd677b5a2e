"""Networks as programs and as ONNX: the same logits for batches of any size."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from lnas.errors import RunError
from lnas.export.agreement import largest_difference, sample_images
from lnas.export.onnx import load_onnx, onnx_bytes
from lnas.export.programs import load_program, program_bytes, to_program
from lnas.nets import NetBuilder
from lnas.nets.trained_file import ImageTask
from lnas.spaces import SPACES, NatsTopologySpace
from lnas.types import Arch

TASK = ImageTask("mine", 3, (3, 16, 16), (0.5, 0.4, 0.3), (0.2, 0.3, 0.4), ("cat", "dog", "ö"))
# Its second node has no input, and a batch norm that shifts what a convolution makes of nothing.
DEAD = NatsTopologySpace().parse("|none~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")


def sampled(space: str) -> Arch:
    return SPACES[space]().sample(np.random.default_rng(3))


NETS = {
    "nats_topology": (sampled("nats_topology"), NetBuilder(channels=4, cells=1)),
    "a node without input": (DEAD, NetBuilder(channels=4, cells=1)),
    "nats_size": (sampled("nats_size"), NetBuilder(channels=8)),
    "nasbench101": (sampled("nasbench101"), NetBuilder(channels=8, cells=1)),
    "darts": (sampled("darts"), NetBuilder(channels=4, cells=3, auxiliary=True, drop_path=0.2)),
    "nds_resnet": (
        SPACES["nds_resnet"]().parse(SPACES["nds_resnet"]().format(Arch("nds_resnet", (0,) * 6))),
        NetBuilder(channels=4),
    ),
}


def trained_like(name: str) -> nn.Module:
    arch, builder = NETS[name]
    net = builder(arch, 3)
    generator = torch.Generator().manual_seed(1)
    for tensor in net.state_dict().values():
        if tensor.is_floating_point():
            tensor.mul_(torch.empty_like(tensor).uniform_(0.5, 1.5, generator=generator)).add_(0.01)
    return net.eval()


@pytest.mark.slow
@pytest.mark.parametrize("name", NETS)
def test_programs_and_onnx_say_what_the_network_says(name: str) -> None:
    pytest.importorskip("onnxscript")
    net, images = trained_like(name), sample_images(TASK)
    program = to_program(net, images)
    assert largest_difference("program", net, load_program(program_bytes(program)), images) <= 1e-6
    content = onnx_bytes(program, TASK)
    assert largest_difference("onnx", net, load_onnx(content), images) <= 1e-4
    assert metadata(content) == {
        "mean": list(TASK.mean),
        "std": list(TASK.std),
        "input_size": [3, 16, 16],
        "classes": ["cat", "dog", "ö"],
    }


def metadata(content: bytes) -> object:
    import onnx

    model = onnx.load_from_string(content)
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    return json.loads(next(entry.value for entry in model.metadata_props if entry.key == "lnas"))


@pytest.mark.slow
def test_what_cannot_be_traced_is_said_in_a_line() -> None:
    class Undecided(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return images.flatten(1) if images.sum() > 0 else images

    with pytest.raises(
        RunError, match=r"\Atorch.export of Undecided: expected a network that can be traced, got [^\n]*\Z"
    ):
        to_program(Undecided(), sample_images(TASK))


@pytest.mark.parametrize("missing", ["onnx", "onnxruntime", "onnxscript"])
def test_a_missing_package_is_named_with_what_installs_it(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    from lnas.errors import UsageError
    from lnas.export.onnx import require_onnx

    find: Callable[..., object] = importlib.util.find_spec
    found = lambda name: None if name == missing else find("json")  # noqa: E731
    monkeypatch.setattr(importlib.util, "find_spec", found)
    with pytest.raises(UsageError, match=rf"got 'no {missing}'. pip install 'lnas\[export\]'"):
        require_onnx()
