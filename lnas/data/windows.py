"""Moving pixels of batches of images: cutting windows out, mirroring.

On the CPU by NumPy, which copies rows of pixels whole where PyTorch finds each by its index.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor


def windows_at(images: Tensor, top: Tensor, left: Tensor, height: int, width: int) -> Tensor:
    """Cut a window out of each image.

    Args:
        images: Shape (B, C, H, W), of any type.
        top: First row of each window, shape (B,).
        left: First column of each window, shape (B,).
        height: Of the windows.
        width: Of the windows.

    Returns:
        Shape (B, C, height, width).
    """
    if images.device.type == "cpu":
        windows = np.lib.stride_tricks.sliding_window_view(images.numpy(), (height, width), axis=(2, 3))
        return torch.from_numpy(windows[np.arange(len(images)), :, top.numpy(), left.numpy()])
    return windows_by_index(images, top, left, height, width)


def windows_by_index(images: Tensor, top: Tensor, left: Tensor, height: int, width: int) -> Tensor:
    """Cut windows as `windows_at` does, on any device."""
    windows = images.unfold(2, height, 1).unfold(3, width, 1)
    return windows[torch.arange(len(images), device=images.device), :, top, left]


def mirror(images: Tensor, mirrored: Tensor) -> Tensor:
    """Mirror some images (B, C, H, W) left to right: those where `mirrored`, shape (B,), says so."""
    if images.device.type == "cpu":
        rows = np.flatnonzero(mirrored.numpy())
        result = images.clone(memory_format=torch.contiguous_format)
        result.numpy()[rows] = images.numpy()[rows, :, :, ::-1]
        return result
    return torch.where(mirrored[:, None, None, None], images.flip(-1), images)
