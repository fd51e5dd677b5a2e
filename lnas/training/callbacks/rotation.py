"""The angle between two vectors that are kept in parts, accurate however small it is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

_SPLITTER = 2.0**29 + 1  # leaves 24 of the 53 bits of a float64


def angle_between(u: Tensor, v: Tensor) -> float:
    """Return the angle between two vectors in radians, in [0, pi]; NaN where one is zero or not finite.

    Accurate to 1e-12 relative from 1e-9 rad on (the arccos is not, below 0.1 rad), and exactly 0 between a vector and
    itself.

    Example:
        >>> round(angle_between(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])) / math.pi, 6)
        0.5
    """
    return float(rotation([u], [v]))


@torch.no_grad()
def rotation(before: Sequence[Tensor], after: Sequence[Tensor]) -> Tensor:
    """Return the angle between two vectors given by their parts, of equal shapes, as a float64 number on their device.

    It is the arctan of what is left of `after` without its share along `before`, over that share. The share is rounded
    to as many bits as a float32 has, so that its products are exact and the subtraction loses nothing. Parts become
    float64 one at a time, so no second copy of a whole net exists, and nothing waits for the device.
    """
    parts = list(zip(before, after, strict=True))
    square, product = torch.stack([_overlaps(u, v) for u, v in parts]).sum(dim=0)
    share = _leading(product / square)
    along, rest = torch.stack([_overlaps_of_rest(u, v, share) for u, v in parts]).sum(dim=0)
    across = (rest - along * along / square).clamp(min=0)
    angle = torch.atan2(across.sqrt(), product / square.sqrt())
    return torch.where((across == 0) & (product == 0), math.nan, angle)


def _overlaps(u: Tensor, v: Tensor) -> Tensor:
    """Return u.u and u.v."""
    u, v = _exact(u), _exact(v)
    return torch.stack([(u * u).sum(), (u * v).sum()])


def _overlaps_of_rest(u: Tensor, v: Tensor, share: Tensor) -> Tensor:
    """Return r.u and r.r of r = v - share u."""
    whole, rest = _exact(u), _exact(v)
    for piece in [whole] if u.dtype != torch.float64 else [_leading(whole), whole - _leading(whole)]:
        rest = rest - share * piece
    return torch.stack([(rest * whole).sum(), (rest * rest).sum()])


def _leading(numbers: Tensor) -> Tensor:
    """Return the leading 24 bits of float64 numbers (Veltkamp's splitting): of two such, the product is exact."""
    scaled = numbers * _SPLITTER
    return scaled - (scaled - numbers)


def _exact(part: Tensor) -> Tensor:
    # Apple's GPUs have no float64.
    return (part.cpu() if part.is_mps else part).double()
