"""Norm of the gradients."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor


def grad_norm(gradients: Sequence[Tensor]) -> float:
    """Sum the Euclidean norms of the loss's gradients with respect to the weights, layer by layer.

    Source: Abdelfattah et al. 2021.
    """
    return sum(float(gradient.norm()) for gradient in gradients)
