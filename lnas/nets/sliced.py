"""Layers of which a leading part of the channels can be used.

Used as a whole, each is the ordinary layer it derives from, hooks and kernels included. How many channels come in is
seen from the input; how many go out, where that is open, is an argument.

A gradient has the shape of the whole weight, with zeros where it was not used. So momentum and weight decay move the
unused part, too, at every step of an optimizer, however gradients are cleared.
"""

from __future__ import annotations

import itertools
from typing import Self

from torch import Tensor, nn
from torch.nn import functional

from lnas.nets.layers import Layers
from lnas.nets.widths import Width, as_weighted, largest, masked, resized


class SlicedConv2d(nn.Conv2d):
    """A convolution that can use its leading input and output channels only, in as many groups as asked for."""

    def forward(self, x: Tensor, *, width: int | None = None, groups: int | None = None) -> Tensor:
        """Map (B, C, H, W) to (B, width, H', W').

        Args:
            x: Features; of the weight, the leading C / groups input channels are used.
            width: Output channels; None is all.
            groups: Number of groups; None is that of the layer.
        """
        width = self.out_channels if width is None else width
        groups = self.groups if groups is None else groups
        size = (width, x.shape[1] // groups)
        if groups == self.groups and size == self.weight.shape[:2]:
            return super().forward(x)
        weight, bias = self.weight[: size[0], : size[1]], _leading(self.bias, width)
        return functional.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, groups)


class SlicedBatchNorm2d(nn.BatchNorm2d):
    """A batch norm that uses, and updates, the entries of the leading channels only."""

    def forward(self, x: Tensor) -> Tensor:
        width = x.shape[1]
        if width == self.num_features:
            return super().forward(x)
        if self.training and self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        return functional.batch_norm(
            x,
            _leading(self.running_mean, width),
            _leading(self.running_var, width),
            _leading(self.weight, width),
            _leading(self.bias, width),
            training=self.training or self.running_mean is None,
            momentum=self.momentum or 0.0,
            eps=self.eps,
        )


class SlicedLinear(nn.Linear):
    """A linear layer that can use its leading inputs only."""

    def forward(self, x: Tensor) -> Tensor:
        # Contiguous, so that a part and a copy of it go through the same matrix product.
        return functional.linear(x, self.weight[:, : x.shape[1]].contiguous(), self.bias)


class SlicedLayers(Layers):
    """A factory of sliced layers."""

    conv_type = SlicedConv2d
    norm_type = SlicedBatchNorm2d

    @classmethod
    def like(cls, layers: Layers) -> Self:
        """Return the factory with the same options."""
        return cls(layers.affine, layers.track_running_stats, layers.bias, layers.bn_momentum)


class SlicedConvBn(nn.Module):
    """A convolution, and a batch norm unless `bare`, of the width that each call asks for."""

    def __init__(
        self, c_in: int, c_out: int, kernel: int, stride: int, layers: SlicedLayers, bare: bool = False
    ) -> None:
        super().__init__()
        self.conv = layers.conv(c_in, c_out, kernel, stride)
        self.norm = nn.Identity() if bare else layers.norm(c_out)

    def forward(self, x: Tensor, width: Width) -> Tensor:
        """Map (B, C, H, W) to (B, width, H', W')."""
        return masked(self.norm(self.conv(x, width=largest(width))), width)


class SlicedShortcut(nn.Module):
    """The identity between equal widths; else, and wherever there is a stride, 1x1 convolution and batch norm.

    Args:
        c_in: Largest input width.
        c_out: Largest output width.
        stride: Of the convolution.
        layers: How its layers are made.
        projects: Whether there is a convolution at all; not where the widths are always equal.
    """

    def __init__(self, c_in: int, c_out: int, stride: int, layers: SlicedLayers, projects: bool) -> None:
        super().__init__()
        self.stride = stride
        self.projection = SlicedConvBn(c_in, c_out, 1, stride, layers) if projects else None

    def forward(self, x: Tensor, c_in: Width, c_out: Width) -> Tensor:
        """Map (B, c_in, H, W) to (B, c_out, H', W').

        In a mixture, the identity weighs as much as the pairs of equal widths, and the projection as the others.
        """
        if self.projection is None:
            return x
        if self.stride > 1:
            return self.projection(x, c_out)
        if isinstance(c_in, int) and isinstance(c_out, int):
            return x if c_in == c_out else self.projection(x, c_out)
        pairs = list(itertools.product(as_weighted(c_in), as_weighted(c_out)))
        equal = sum(p * q for (one, p), (other, q) in pairs if one == other)
        unequal = sum(p * q for (one, p), (other, q) in pairs if one != other)
        return equal * resized(x, largest(c_out)) + unequal * self.projection(x, c_out)


def _leading(tensor: Tensor | None, size: int) -> Tensor | None:
    return None if tensor is None else tensor[:size]
