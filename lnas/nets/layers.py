"""How the cells' convolutions and batch norms are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import nn

BN_MOMENTUM = 0.1
"""PyTorch's: how much of a batch's statistics the running ones take up."""


@dataclass(frozen=True)
class Layers:
    """A factory of layers, so that a choice such as "no affine batch norm" is made in one place.

    Args:
        affine: Whether batch norms scale and shift. Off in most supernets.
        track_running_stats: Whether batch norms keep running statistics; without them they use the batch's own in eval
            mode too.
        bias: Whether convolutions have a bias. Zero-Cost NAS scores its NAS-Bench-201 nets with one.
        bn_momentum: How much of a batch's statistics the running ones take up; None is the benchmark's own.
    """

    affine: bool = True
    track_running_stats: bool = True
    bias: bool = False
    bn_momentum: float | None = None

    conv_type: ClassVar[type[nn.Conv2d]] = nn.Conv2d
    norm_type: ClassVar[type[nn.BatchNorm2d]] = nn.BatchNorm2d

    def conv(
        self, c_in: int, c_out: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1
    ) -> nn.Conv2d:
        """Make a convolution that keeps the resolution, up to its stride."""
        padding = dilation * (kernel // 2)
        return self.conv_type(c_in, c_out, kernel, stride, padding, dilation, groups, bias=self.bias)

    def norm(self, channels: int) -> nn.BatchNorm2d:
        """Make a batch norm."""
        momentum = BN_MOMENTUM if self.bn_momentum is None else self.bn_momentum
        return self.norm_type(
            channels, momentum=momentum, affine=self.affine, track_running_stats=self.track_running_stats
        )


PLAIN = Layers()


class ReluConvBn(nn.Sequential):
    """ReLU, convolution, batch norm: the block of NAS-Bench-201 and of DARTS."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1, layers: Layers = PLAIN) -> None:
        super().__init__(nn.ReLU(), layers.conv(c_in, c_out, kernel, stride), layers.norm(c_out))
