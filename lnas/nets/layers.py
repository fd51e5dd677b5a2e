"""How the cells' convolutions and batch norms are made."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn


@dataclass(frozen=True)
class Layers:
    """A factory of layers, so that a choice such as "no affine batch norm" is made in one place.

    Args:
        affine: Whether batch norms scale and shift. Off in most supernets.
        track_running_stats: Whether batch norms keep running statistics; without them they use the batch's own in eval
            mode too.
        bias: Whether convolutions have a bias. Zero-Cost NAS scores its NAS-Bench-201 nets with one.
    """

    affine: bool = True
    track_running_stats: bool = True
    bias: bool = False

    def conv(
        self, c_in: int, c_out: int, kernel: int, stride: int = 1, dilation: int = 1, groups: int = 1
    ) -> nn.Conv2d:
        """Make a convolution that keeps the resolution, up to its stride."""
        padding = dilation * (kernel // 2)
        return nn.Conv2d(c_in, c_out, kernel, stride, padding, dilation, groups, bias=self.bias)

    def norm(self, channels: int) -> nn.BatchNorm2d:
        """Make a batch norm."""
        return nn.BatchNorm2d(channels, affine=self.affine, track_running_stats=self.track_running_stats)


PLAIN = Layers()
