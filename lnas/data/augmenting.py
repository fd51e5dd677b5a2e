"""Augmentation of normalised batches, where they lie, drawn by the global generators."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lnas.data.augmentation import Augmentation

_ERASED_AREA = (0.02, 1 / 3)
_ERASED_ASPECT = (0.3, 1 / 0.3)
_ATTEMPTS = 10


def cutout(images: Tensor, side: int) -> Tensor:
    """Put a square of zeros into each image (B, C, H, W), its centre uniform over the pixels.

    Half of the side, rounded down, reaches either way from the centre; what hangs over the edge is lost.

    Source: DeVries and Taylor 2017, as DARTS applies it after normalisation (`quark0/darts`, `cnn/utils.py`).
    """
    count, _, height, width = images.shape
    row = torch.randint(height, (count,), device=images.device)
    column = torch.randint(width, (count,), device=images.device)
    reach = side // 2
    square = _rectangles(row - reach, column - reach, row + reach, column + reach, height, width)
    return images.masked_fill(square, 0)


def erase(images: Tensor, probability: float) -> Tensor:
    """Fill a rectangle of some images (B, C, H, W) with standard normal noise.

    A rectangle has 2 % to a third of the image's area and sides 0.3 to 1 / 0.3 of each other, and lies within; the
    first that does of ten is taken.

    Source: Zhong et al. 2020, with the numbers of timm's `RandomErasing`, mode "pixel", of which this is the batched
    form.
    """
    count, _, height, width = images.shape

    def drawn(*shape: int) -> Tensor:
        return torch.rand(count, *shape, device=images.device)

    chosen = drawn() < probability
    area = _between(drawn(_ATTEMPTS), *_ERASED_AREA) * height * width
    aspect = _between(drawn(_ATTEMPTS), *(math.log(bound) for bound in _ERASED_ASPECT)).exp()
    heights, widths = (area * aspect).sqrt().round(), (area / aspect).sqrt().round()
    fits = (heights < height) & (widths < width)
    first = fits.int().argmax(1, keepdim=True)
    tall, wide = heights.gather(1, first)[:, 0], widths.gather(1, first)[:, 0]
    top, left = (drawn() * (height - tall + 1)).floor(), (drawn() * (width - wide + 1)).floor()
    rectangle = _rectangles(top, left, top + tall, left + wide, height, width)
    erased = rectangle & (chosen & fits.any(1))[:, None, None, None]
    return torch.where(erased, torch.randn_like(images), images)


def mix(images: Tensor, labels: Tensor, augmentation: Augmentation, num_classes: int) -> tuple[Tensor, Tensor]:
    """Mix each image of a batch with its counterpart from the batch's other end, by timm's `Mixup`.

    One weight, or rectangle, is drawn for the batch, by NumPy's global generator.

    Args:
        images: Shape (B, C, H, W), B even.
        labels: int64, shape (B,).
        augmentation: Says how.
        num_classes: Number of classes.

    Returns:
        The images, and labels as probabilities, float32, shape (B, num_classes). Smoothing them is for the loss: it
        comes to the same before and after mixing.

    Source: Zhang et al. 2018 (mixup), Yun et al. 2019 (CutMix).
    """
    from timm.data.mixup import Mixup  # takes long to import, and few trainings mix

    mixup = Mixup(augmentation.mixup, augmentation.cutmix, label_smoothing=0.0, num_classes=num_classes)
    return mixup(images.clone(), labels)


def _between(uniform: Tensor, low: float, high: float) -> Tensor:
    return low + (high - low) * uniform


def _rectangles(top: Tensor, left: Tensor, bottom: Tensor, right: Tensor, height: int, width: int) -> Tensor:
    """Return which pixels lie in each image's rectangle: bool, shape (B, 1, height, width)."""
    rows, columns = (torch.arange(side, device=top.device) for side in (height, width))
    across = (rows >= top[:, None]) & (rows < bottom[:, None])
    along = (columns >= left[:, None]) & (columns < right[:, None])
    return across[:, None, :, None] & along[:, None, None, :]
