"""Which parameters are weights, in the sense of pruning at initialisation."""

from __future__ import annotations

from torch import nn


def weight_names(net: nn.Module) -> list[str]:
    """Return the names of the weights of convolutions and linear layers, tied ones once; no biases, no batch norms."""
    layers = [module for module in net.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    weights = {id(layer.weight) for layer in layers}
    return [name for name, parameter in net.named_parameters() if id(parameter) in weights]
