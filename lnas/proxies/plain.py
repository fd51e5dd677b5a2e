"""Signed first-order saliency of the weights."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def plain(weights: Sequence[Tensor], gradients: Sequence[Tensor]) -> float:
    """Sum W * dL/dW over all weights, with its sign: how much the loss would fall if weights vanished, to first order.

    Source: Mozer and Smolensky 1989, as Abdelfattah et al. 2021 sum it. In votes, the study of efficient estimators
    flips its sign.
    """
    return sum(float((weight * gradient).sum()) for weight, gradient in zip(weights, gradients, strict=True))
