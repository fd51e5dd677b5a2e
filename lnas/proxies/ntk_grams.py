"""Gram matrices of the gradients of each image's logits: neural tangent kernels."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lnas.proxies.jacobian import WeightJacobian, weight_jacobian

_COLUMNS = 2**16
"""How many weights are converted to float64 at a time."""


class CellGrams(NamedTuple):
    """The kernel of the cells' weights.

    Attributes:
        train: (n, n), between the images that are fitted.
        cross: (m, n), between those that are tested and those.
    """

    train: Tensor
    cross: Tensor


def observe_grams(net: nn.Module, images: Tensor, test_images: Tensor | None = None) -> dict[str, Any]:
    """Make the observations that the measures of the neural tangent kernel need.

    Args:
        net: In train mode; inside `preserved`.
        images: (n, C, H, W).
        test_images: (m, C, H, W), a batch of its own with its own statistics.

    Returns:
        `weight_gram`, the kernel (n, n) of all weights between the images; with `test_images` also `cell_grams`; and
        the `logits` of the images.
    """
    fitted = weight_jacobian(net, images)
    found: dict[str, Any] = {"logits": fitted.logits, "weight_gram": gram(fitted.matrix, fitted.matrix)}
    if test_images is not None:
        found["cell_grams"] = cell_grams(fitted, weight_jacobian(net, test_images))
    return found


def cell_grams(fitted: WeightJacobian, tested: WeightJacobian) -> CellGrams:
    """Return the kernel of the cells' weights of two batches of one net."""
    train, test = (jacobian.matrix[:, jacobian.in_cell] for jacobian in (fitted, tested))
    return CellGrams(gram(train, train), gram(test, train))


def gram(left: Tensor, right: Tensor) -> Tensor:
    """Return the products of the rows of (m, P) and (n, P), summed in float64, in the matrices' own dtype."""
    columns = zip(left.split(_COLUMNS, dim=1), right.split(_COLUMNS, dim=1), strict=True)
    total = left.new_zeros(len(left), len(right), dtype=torch.float64)
    for some_left, some_right in columns:
        total += some_left.double() @ some_right.double().T
    return total.to(left.dtype)
