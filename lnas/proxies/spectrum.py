"""When the kernel of a batch has no inverse."""

from __future__ import annotations

import torch
from torch import Tensor


def is_singular(eigenvalues: Tensor, dtype: torch.dtype) -> bool:
    """Tell whether the least eigenvalue is zero up to rounding: at most n * eps times the largest.

    Args:
        eigenvalues: Of a positive semi-definite matrix, shape (n,), ascending.
        dtype: In which the matrix was computed.
    """
    return bool(eigenvalues[0] <= len(eigenvalues) * torch.finfo(dtype).eps * eigenvalues[-1])
