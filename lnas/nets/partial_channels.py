"""Supernets whose operations see a part of the channels, as in PC-DARTS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor

from lnas.errors import UsageError, complaint
from lnas.nets.choice import OperationChoice, Pick
from lnas.nets.darts import DartsNet
from lnas.nets.nats_topology import NatsTopologyNet
from lnas.nets.region_net import RegionNet
from lnas.types import Region

_LEAST_WIDTH = 2  # a factorized reduction halves it


class PartialChoice(OperationChoice):
    """A decision between operations on the first 1/K of the channels; the others by-pass them.

    Where the operations halve the resolution, the by-pass is max-pooled. The channels are shuffled afterwards, so that
    the next edge's operations see others. In a mixture whose weights do not sum to 1, the by-pass is weighted by their
    sum: weights that are those of the operations times that of the edge make the edge normalization of PC-DARTS.

    Args:
        narrow: The operations, of 1/K of the width.
        divisor: K.

    Source: Xu et al. 2020 (PC-DARTS), Sec. 3.2 and 3.3; yuhuixu1993/PC-DARTS, `model_search.py`.
    """

    def __init__(self, narrow: OperationChoice, divisor: int) -> None:
        super().__init__((), (), lambda name: None)
        self.update(dict(narrow.items()))
        self._names = narrow._names
        self._divisor = divisor

    def forward(self, x: Tensor, pick: Pick) -> Tensor:
        width = x.shape[1] // self._divisor
        operated, bypass = super().forward(x[:, :width], pick), x[:, width:]
        if not bypass.shape[1]:
            return operated
        if operated.shape[2:] != bypass.shape[2:]:
            bypass = torch.nn.functional.max_pool2d(bypass, 2, ceil_mode=True)
        if not isinstance(pick, int):
            bypass = bypass * pick.sum()
        return shuffled(torch.cat([operated, bypass], dim=1), self._divisor)


def shuffled(x: Tensor, groups: int) -> Tensor:
    """Interleave the groups of channels of (B, C, H, W): the first of each group, then the second of each."""
    return x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)


class PartialChannelsNet(RegionNet):
    """A network of a skeleton, its choices made partial; a base class."""

    skeleton: ClassVar[type[RegionNet]]

    def __init__(self, region: Region, channels: int, divisor: int, **options: Any) -> None:
        _require_divisor(channels, divisor)
        super().__init__(region, channels=channels, **options)
        self._arguments["divisor"] = divisor
        narrow = self.skeleton(region, channels=channels // divisor, **options)
        for path, module in narrow.named_modules():
            if isinstance(module, OperationChoice):
                self.set_submodule(path, PartialChoice(module, divisor))


class PartialNatsTopologyNet(PartialChannelsNet, NatsTopologyNet):
    """See `NatsTopologyNet` and `PartialChoice`."""

    skeleton = NatsTopologyNet


class PartialDartsNet(PartialChannelsNet, DartsNet):
    """See `DartsNet` and `PartialChoice`."""

    skeleton = DartsNet


_PARTIAL: Mapping[type[RegionNet], type[PartialChannelsNet]] = {
    net.skeleton: net for net in (PartialNatsTopologyNet, PartialDartsNet)
}


def with_partial_channels(net: RegionNet, divisor: int = 4) -> RegionNet:
    """Return a copy of a supernet whose operations see 1/K of the channels.

    Weights that keep their shape are copied, all but those of the operations. Those are PyTorch's initial ones, from
    the global generator; seed it first.

    Args:
        net: Of NATS topology or DARTS.
        divisor: K; PC-DARTS has 4 on CIFAR and 2 on ImageNet. 1 changes nothing.

    Raises:
        UsageError: If the network is another, or its width is no multiple of K or leaves the operations less than two
            channels.
    """
    if type(net) not in _PARTIAL:
        call, step = "with_partial_channels(net)", "Build one with `build_supernet`."
        raise UsageError(complaint(call, "a supernet of nats_topology or darts", type(net).__name__, step))
    partial = _PARTIAL[type(net)](net.region, divisor=divisor, **net._arguments)
    state = partial.state_dict()
    state |= {name: value for name, value in net.state_dict().items() if value.shape == state[name].shape}
    partial.load_state_dict(state)
    return partial.to(net.classifier.weight).train(net.training)


def _require_divisor(channels: int, divisor: int) -> None:
    if type(divisor) is not int or divisor < 1 or channels % divisor or channels < _LEAST_WIDTH * divisor:
        call = f"with_partial_channels(net, divisor={divisor!r})"
        expected = f"a divisor of the net's {channels} channels that leaves at least {_LEAST_WIDTH}"
        raise UsageError(complaint(call, expected, divisor, "Build the supernet wider, or divide by less."))
