"""How alike the network's local linear maps are at different images."""

from __future__ import annotations

import torch
from torch import Tensor

_SHIFT = 1e-5


def jacob_cov(input_gradients: Tensor) -> float:
    """Return -sum(log(v + k) + 1 / (v + k)) over the eigenvalues v of the images' correlation matrix, k = 1e-5.

    Highest, at -n, where the gradients at the n images are uncorrelated. NaN where one of them is constant.

    Args:
        input_gradients: Shape (n, d): the gradient of the sum of all logits with respect to each image.

    Source: the first version of Mellor et al. 2021. The eigenvalues come from a symmetric solver, in float64, where the
    released code has a general one.
    """
    centered = input_gradients.double() - input_gradients.double().mean(dim=1, keepdim=True)
    rows = centered / centered.norm(dim=1, keepdim=True)
    correlation = rows @ rows.T
    if not correlation.isfinite().all():
        return float("nan")
    shifted = torch.linalg.eigvalsh(correlation) + _SHIFT
    return -float((shifted.log() + 1 / shifted).sum())
