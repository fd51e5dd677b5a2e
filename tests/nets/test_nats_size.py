"""Networks of the NATS size space against official records, and ordinary layers."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from lnas.nets import build_net, build_supernet
from lnas.nets.complexity import count_macs
from lnas.nets.layers import PLAIN
from lnas.nets.nats_size import NatsSizeCell, NatsSizeNet, SlicedStem
from lnas.nets.sliced import SlicedLayers
from lnas.nets.stems import convolutional_stem
from lnas.proxies.params import params
from lnas.spaces import NatsTopologySpace
from lnas.spaces.nats_size import NatsSizeSpace
from lnas.types import Region

SPACE = NatsSizeSpace()
CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"


def parameters_by_hand(widths: tuple[int, ...], classes: int) -> int:
    """Count from the published skeleton: convolutions, two numbers per normalised channel, classifier."""
    w0, w1, w2, w3, w4 = widths

    def cell(c_in: int, c_out: int) -> int:
        skip = 0 if c_in == c_out else c_in * c_out + 2 * c_out
        return 2 * 9 * c_in * c_out + 3 * 9 * c_out**2 + 5 * 2 * c_out + skip

    def reduction(c_in: int, c_out: int) -> int:
        return 9 * c_in * c_out + 9 * c_out**2 + 2 * 2 * c_out + c_in * c_out

    body = cell(w0, w0) + reduction(w0, w1) + cell(w1, w2) + reduction(w2, w3) + cell(w3, w4)
    return 27 * w0 + 2 * w0 + body + 2 * w4 + w4 * classes + classes


@pytest.mark.data
@pytest.mark.parametrize("index", [0, 11, 284])
@pytest.mark.parametrize(
    ("dataset", "classes", "pixels"), [("cifar10", 10, 32), ("cifar100", 100, 32), ("ImageNet16-120", 120, 16)]
)
def test_parameters_and_flops_equal_the_official_records(
    data_root: Path, index: int, dataset: str, classes: int, pixels: int
) -> None:
    folder = data_root / "nb201" / "official_samples" / "NATS-sss-v1_0-50262-simple"
    if not folder.is_dir():
        pytest.skip(f"no {folder.name} in the data folder")
    official = pytest.importorskip("nats_bench").create(str(folder), "sss", fast_mode=True, verbose=False)
    cost = official.get_cost_info(index, dataset, hp="90")
    with torch.device("meta"):
        net = build_net(SPACE.parse(official.arch(index)), classes)
    assert params(net) == round(cost["params"] * 1e6)
    # The official counter adds the classifier's bias.
    assert count_macs(net, pixels) + classes == round(cost["flops"] * 1e6)


@pytest.mark.parametrize("text", ["8:8:8:8:8", "64:64:64:64:64", "64:8:16:24:32", "8:64:8:64:8", "24:32:32:48:48"])
@pytest.mark.parametrize("classes", [10, 100])
def test_parameters_equal_the_shape_formula(text: str, classes: int) -> None:
    arch = SPACE.parse(text)
    with torch.device("meta"):
        assert params(build_net(arch, classes)) == parameters_by_hand(SPACE.widths(arch), classes)


def test_widths_of_the_topology_space_give_its_network() -> None:
    """Both spaces have one skeleton: at 16, 32, 64 channels and one cell per stage they meet."""
    ours = build_net(SPACE.parse("16:32:32:64:64"))
    theirs = build_net(NatsTopologySpace().parse(CELL), cells=1)
    for weight, source in zip(ours.state_dict().values(), theirs.state_dict().values(), strict=True):
        weight.copy_(source)
    images = torch.randn(4, 3, 16, 16)
    assert torch.equal(ours(images), theirs(images))
    assert torch.equal(ours.eval()(images), theirs.eval()(images))


def test_a_skip_between_widths_is_a_convolution_and_a_batch_norm_without_relu() -> None:
    cell = NatsSizeCell(4, 6, SlicedLayers(), projects=True).eval()
    x = torch.randn(2, 4, 5, 5)
    for edge in ("1->3", "2->3"):
        nn.init.zeros_(cell.edges[edge].conv.weight)
    skip = cell.edges["0->3"].projection
    torch.testing.assert_close(cell(x, 4, 6), skip.norm(nn.functional.conv2d(x, skip.conv.weight)))


def test_first_cell_never_projects() -> None:
    """Stem and first cell are one decision."""
    names = [name for name, _ in build_supernet(SPACE).named_modules() if name.endswith("projection")]
    assert names == ["blocks.2.edges.0->3.projection", "blocks.4.edges.0->3.projection"]


def test_a_cell_projects_only_where_the_region_has_unequal_widths() -> None:
    region = Region("nats_size", ((0, 3), (2,), (2,), (3,), (3, 4)))
    names = [name for name, _ in NatsSizeNet(region).named_modules() if name.endswith("projection")]
    assert names == ["blocks.4.edges.0->3.projection"]


@pytest.mark.parametrize("image_size", [32, 64, 224])
@pytest.mark.parametrize("width", [5, 8])
def test_stem_has_the_layers_of_the_common_one(image_size: int, width: int) -> None:
    sliced = SlicedStem(width, image_size).eval()
    plain = convolutional_stem(width, image_size).eval()
    for weight, source in zip(sliced.state_dict().values(), plain.state_dict().values(), strict=True):
        weight.copy_(source)
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(sliced(images, width), plain(images))


def test_widths_scale_with_the_channels() -> None:
    net = NatsSizeNet(Region.of(SPACE.parse("64:8:16:24:32")), channels=16)
    widths = [net.stem.layers[0].conv.out_channels]
    widths += [block.conv_a.conv.out_channels for block in (net.blocks[1], net.blocks[3])]
    assert widths == [16, 2, 6]
    assert net.classifier.in_features == 8


def test_a_mixture_is_masked_as_in_fbnetv2() -> None:
    """The widths of the last cell: the features before the classifier are the weighted masks of the whole's."""
    region = Region("nats_size", ((0,), (1,), (1,), (1,), (0, 1)))
    net = NatsSizeNet(region, layers=PLAIN).eval().double()
    weights = [torch.ones(len(allowed), dtype=torch.double) for allowed in region.choices]
    weights[4] = torch.tensor([0.25, 0.75], dtype=torch.double)
    seen = []
    net.blocks[4].edges["0->1"].register_forward_hook(lambda module, inputs, output: seen.append(output))
    images = torch.randn(2, 3, 8, 8, dtype=torch.double)
    net(images, SPACE.parse("8:16:16:16:16"))
    net(images, weights=weights)
    whole, mixed = seen
    torch.testing.assert_close(mixed[:, :8], whole[:, :8])
    torch.testing.assert_close(mixed[:, 8:], 0.75 * whole[:, 8:])
