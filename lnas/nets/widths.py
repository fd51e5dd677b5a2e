"""How many channels a layer has: one number on a path, several at once in a mixture."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from lnas.nets.choice import Pick

T = TypeVar("T")
Weighted = Sequence[tuple[T, float | Tensor]]
"""What can be chosen in one decision, each with its weight; a choice that is made is alone, with weight 1."""


class MixedWidth:
    """Several widths at once: the largest is computed, and a channel counts as much as the widths that have it.

    Source: FBNetV2 (Wan et al. 2020), where a width is a mask of ones and zeros and a mixture the mean of the masks.

    Args:
        choices: Widths and their weights; equal widths become one.
    """

    def __init__(self, choices: Weighted[int]) -> None:
        self.sizes = tuple(sorted({size for size, _ in choices}))
        self.weights = tuple(sum(weight for size, weight in choices if size == wanted) for wanted in self.sizes)

    @cached_property
    def mask(self) -> Tensor:
        """The weight of each channel."""
        weights = torch.stack([torch.as_tensor(weight) for weight in self.weights])
        sizes = torch.tensor(self.sizes, device=weights.device)
        channels = torch.arange(self.sizes[-1], device=weights.device)
        return weights @ (channels < sizes[:, None]).to(weights)


Width = int | MixedWidth


def weighted(pick: Pick, allowed: Sequence[int], values: Sequence[T]) -> Weighted[T]:
    """Return what a pick chooses among.

    Args:
        pick: A gene, or a weight for each gene that is allowed.
        allowed: The genes that the region allows.
        values: What the genes stand for.
    """
    if isinstance(pick, int):
        return ((values[pick], 1.0),)
    return tuple((values[gene], weight) for gene, weight in zip(allowed, pick, strict=True))


def joint(function: Callable[..., T], *decisions: Weighted) -> Weighted[T]:
    """Return the function's value for each combination of choices, weighted by the product of their weights."""
    combinations = [tuple(zip(*combination, strict=True)) for combination in itertools.product(*decisions)]
    return tuple((function(*values), math.prod(weights)) for values, weights in combinations)


def as_width(choices: Weighted[int]) -> Width:
    """Return the width if there is one, else the mixture."""
    return choices[0][0] if len(choices) == 1 else MixedWidth(choices)


def as_weighted(width: Width) -> Weighted[int]:
    """Return the width as the only choice, or the mixture as several: the reverse of `as_width`."""
    return ((width, 1.0),) if isinstance(width, int) else tuple(zip(width.sizes, width.weights, strict=True))


def each(function: Callable[[int], int], width: Width) -> Width:
    """Apply a function to a width, or to every one of a mixture."""
    return as_width(joint(function, as_weighted(width)))


def largest(width: Width) -> int:
    """Return how many channels are computed."""
    return width if isinstance(width, int) else width.sizes[-1]


def masked(x: Tensor, width: Width) -> Tensor:
    """Weigh the channels of (B, C, H, W) as a mixture says; a plain width leaves them as they are."""
    return x if isinstance(width, int) else x * width.mask.to(x)[:, None, None]


def resized(x: Tensor, channels: int) -> Tensor:
    """Return the leading channels of (B, C, H, W), and zeros for those that are missing."""
    missing = channels - x.shape[1]
    return functional.pad(x, (0, 0, 0, 0, 0, missing)) if missing > 0 else x[:, :channels]


def scaled(width: int, channels: int, of: int) -> int:
    """Return a benchmark's width in a network of `channels` channels where the benchmark has `of`; at least 1."""
    return max(1, round(width * channels / of))
