"""What cannot be trained is refused in one line before it is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.nets import build_net
from lnas.spaces import NatsTopologySpace, published_genotype
from lnas.training.trial_pass import require_outputs

DATA = DigitsData()
ARCH = NatsTopologySpace().parse("|nor_conv_3x3~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")


def test_a_network_that_fits_is_left_as_it_was() -> None:
    net = build_net(ARCH, channels=4, cells=1)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    require_outputs(net, DATA)
    assert net.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_another_number_of_classes_is_named() -> None:
    with pytest.raises(UsageError, match=r"expected logits of shape \(2, 10\), got \(2, 7\)"):
        require_outputs(build_net(ARCH, num_classes=7, channels=4, cells=1), DATA)


def test_images_of_another_size_are_named() -> None:
    with pytest.raises(UsageError, match=r"Linear on digits, images of 3 x 8 x 8: expected logits"):
        require_outputs(nn.Linear(5, 10), DATA)
    net = build_net(published_genotype("DARTS_V2"), channels=4, cells=3, auxiliary=True)
    with pytest.raises(UsageError, match="images of 3 x 8 x 8"):
        require_outputs(net, DATA)
