"""The backward pass of a 2-d convolution for many cotangents at a time."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

_VECTOR = 16
"""Channels from which on PyTorch's own kernels keep a processor busy."""


def is_narrow(node: Any) -> bool:
    """Tell whether a `ConvolutionBackward0` is of two dimensions, not transposed, and of few channels."""
    images = node._saved_input
    return images.ndim == 4 and not node._saved_transposed and images.shape[1] < _VECTOR


def input_gradient(node: Any, weight: Tensor) -> Callable[[Tensor], Tensor]:
    """Return the map from cotangents (K, n, C', H', W') of a convolution to those of its input, (K, n, C, H, W).

    It is computed as a convolution of stride 1, whatever the stride: which taps a pixel of the input meets depends on
    its place modulo the stride, so that there is a kernel for each place, whose outputs interleave. On a CPU that is
    several times faster at few channels than PyTorch's backward pass.

    Args:
        node: The convolution, a `ConvolutionBackward0`.
        weight: Its weight, or another one of this shape.
    """
    kernel, lowest, highest = _kernel_by_place(node, weight)
    size, stride, groups = node._saved_input.shape[2:], node._saved_stride, node._saved_groups
    outputs = node._input_metadata[0].shape[2:]
    blocks = [-(-pixels // step) for pixels, step in zip(size, stride, strict=True)]
    reach = zip(lowest, highest, blocks, outputs, strict=True)
    padding = [max(0, -low, block + high - output) for low, high, block, output in reach]
    starts = [pad + low for pad, low in zip(padding, lowest, strict=True)]
    rows, columns = (slice(start, start + block) for start, block in zip(starts, blocks, strict=True))

    def pull_back(cotangents: Tensor) -> Tensor:
        folded = cotangents.transpose(0, 1).flatten(0, 1)
        found = _convolved(folded, kernel, padding, groups)[..., rows, columns]
        if max(stride) > 1:
            found = _interleaved(found.unflatten(1, (-1, *stride)))[..., : size[0], : size[1]]
        return found.unflatten(0, (-1, len(cotangents))).transpose(0, 1)

    return pull_back


def weight_gradient(node: Any) -> Callable[[Tensor], Tensor]:
    """Return the map from cotangents (K, n, C', H', W') of a convolution to those of its weight, (K, C', C, k, k).

    All cotangents meet the same input, and so they are taken as further output channels of one convolution.

    Args:
        node: The convolution, a `ConvolutionBackward0`.
    """
    inputs, weight, groups = node._saved_input, node._saved_weight, node._saved_groups

    def pull_back(cotangents: Tensor) -> Tensor:
        by_group = cotangents.transpose(0, 1).unflatten(2, (groups, -1)).transpose(1, 2)
        channels = by_group.flatten(1, 3)
        # Only its shape matters.
        wide_weight = weight.new_empty(1).expand(channels.shape[1], *weight.shape[1:])
        options = (node._saved_stride, node._saved_padding, node._saved_dilation, False, [0, 0], groups)
        wanted = [False, True, False]
        found = torch.ops.aten.convolution_backward(channels, inputs, wide_weight, None, *options, wanted)[1]
        return found.unflatten(0, by_group.shape[1:4]).transpose(0, 1).flatten(1, 2)

    return pull_back


def _convolved(images: Tensor, kernel: Tensor, padding: Sequence[int], groups: int) -> Tensor:
    if kernel.shape[2:] != (1, 1) or any(padding) or groups > 1:
        return torch.conv2d(images, kernel, padding=padding, groups=groups)
    # At few channels, faster than a convolution.
    return (kernel.flatten(1) @ images.flatten(2)).unflatten(2, images.shape[2:])


def _interleaved(by_place: Tensor) -> Tensor:
    """Spread (n, C, stride, stride, rows, columns) over (n, C, stride * rows, stride * columns)."""
    count, channels, down, across, rows, columns = by_place.shape
    spread = by_place.new_empty(count, channels, down * rows, across * columns)
    for row, column in itertools.product(range(down), range(across)):
        spread[..., row::down, column::across] = by_place[:, :, row, column]
    return spread


def _kernel_by_place(node: Any, weight: Tensor) -> tuple[Tensor, list[int], list[int]]:
    """Return a kernel (C * stride * stride, C' / groups, ...), and the first and the last offset along its axes.

    Pixel `stride * block + place` of the input meets, by tap `k`, the output at `block + offset` where
    `stride * block + place + padding = stride * (block + offset) + dilation * k`.
    """
    groups, stride = node._saved_groups, node._saved_stride
    geometry = zip(weight.shape[2:], stride, node._saved_padding, node._saved_dilation, strict=True)
    axes = [[_place_and_offset(tap * far - pad, step) for tap in range(taps)] for taps, step, pad, far in geometry]
    lowest = [min(offset for _, offset in taps) for taps in axes]
    highest = [max(offset for _, offset in taps) for taps in axes]
    by_input = weight.unflatten(0, (groups, -1)).transpose(1, 2)
    extent = [high - low + 1 for low, high in zip(lowest, highest, strict=True)]
    kernel = weight.new_zeros(*by_input.shape[:2], *stride, by_input.shape[2], *extent)
    for row, (place_y, offset_y) in enumerate(axes[0]):
        for column, (place_x, offset_x) in enumerate(axes[1]):
            kernel[:, :, place_y, place_x, :, offset_y - lowest[0], offset_x - lowest[1]] = by_input[..., row, column]
    return kernel.flatten(0, 3), lowest, highest


def _place_and_offset(shift: int, stride: int) -> tuple[int, int]:
    return shift % stride, -(shift // stride)
