"""Whether a network takes the images that it is to be trained on, and has an output for each class."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lnas.data import ImageData
from lnas.data.batches import PreparedBatches
from lnas.errors import UsageError, complaint

_IMAGES = 2


def require_outputs(net: nn.Module, data: ImageData) -> None:
    """Pass two training images through a network, in eval mode; an auxiliary classifier is asked, too.

    Raises:
        UsageError: If it cannot take them, or does not return one logit for each class.
    """
    split = data.splits["train"].take(np.arange(_IMAGES))
    ((images, _),) = PreparedBatches(split, data, _IMAGES)
    call = f"{type(net).__name__} on {data.name}, images of {' x '.join(map(str, images.shape[1:]))}"
    expected = f"logits of shape ({_IMAGES}, {data.num_classes})"
    was_training = net.training
    try:
        with torch.no_grad():
            outputs = _all_logits(net.eval(), images)
    except Exception as error:  # whatever its layers raise
        reason = " ".join(str(error).split())
        raise UsageError(complaint(call, expected, reason, "Take images or a network of another size.")) from error
    finally:
        net.train(was_training)
    for logits in outputs:
        shape = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        if shape != (_IMAGES, data.num_classes):
            raise UsageError(complaint(call, expected, shape, "Build it with one output for each class."))


def _all_logits(net: Any, images: Tensor) -> tuple[Tensor, ...]:
    if getattr(net, "auxiliary", None) is not None and hasattr(net, "logits_with_auxiliary"):
        return tuple(net.logits_with_auxiliary(images))
    return (net(images),)
