"""Number of parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def params(net: nn.Module) -> float:
    """Count the trainable parameters: weights, biases and batch-norm scales and shifts, each once."""
    return float(sum(weight.numel() for weight in net.parameters() if weight.requires_grad))
