"""The mean over 3x3 pixels, in a fraction of the time of PyTorch's kernels where a CPU has channels last."""

from __future__ import annotations

from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn import functional

_SIZE = (3, 3)
_PADDING = (1, 1)


def is_mean_pool_3x3(module: nn.Module) -> TypeGuard[nn.AvgPool2d]:
    """Tell whether a module is an average pooling that `mean_pool_3x3` computes, at any stride."""
    return (
        type(module) is nn.AvgPool2d
        and (_pair(module.kernel_size), _pair(module.padding)) == (_SIZE, _PADDING)
        and not (module.ceil_mode or module.count_include_pad or module.divisor_override)
    )


def mean_pool_3x3(pool: nn.AvgPool2d, x: Tensor) -> Tensor:
    """Take the mean of the 3x3 pixels around each; those beyond the border do not count.

    For channels-last on a CPU it is a depthwise convolution, which differs from PyTorch's pooling in rounding; all else
    goes through that.

    Args:
        pool: One that `is_mean_pool_3x3`.
        x: Images (B, C, H, W).
    """
    if x.device.type != "cpu" or x.is_contiguous() or not x.is_contiguous(memory_format=torch.channels_last):
        return nn.AvgPool2d.forward(pool, x)  # its class's, since its own may be this function for a while
    _, channels, *size = x.shape
    stride = _pair(pool.stride)
    ninths = x.new_full((channels, 1, *_SIZE), 1 / 9)
    ninths_of_sums = functional.conv2d(x, ninths, None, stride, _PADDING, groups=channels)
    share_inside = functional.avg_pool2d(x.new_ones(1, 1, *size), _SIZE, stride, _PADDING)
    return ninths_of_sums.div_(share_inside)


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else size
