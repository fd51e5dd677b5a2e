"""The networks that zero-shot measures are taken on. Imports torch only when called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lnas.estimators.zero_shot_settings import NetSetting
from lnas.nets import NetBuilder, ThinNetBuilder
from lnas.nets.names import Initialization
from lnas.seeds import derive_seed
from lnas.types import Arch

if TYPE_CHECKING:
    from torch import nn


def build_measured_net(
    net: Callable[[Arch, int], Any], setting: NetSetting, arch: Arch, num_classes: int, seed: int
) -> Any:
    """Build the network of an architecture as a setting says, and leave all random generators as found.

    Args:
        net: A `NetBuilder`, whose options the setting replaces; any other callable is used as it is, weights included.
        setting: Which network.
        arch: The architecture.
        num_classes: Outputs.
        seed: Decides the weights.
    """
    from lnas.nets import isolated_randomness

    builder = _replaced(net, setting, arch.space) if isinstance(net, NetBuilder) else net
    with isolated_randomness(seed):
        built = builder(arch, num_classes)
        if setting.weights == "shared" and isinstance(builder, NetBuilder | ThinNetBuilder):
            draw_weights_by_name(built, builder.init, seed)
    return built


def draw_weights_by_name(net: nn.Module, init: Initialization, seed: int) -> None:
    """Draw the weights of every layer from the seed and the layer's name, and so as in every net that has this layer.

    Nets of one space are then parts of one random supernet. Uses up the global generator.
    """
    import torch

    from lnas.nets import initialize

    for name, layer in net.named_modules():
        if hasattr(layer, "reset_parameters"):
            torch.manual_seed(derive_seed(seed, name))
            layer.reset_parameters()
            initialize(layer, init)


def _replaced(builder: NetBuilder, setting: NetSetting, space: str) -> NetBuilder | ThinNetBuilder:
    options = setting.options_for(space)
    return ThinNetBuilder(**options) if setting.kind == "thin" else replace(builder, **options)
