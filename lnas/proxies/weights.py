"""Which parameters are weights, in the sense of pruning at initialisation."""

from __future__ import annotations

from torch import nn


def weight_names(net: nn.Module) -> list[str]:
    """Return the names of the weights of convolutions and linear layers; no biases, no batch norms."""
    return [
        f"{path}.weight" if path else "weight"
        for path, module in net.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
