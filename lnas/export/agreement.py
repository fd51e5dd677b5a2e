"""Whether a network that was written and read again still says the same."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from lnas.data.batches import normalize
from lnas.errors import RunError, complaint
from lnas.nets.trained_file import ImageTask

Forward = Callable[[Tensor], Tensor]
"""From normalised images (B, 3, H, W) to logits (B, classes), for every B."""

TOLERANCE = 1e-4
"""Largest difference of a logit that is taken for rounding."""

_COARSE = 4
_SIZES = (1, 2, None)


def sample_images(task: ImageTask, count: int = 8, seed: int = 0) -> Tensor:
    """Make normalised images (count, 3, H, W) of soft coloured patches: as bright and as smooth as photographs.

    Depends on the seed alone; the global generator is left as found.
    """
    _, height, width = task.input_size
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, _COARSE, _COARSE, generator=generator)
    smooth = nn.functional.interpolate(coarse, (height, width), mode="bilinear", align_corners=False)
    return normalize((255 * smooth).round().to(torch.uint8), task.mean, task.std)


def largest_difference(form: str, net: nn.Module, reloaded: Forward, images: Tensor) -> float:
    """Compare logits on batches of one, of two and of all images.

    Args:
        form: What was reloaded, for the message.
        net: As it was before, in eval mode.
        reloaded: As it is now.
        images: At least three, normalised.

    Returns:
        The largest difference of a logit.

    Raises:
        RunError: If it is above `TOLERANCE`, or something is not finite.
    """
    with torch.no_grad():
        differences = [(reloaded(images[:size]) - net(images[:size])).abs().max() for size in _SIZES]
    largest = float(torch.stack(differences).max())
    if not largest <= TOLERANCE:
        step = "Do not use this form, and report the architecture."
        raise RunError(complaint(f"{form} of the network", f"logits within {TOLERANCE}", largest, step))
    return largest
