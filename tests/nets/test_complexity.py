"""Multiply-accumulates against PyTorch's own counter of operations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from lnas.nets import build_net
from lnas.nets.complexity import count_macs
from lnas.spaces import SPACES

SMALL = {
    "nats_topology": (4, 1),
    "nats_size": (8, None),
    "nasbench101": (8, 1),
    "darts": (4, 3),
    "nds_resnet": (4, None),
}


def by_operations(net: nn.Module, image: Tensor) -> int:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        net.eval()(image)
    return counter.get_total_flops() // 2


@pytest.mark.parametrize("name", SMALL)
def test_every_operation_that_multiplies_is_counted(name: str) -> None:
    channels, cells = SMALL[name]
    net = build_net(SPACES[name]().sample(np.random.default_rng(0)), channels=channels, cells=cells)
    assert count_macs(net, 16) == by_operations(net, torch.zeros(1, 3, 16, 16))


class Functional(nn.Module):
    """Groups, weights by name, no module for any of it."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 1, 3, 3))
        self.head = nn.Parameter(torch.randn(5, 4))

    def forward(self, images: Tensor) -> Tensor:
        features = functional.conv2d(images, weight=self.weight, groups=2)
        return functional.linear(features.mean((2, 3)), self.head)


def test_functional_calls_are_counted_on_images_of_any_shape() -> None:
    net = Functional()
    assert count_macs(net, (2, 6, 5)) == by_operations(net, torch.zeros(1, 2, 6, 5)) == 4 * 4 * 3 * 9 + 20


def test_modes_are_as_found() -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))
    net[1].eval()
    count_macs(net, 4)
    assert [module.training for module in net.modules()] == [True, True, False]
