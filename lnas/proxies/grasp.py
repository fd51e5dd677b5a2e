"""Second-order saliency of the weights: what removing them does to the gradient flow."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def grasp(weights: Sequence[Tensor], hessian_gradients: Sequence[Tensor]) -> float:
    """Sum -W * (H g) over all weights, H the Hessian of the loss and g its gradient.

    Higher is better, as Abdelfattah et al. 2021 have it. The batch's loss is not divided by a temperature (T = 1).

    Source: Wang et al. 2020, eq. 8.
    """
    return -sum(float((weight * vector).sum()) for weight, vector in zip(weights, hessian_gradients, strict=True))
