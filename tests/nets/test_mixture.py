from __future__ import annotations

import pytest
import torch

from lnas.errors import UsageError
from lnas.nets import NetBuilder, build_supernet, uniform_weights
from lnas.spaces import DartsSpace, NatsTopologySpace
from lnas.types import Region

REGION = NatsTopologySpace().region.without(0, 0)
NET = NetBuilder(channels=4, cells=1)


def test_a_builder_makes_the_uniform_mixture_of_a_region() -> None:
    torch.manual_seed(0)
    mixture = NET(REGION, 10)
    torch.manual_seed(0)
    supernet = build_supernet(REGION, 10, 4, 1, affine=True, bn_momentum=None)
    images = torch.randn(4, 3, 8, 8)
    torch.testing.assert_close(mixture(images), supernet(images, weights=uniform_weights(REGION)))
    assert mixture.classifier is mixture.supernet.classifier
    assert mixture.state_dict().keys() == {f"supernet.{name}" for name in supernet.state_dict()}


def test_a_region_of_one_architecture_computes_what_its_net_does() -> None:
    arch = NatsTopologySpace().parse("|nor_conv_1x1~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|avg_pool_3x3~2|")
    torch.manual_seed(0)
    mixture = NET(Region.of(arch), 10)
    torch.manual_seed(0)
    net = NET(arch, 10)
    images = torch.randn(4, 3, 8, 8)
    torch.testing.assert_close(mixture(images), net(images))


def test_options_of_stand_alone_nets_are_refused() -> None:
    with pytest.raises(UsageError, match=r"expected auxiliary=False for a region, got True"):
        NetBuilder(channels=4, cells=3, auxiliary=True)(DartsSpace().region, 10)
