"""First-order saliency of the weights."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def snip(weights: Sequence[Tensor], gradients: Sequence[Tensor]) -> float:
    """Sum |W * dL/dW| over all weights.

    Source: Lee et al. 2019, as Abdelfattah et al. 2021 sum it. Theirs is the gradient with respect to a mask of ones
    that multiplies the weights, which is the same.
    """
    return sum(float((weight * gradient).abs().sum()) for weight, gradient in zip(weights, gradients, strict=True))
