"""How differently the images of a batch switch the ReLU units."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lnas.proxies.spectrum import is_singular


def relu_logdet(relu_agreement: Tensor) -> float:
    """Return log |det K|, where K counts for two images the ReLU units that are on for both or off for both.

    The same as NASWOT's score and LR2 of Yang et al. It grows with the number of units: the diagonal is their total.
    -inf where K is singular up to rounding, its least eigenvalue below n * eps times the largest: two images switch all
    units alike, or there are fewer units than images. The released code returns the rounding noise.

    Args:
        relu_agreement: K, shape (n, n), float64.

    Source: Mellor et al. 2021, eq. 2. Every call of a ReLU module counts, as in the released code.
    """
    eigenvalues = torch.linalg.eigvalsh(relu_agreement)
    return -math.inf if is_singular(eigenvalues, relu_agreement.dtype) else float(eigenvalues.log().sum())
