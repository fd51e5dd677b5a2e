"""Wide depthwise convolutions in channels-last on CPUs, whose gradients PyTorch computes slowly, and some wrongly.

In bfloat16 its gradient of a dilated kernel is not even one: for 16 channels of 32x32 pixels torch 2.14 returns numbers
up to 1e34 (`tests/nets/test_depthwise.py` compares ours with double precision). The others take up to 40 times as long
as the forward pass.
"""

from __future__ import annotations

import itertools
from typing import Any, TypeGuard

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

_SMALL = 3
_WIDE = ((3, 2), (5, 1), (5, 2))


def is_wide_depthwise(module: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Tell whether a module is a convolution that `wide_depthwise` computes: 5x5, or dilated, at stride 1."""
    if type(module) is not nn.Conv2d or module.bias is not None or module.padding_mode != "zeros":
        return False
    (kernel, width), (dilation, _) = module.kernel_size, module.dilation
    return (
        module.groups == module.in_channels == module.out_channels
        and (kernel, dilation) in _WIDE
        and (width, *module.stride, *module.dilation) == (kernel, 1, 1, dilation, dilation)
        and module.padding == (dilation * (kernel // 2),) * 2
    )


def wide_depthwise(conv: nn.Conv2d, x: Tensor) -> Tensor:
    """Convolve; the gradients are made of convolutions for which there are fast kernels, and differ in rounding.

    That of the input is a forward pass with the kernel turned around. That of a dilated kernel is that of an undilated
    one over the four images of every other pixel, that of a 5x5 kernel comes in four parts of 3x3.

    Args:
        conv: One that `is_wide_depthwise`.
        x: Images (B, C, H, W). PyTorch's own gradients are taken where they are as fast: not channels-last, not on a
            CPU, or an undilated kernel in single precision; and for sizes that the dilation does not divide.
    """
    weight, dilation = conv.weight, conv.dilation[0]
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
    if not _is_ours(x, dilation, dtype):
        return nn.Conv2d.forward(conv, x)  # its class's, since its own may be this function for a while
    return _WideDepthwise.apply(x.to(dtype), weight.to(dtype), dilation)  # autocast does not reach into it


def _is_ours(x: Tensor, dilation: int, dtype: torch.dtype) -> bool:
    is_channels_last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    is_slow = dilation > 1 or dtype != torch.float32
    is_even = all(size % dilation == 0 for size in x.shape[2:])
    return x.device.type == "cpu" and is_channels_last and is_slow and is_even and torch.is_grad_enabled()


class _WideDepthwise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, dilation: int) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.dilation = dilation
        return _convolved(x, weight, dilation)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, weight = ctx.saved_tensors
        gradient = gradient.contiguous(memory_format=torch.channels_last)
        of_x = _convolved(gradient, weight.flip(2, 3), ctx.dilation) if ctx.needs_input_grad[0] else None
        of_weight = _gradient_of_weight(x, gradient, weight, ctx.dilation) if ctx.needs_input_grad[1] else None
        return of_x, of_weight, None


def _convolved(x: Tensor, weight: Tensor, dilation: int) -> Tensor:
    return functional.conv2d(x, weight, None, 1, dilation * (weight.shape[2] // 2), dilation, len(weight))


def _gradient_of_weight(x: Tensor, gradient: Tensor, weight: Tensor, dilation: int) -> Tensor:
    kernel = weight.shape[2]
    padded = functional.pad(x, [dilation * (kernel // 2)] * 4)
    padded, gradient = _every_other(padded, dilation), _every_other(gradient, dilation)
    result = torch.empty_like(weight)
    height, width = (size + _SMALL - 1 for size in gradient.shape[2:])
    starts = range(0, kernel - 1, _SMALL - 1)  # neighbouring parts share a row or a column
    for top, left in itertools.product(starts, starts):
        window = padded[:, :, top : top + height, left : left + width]
        part = result[:, :, top : top + _SMALL, left : left + _SMALL]
        part.copy_(_gradient_of_small(window, gradient, part))
    return result


def _every_other(x: Tensor, step: int) -> Tensor:
    """Part images into those of every other pixel, along the batch, in one copy of whole pixels."""
    if step == 1:
        return x
    batch, channels, height, width = x.shape
    rows = x.permute(0, 2, 3, 1).reshape(batch, height // step, step, width // step, step, channels)
    parts = rows.permute(2, 4, 0, 1, 3, 5).reshape(-1, height // step, width // step, channels)
    return parts.permute(0, 3, 1, 2)


def _gradient_of_small(padded: Tensor, gradient: Tensor, weight: Tensor) -> Tensor:
    channels, unit = len(weight), [1, 1]
    options = (unit, [0, 0], unit, False, [0, 0], channels)  # stride, padding, dilation, not transposed, groups
    padded = padded.contiguous(memory_format=torch.channels_last)
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    of = [False, True, False]
    return torch.ops.aten.convolution_backward(gradient, padded, weight.contiguous(), None, *options, of)[1]
