"""Small crops of one channel, the inputs on which linear regions are counted. Torch-free."""

from __future__ import annotations

import math

import numpy as np

from lnas.data.images import ImageData, SplitName
from lnas.errors import UsageError, complaint
from lnas.seeds import derive_seed


def random_patches(data: ImageData, count: int, size: int = 3, seed: int = 0, split: SplitName = "train") -> np.ndarray:
    """Draw random crops of one random channel, each of another image, as TE-NAS does to count linear regions.

    Args:
        data: Where to draw from; its mean and deviation of the channel normalise the pixels.
        count: How many patches; TE-NAS takes 3,000.
        size: Height and width of a patch in pixels.
        seed: Decides images, places and channels.
        split: Which images. No image comes a second time before all have come once.

    Returns:
        float32, shape (count, 1, size, size).

    Raises:
        UsageError: If `count` or `size` is below 1, or images are smaller than `size`.

    Source: VITA-Group/TENAS, `lib/procedures/linear_region_counter.py`.
    """
    images = data.splits[split].images
    call = f"random_patches({data.name}, count={count}, size={size})"
    n, channels, height, width = images.shape
    if count < 1:
        raise UsageError(complaint(call, "count >= 1", count, "TE-NAS takes 3000."))
    if not 1 <= size <= min(height, width):
        expected = f"1 <= size <= {min(height, width)}, which the images have"
        raise UsageError(complaint(call, expected, size, "TE-NAS takes 3."))
    rng = np.random.default_rng(derive_seed(seed, "random_patches"))
    rows = np.concatenate([rng.permutation(n) for _ in range(math.ceil(count / n))])[:count]
    channel = rng.integers(channels, size=count)
    top, left = rng.integers(height - size + 1, size=count), rng.integers(width - size + 1, size=count)
    inside = np.arange(size)
    pixels = images[
        rows[:, None, None],
        channel[:, None, None],
        top[:, None, None] + inside[:, None],
        left[:, None, None] + inside,
    ]
    mean, std = np.array(data.mean)[channel, None, None], np.array(data.std)[channel, None, None]
    return ((pixels / 255 - mean) / std).astype(np.float32)[:, None]
