"""Condition number of the neural tangent kernel: how evenly gradient descent learns."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lnas.proxies.spectrum import is_singular


def ntk_cond(gram: Tensor) -> float:
    """Divide the largest eigenvalue of the kernel by the least. Lower is better.

    Args:
        gram: (n, n), symmetric, in the dtype that the gradients were computed in.

    Returns:
        At least 1; inf where the least eigenvalue is zero up to rounding, below n * eps times the largest. NaN where
        the kernel is not finite.

    Source: TE-NAS, Sec. 3.1.1; TEG-NAS, eq. 4 without its expectation. The released code divides by rounding noise
    where the kernel is singular.
    """
    if not gram.isfinite().all():
        return math.nan
    eigenvalues = torch.linalg.eigvalsh(gram.double())
    return math.inf if is_singular(eigenvalues, gram.dtype) else float(eigenvalues[-1] / eigenvalues[0])
