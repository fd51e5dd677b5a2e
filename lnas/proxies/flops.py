"""Multiply-accumulates of one image."""

from __future__ import annotations

from torch import Tensor, nn

from lnas.nets.complexity import count_macs


def flops(net: nn.Module, images: Tensor) -> float:
    """Count what the field calls FLOPs: the multiply-accumulates of convolutions and linear layers for one image.

    Only what a forward pass computes is counted; see `count_macs`.
    """
    _, channels, height, width = images.shape
    return float(count_macs(net, (channels, height, width)))
