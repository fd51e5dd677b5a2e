"""Initial weights by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import torch
from torch import Tensor, nn

from lnas.errors import UsageError, unknown_name
from lnas.nets.names import Initialization


@torch.no_grad()
def initialize(net: nn.Module, name: Initialization) -> None:
    """Draw the weights of every convolution and linear layer anew, from the global generator.

    Biases become 0, batch-norm scales 1 and shifts 0; "pytorch" leaves the network as it was built.

    Args:
        net: Changed in place.
        name: "kaiming_uniform" (ST-NAS as published, Tab. 9c) and "kaiming_normal" (as released) both keep the
            variance 2 / fan_in; "lecun_normal" keeps 1 / fan_in (LeCun et al. 1998; TEG-NAS as published, eq. 6, for
            counting regions), "xavier_uniform" 2 / (fan_in + fan_out). "pycls" is that of NDS: convolutions
            N(0, 2 / fan_out), linear layers N(0, 0.01^2).
    """
    if name not in get_args(Initialization):
        raise UsageError(f"initialize(net, {name!r}): {unknown_name('init', name, get_args(Initialization))}")
    if name == "pytorch":
        return
    draws: dict[str, Callable[[Tensor], object]] = {
        "kaiming_uniform": lambda weight: nn.init.kaiming_uniform_(weight, nonlinearity="relu"),
        "kaiming_normal": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="relu"),
        "lecun_normal": lambda weight: nn.init.kaiming_normal_(weight, nonlinearity="linear"),
        "xavier_uniform": nn.init.xavier_uniform_,
        "pycls": _draw_as_pycls,
    }
    draw = draws[name]
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            draw(module.weight)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.BatchNorm2d) and module.affine:
            module.weight.fill_(1)
            module.bias.zero_()


def _draw_as_pycls(weight: Tensor) -> None:
    if weight.ndim == 2:
        nn.init.normal_(weight, std=0.01)
    else:
        nn.init.kaiming_normal_(weight, mode="fan_out", nonlinearity="relu")
