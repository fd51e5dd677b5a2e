"""The operations of DARTS' cells."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from lnas.nets.layers import PLAIN, Layers
from lnas.nets.names import PoolNorm


class FactorizedReduce(nn.Module):
    """Halves the resolution: two 1x1 convolutions, one of every other pixel and one of those between.

    An odd resolution is padded with zeros below and to the right first.
    """

    def __init__(self, c_in: int, c_out: int, layers: Layers = PLAIN) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.conv_1 = layers.conv(c_in, c_out // 2, 1, stride=2)
        self.conv_2 = layers.conv(c_in, c_out - c_out // 2, 1, stride=2)
        self.norm = layers.norm(c_out)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', ceil(H/2), ceil(W/2))."""
        x = self.relu(x)
        x = nn.functional.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2))
        return self.norm(torch.cat([self.conv_1(x), self.conv_2(x[:, :, 1:, 1:])], dim=1))


class DilatedConv(nn.Sequential):
    """ReLU, depthwise convolution with dilation 2, pointwise convolution, batch norm."""

    def __init__(self, channels: int, kernel: int, stride: int, layers: Layers) -> None:
        super().__init__(*_depthwise_separable(channels, kernel, stride, dilation=2, layers=layers))


class SeparableConv(nn.Sequential):
    """Twice ReLU, depthwise convolution, pointwise convolution, batch norm; the stride is the first one's."""

    def __init__(self, channels: int, kernel: int, stride: int, layers: Layers) -> None:
        super().__init__(
            *_depthwise_separable(channels, kernel, stride, dilation=1, layers=layers),
            *_depthwise_separable(channels, kernel, stride=1, dilation=1, layers=layers),
        )


def make_operation(name: str, channels: int, stride: int, layers: Layers, pool_norm: PoolNorm) -> nn.Module | None:
    """Make an operation of constant width, None for `none`.

    Args:
        name: One of `OPS` of `lnas.spaces.darts.notation`.
        channels: Width.
        stride: 1, or 2 for the edges that leave the inputs of a reduction cell.
        layers: How its layers are made.
        pool_norm: Whether a batch norm without scale and shift follows a pooling.

    Source: quark0/darts, `cnn/operations.py`, `cnn/model_search.py`.
    """
    kernel = int(name[-1]) if name[-1].isdigit() else 0
    match name:
        case "none":
            return None
        case "skip_connect":
            return nn.Identity() if stride == 1 else FactorizedReduce(channels, channels, layers)
        case "max_pool_3x3":
            return _normed(nn.MaxPool2d(kernel, stride, padding=1), channels, layers, pool_norm)
        case "avg_pool_3x3":
            pool = nn.AvgPool2d(kernel, stride, padding=1, count_include_pad=False)
            return _normed(pool, channels, layers, pool_norm)
        case "sep_conv_3x3" | "sep_conv_5x5":
            return SeparableConv(channels, kernel, stride, layers)
        case _:
            return DilatedConv(channels, kernel, stride, layers)


def drop_path(x: Tensor, probability: float) -> Tensor:
    """Zero whole images of (B, C, H, W) with a probability, and scale the others so that the mean is kept."""
    keep = 1 - probability
    mask = x.new_empty(len(x), 1, 1, 1).bernoulli_(keep)
    return x * (mask / keep)


def _depthwise_separable(channels: int, kernel: int, stride: int, dilation: int, layers: Layers) -> list[nn.Module]:
    return [
        nn.ReLU(),
        layers.conv(channels, channels, kernel, stride, dilation, groups=channels),
        layers.conv(channels, channels, 1),
        layers.norm(channels),
    ]


def _normed(pool: nn.Module, channels: int, layers: Layers, pool_norm: PoolNorm) -> nn.Module:
    if pool_norm == "none":
        return pool
    return nn.Sequential(pool, dataclasses.replace(layers, affine=False).norm(channels))
