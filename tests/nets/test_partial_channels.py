"""The by-pass by hand, and whole networks beside plain ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from lnas.errors import UsageError
from lnas.nets import RegionNet, build_supernet, softmax_weights, uniform_weights
from lnas.nets.choice import OperationChoice
from lnas.nets.partial_channels import PartialChoice, shuffled, with_partial_channels
from lnas.spaces import DartsSpace, NatsTopologySpace, NdsResNetSpace
from lnas.types import Region

SPACES = {"nats_topology": (NatsTopologySpace(), {"cells": 1}), "darts": (DartsSpace(), {"cells": 3})}
IMAGES = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Plus(nn.Module):
    def __init__(self, added: float) -> None:
        super().__init__()
        self.added = added

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.added


def supernet(name: str, **options: Any) -> RegionNet:
    space, size = SPACES[name]
    region = space.region if name == "nats_topology" else Region(name, ((0, 1, 3, 6),) * 28)
    torch.manual_seed(0)
    return build_supernet(region, **{"channels": 8, **size, **options})


def test_the_by_pass_by_hand() -> None:
    """Four channels of one pixel, of which the operations see one, or two."""
    made = {"none": None, "ten": Plus(10), "hundred": Plus(100)}
    narrow = OperationChoice((0, 1, 2), tuple(made), made.__getitem__)
    x = torch.tensor([1.0, 2, 3, 4])[None, :, None, None]
    mixed = torch.tensor([0.5, 0.3, 0.2])
    assert PartialChoice(narrow, 4)(x, 1).flatten().tolist() == [11, 2, 3, 4]
    assert PartialChoice(narrow, 2)(x, 1).flatten().tolist() == [11, 3, 12, 4]
    assert PartialChoice(narrow, 2)(x, mixed).flatten().tolist() == pytest.approx(
        [0.3 * 11 + 0.2 * 101, 3, 0.3 * 12 + 0.2 * 102, 4]
    )
    assert PartialChoice(narrow, 2)(x, mixed / 2).flatten().tolist() == pytest.approx(
        [(0.3 * 11 + 0.2 * 101) / 2, 1.5, (0.3 * 12 + 0.2 * 102) / 2, 2]
    )


@pytest.mark.parametrize("size", [4, 5])
def test_where_operations_halve_the_resolution_the_by_pass_is_pooled(size: int) -> None:
    narrow = OperationChoice((0,), ("pool",), lambda name: nn.AvgPool2d(2, ceil_mode=True))
    x = torch.arange(2.0 * size * size).reshape(1, 2, size, size)
    output = PartialChoice(narrow, 2)(x, 0)
    assert output.shape == (1, 2, (size + 1) // 2, (size + 1) // 2)
    assert output[0, 1, 0, 0] == x[0, 1, :2, :2].max()
    assert output[0, 0, 0, 0] == x[0, 0, :2, :2].mean()


def test_channels_are_interleaved() -> None:
    x = torch.arange(6.0)[None, :, None, None]
    assert shuffled(x, 2).flatten().tolist() == [0, 3, 1, 4, 2, 5]
    assert shuffled(x, 3).flatten().tolist() == [0, 2, 4, 1, 3, 5]


@pytest.mark.parametrize("name", SPACES)
def test_all_of_the_channels_are_the_plain_mixture(name: str) -> None:
    net = supernet(name)
    partial = with_partial_channels(net, divisor=1)
    generator = torch.Generator().manual_seed(1)
    logits = [torch.randn(len(allowed), generator=generator) for allowed in net.region.choices]
    for weights in (uniform_weights(net.region), softmax_weights(logits)):
        torch.testing.assert_close(partial(IMAGES, weights=weights), net(IMAGES, weights=weights))


@pytest.mark.parametrize("name", SPACES)
def test_operations_have_a_part_of_the_width_and_all_else_is_copied(name: str) -> None:
    net = supernet(name).eval()
    partial = with_partial_channels(net, divisor=2)
    before, after = net.state_dict(), partial.state_dict()
    assert after.keys() == before.keys()
    narrow = {key for key, value in after.items() if value.shape != before[key].shape}
    assert narrow == {key for key in before if ".edges." in key and not key.endswith("num_batches_tracked")}
    assert all(torch.equal(after[key], before[key]) for key in before.keys() - narrow)
    assert not partial.training
    output = partial(IMAGES, weights=uniform_weights(net.region))
    assert output.shape == (4, 10)
    assert output.isfinite().all()


@pytest.mark.parametrize("name", SPACES)
def test_a_subnet_is_the_path(name: str) -> None:
    partial = with_partial_channels(supernet(name), divisor=2)
    arch = SPACES[name][0].sample_from(partial.region, np.random.default_rng(3))
    torch.testing.assert_close(partial.subnet(arch)(IMAGES), partial(IMAGES, arch))


@pytest.mark.parametrize("divisor", [3, 0, 8, 2.0])
def test_a_divisor_that_does_not_fit_is_refused(divisor: Any) -> None:
    with pytest.raises(UsageError, match=rf"a divisor of the net's 8 channels.*got {divisor}"):
        with_partial_channels(supernet("nats_topology"), divisor)


def test_other_networks_are_refused() -> None:
    net = build_supernet(NdsResNetSpace().region, channels=4)
    with pytest.raises(UsageError, match="a supernet of nats_topology or darts, got 'NdsResNet'"):
        with_partial_channels(net)
