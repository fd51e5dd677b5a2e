"""Test error of regression with the neural tangent kernel of the cells' weights."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from lnas.proxies.ntk_cond import ntk_cond
from lnas.proxies.ntk_grams import CellGrams


def ntk_mse_cells(grams: CellGrams, labels: Tensor, test_labels: Tensor) -> float:
    """Fit the labels of some images by the kernel of the cells' weights, and return the error on others.

    Lower is better. Targets are one-hot minus their mean over their own batch, those of the test images too.

    Args:
        grams: The kernel (n, n) of the fitted images, and (m, n) of the test images with them.
        labels: (n,).
        test_labels: (m,).

    Returns:
        The mean over the test images of the squared error, summed over the classes; inf where the kernel is singular
        up to rounding.

    Source: TEG-NAS as released, `lib/procedures/ntk.py`; its text has the last layer's kernel, see `ntk_mse`.
    """
    if not math.isfinite(ntk_cond(grams.train)):
        return math.inf
    classes = 1 + int(torch.cat([labels, test_labels]).max())
    targets, test_targets = (_centred_targets(some, classes) for some in (labels, test_labels))
    predictions = grams.cross.double() @ torch.linalg.solve(grams.train.double(), targets)
    return float((test_targets - predictions).square().sum(dim=1).mean())


def _centred_targets(labels: Tensor, classes: int) -> Tensor:
    targets = torch.nn.functional.one_hot(labels, classes).double()
    return targets - targets.mean(dim=0)
