"""How many linear regions of the network the images fall into."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from lnas.errors import UsageError, complaint
from lnas.proxies.observation import flaw_of
from lnas.proxies.relu_activity import ReluCodes, watched_relus

_GROUP = 1000


def linear_regions(relu_codes: np.ndarray) -> float:
    """Count the distinct activation patterns: the linear regions that the images show, LR1 of Yang et al.

    Args:
        relu_codes: Shape (n, bytes), uint8: which ReLU units are on for each image, packed.

    Source: TE-NAS, which counts them on images of 3 x 3 pixels in a net of one channel; wherever units outnumber images
    by far, as in whole nets, the answer is n.
    """
    return float(len(np.unique(relu_codes, axis=0)))


def linear_regions_grouped(net: nn.Module, images: Tensor) -> float:
    """Count the patterns of thousand images after thousand, each with batch statistics of their own.

    What the released code of TE-NAS does with its three batches. NaN where the logits do not depend on the images.
    """
    logits, codes = zip(*(_logits_and_codes(net, group.clone()) for group in images.split(_GROUP)), strict=True)
    return math.nan if flaw_of(torch.cat(logits)) else linear_regions(np.concatenate(codes))


def _logits_and_codes(net: nn.Module, images: Tensor) -> tuple[Tensor, np.ndarray]:
    seen = ReluCodes()
    with watched_relus(net, len(images), [seen]), torch.no_grad():
        logits = net(images)
    codes = seen.value()
    if codes is None:
        call, step = "linear_regions_grouped(net, images)", "Functional calls are not seen."
        raise UsageError(complaint(call, "a net that calls modules of torch.nn.ReLU", type(net).__name__, step))
    return logits, codes
