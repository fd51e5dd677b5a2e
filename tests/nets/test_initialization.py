from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from lnas.errors import UsageError
from lnas.nets import initialize


def layers() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(40, 60, 3), nn.BatchNorm2d(60), nn.Linear(300, 200))


@pytest.mark.parametrize(
    ("name", "conv_variance", "linear_variance"),
    [
        ("kaiming_uniform", 2 / (40 * 9), 2 / 300),
        ("kaiming_normal", 2 / (40 * 9), 2 / 300),
        ("lecun_normal", 1 / (40 * 9), 1 / 300),
        ("xavier_uniform", 2 / (9 * 100), 2 / 500),
        ("pycls", 2 / (60 * 9), 1e-4),
    ],
)
def test_variance_is_the_named_one(name: str, conv_variance: float, linear_variance: float) -> None:
    torch.manual_seed(0)
    net = layers()
    initialize(net, name)  # type: ignore[arg-type]
    assert float(net[0].weight.detach().var()) == pytest.approx(conv_variance, rel=0.05)
    assert float(net[2].weight.detach().var()) == pytest.approx(linear_variance, rel=0.05)
    assert float(net[2].bias.detach().abs().max()) == 0


def test_uniform_is_bounded_and_normal_is_not() -> None:
    torch.manual_seed(0)
    net = layers()
    bound = math.sqrt(6 / 360)
    initialize(net, "kaiming_uniform")
    assert float(net[0].weight.detach().abs().max()) <= bound
    initialize(net, "kaiming_normal")
    assert float(net[0].weight.detach().abs().max()) > bound


def test_pytorch_leaves_the_net_alone() -> None:
    net = layers()
    before = [weight.clone() for weight in net.parameters()]
    initialize(net, "pytorch")
    assert all(torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True))


def test_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown init 'kaiming_norm'. Did you mean 'kaiming_normal'"):
        initialize(layers(), "kaiming_norm")  # type: ignore[arg-type]
