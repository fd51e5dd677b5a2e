"""What `build_net` and `build_supernet` make of their arguments."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from lnas.errors import UsageError
from lnas.nets import NetBuilder, build_net, build_supernet
from lnas.nets.complexity import count_macs
from lnas.spaces import SPACES, NatsTopologySpace
from lnas.types import Arch, Region

SPACE = NatsTopologySpace()
MIXED = SPACE.parse("|nor_conv_1x1~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|")


def test_builder_binds_the_options() -> None:
    net = NetBuilder(channels=4, cells=1)(MIXED, 7)
    assert net.classifier.weight.shape == (7, 16)


def test_unknown_space_is_named() -> None:
    with pytest.raises(UsageError, match=r"unknown space 'nats_topolgy'. Did you mean 'nats_topology'"):
        build_net(Arch("nats_topolgy", (0,)))


def test_options_reach_the_cells_and_leave_stem_and_head_alone() -> None:
    net = build_net(MIXED, 10, 4, 1, affine=False, track_running_stats=False, bias=True)
    inside = [module for block in net.blocks if hasattr(block, "edges") for module in block.modules()]
    outside = [module for part in (net.stem, net.blocks[1], net.head) for module in part.modules()]
    assert all(not m.affine and m.running_mean is None for m in inside if isinstance(m, nn.BatchNorm2d))
    assert all(m.bias is not None for m in inside if isinstance(m, nn.Conv2d))
    assert all(m.affine and m.running_mean is not None for m in outside if isinstance(m, nn.BatchNorm2d))
    assert all(m.bias is None for m in outside if isinstance(m, nn.Conv2d))


@pytest.mark.parametrize(("image_size", "factor"), [(32, 1), (64, 2), (224, 8)])
def test_the_stem_brings_images_to_the_cells_resolution(image_size: int, factor: int) -> None:
    net = build_net(MIXED, 10, 4, 1, image_size=image_size).eval()
    images = torch.randn(1, 3, image_size, image_size)
    stem = net.stage_features(images, ["stem"])["stem"]
    assert stem.shape == (1, 4, image_size // factor, image_size // factor)
    assert net(images).shape == (1, 10)


def test_initial_weights_by_name() -> None:
    torch.manual_seed(0)
    net = build_net(MIXED, 10, 16, 1, init="pycls")
    weight = net.blocks[1].conv_a[1].weight  # 16 -> 32 channels, 3x3
    assert weight.std().item() == pytest.approx((2 / (32 * 9)) ** 0.5, rel=0.05)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"channels": 0}, "expected channels >= 1, got 0"),
        ({"cells": -1}, "expected cells >= 1, got -1"),
        ({"num_classes": 0}, "expected num_classes >= 1, got 0"),
        ({"auxiliary": True}, "expected no 'auxiliary' for networks of this space, got True"),
        ({"drop_path": 0.2}, "expected no 'drop_path' for networks of this space, got 0.2"),
        ({"init": "kaiming"}, "unknown init 'kaiming'"),
    ],
)
def test_bad_options_are_named(options: dict, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        build_net(MIXED, **options)
    assert complaint in str(caught.value)


def test_depth_is_no_option_where_the_architecture_decides_it() -> None:
    with pytest.raises(UsageError, match="expected no cells: the architecture decides the depth, got 3"):
        build_net(Arch("nds_resnet", (0, 0, 0, 0, 0, 0)), cells=3)


def test_a_supernet_is_of_a_space_or_a_region() -> None:
    whole, part = build_supernet(SPACE, 10, 4, 1), build_supernet(SPACE.region.without(0, 4), 10, 4, 1)
    assert whole.region == SPACE.region
    assert part.region.choices[0] == (0, 1, 2, 3)


def test_momentum_of_batch_norms_is_the_benchmarks_unless_said_otherwise() -> None:
    arch = SPACES["nasbench101"]().sample(np.random.default_rng(0))

    def momenta(net: nn.Module) -> set[float | None]:
        return {module.momentum for module in net.modules() if isinstance(module, nn.BatchNorm2d)}

    assert momenta(build_net(arch, 10, 8, 1)) == {0.003}
    assert momenta(build_net(arch, 10, 8, 1, bn_momentum=0.1)) == {0.1}
    supernet = build_supernet(SPACES["nasbench101"](), 10, 8, 1)
    assert momenta(supernet) == momenta(supernet.subnet(arch)) == {0.1}
    assert momenta(build_net(MIXED, 10, 4, 1)) == {0.1}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"image_size": 16}, "expected image_size of 32, 64, 224, got 16"),
        ({"image_size": "32"}, "got '32'"),
        ({"dead_edges": "skip"}, "expected dead_edges of benchmark, skipped, computed, got 'skip'"),
        ({"dead_edges": True}, "got True"),
        ({"pool_norm": "bn"}, "expected pool_norm of None, none, batch, got 'bn'"),
        ({"channels": 2.5}, "expected channels >= 1, got 2.5"),
        ({"cells": True}, "expected cells >= 1, got True"),
        ({"num_classes": 10.0}, "expected num_classes >= 1, got 10.0"),
    ],
)
def test_what_no_option_takes_is_named(options: dict, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        build_net(MIXED, **options)
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    "arch",
    [
        Arch("nats_topology", (-1, 0, 0, 0, 0, 0)),
        Arch("nats_topology", (9, 0, 0, 0, 0, 0)),
        Arch("nats_topology", (1, 0, 0)),
        Arch("nats_size", (0,) * 6),
        Arch("nasbench1shot1_1", (0,) * 3),
        Arch("nasbench101", (99,) * 21 + (0,) * 5),
        Arch("darts", (0,) * 28),
        "|nor_conv_1x1~0|",
    ],
)
def test_what_is_no_architecture_is_refused(arch: Arch) -> None:
    with pytest.raises(UsageError):
        build_net(arch)


@pytest.mark.parametrize("space", [MIXED, NatsTopologySpace, Region("nats_topology", ((0, 9),) * 6)])
def test_what_is_no_space_is_refused(space: object) -> None:
    with pytest.raises(UsageError):
        build_supernet(space)


def test_a_mode_that_was_changed_for_counting_is_put_back_whatever_happens() -> None:
    supernet = build_supernet(SPACE, 10, 4, 1).double()
    supernet.head.eval()
    with pytest.raises(UsageError):
        count_macs(supernet)
    assert supernet.training
    assert not supernet.head.training
    assert count_macs(supernet, 8, MIXED) > 0
