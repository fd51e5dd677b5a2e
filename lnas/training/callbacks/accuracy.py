"""Accuracy at the end of training, without Lightning's logging: for Trainers that only train."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import lightning.pytorch as pl
from torch import Tensor

from lnas.training.callbacks.as_found import left_as_found

Batches = Iterable[tuple[Tensor, Tensor]]


class AccuracyCallback(pl.Callback):
    """Measure, after the last step, the accuracy of a classifier on some sets of images.

    Args:
        sets: Name -> batches of (images, labels), gone through once.

    Attributes:
        accuracies: Name -> fraction of images in [0, 1], as `accuracy` gives it; empty before.
    """

    def __init__(self, sets: Mapping[str, Batches]) -> None:
        self._sets = sets
        self.accuracies: dict[str, float] = {}

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.accuracies = {name: accuracy(pl_module, batches) for name, batches in self._sets.items()}


def accuracy(module: pl.LightningModule, batches: Batches) -> float:
    """Return the fraction of images whose label has the largest logit, in eval mode; the module is left as found.

    NaN where a logit is not finite: of such a network even the first class would seem to be predicted.
    """
    hits = total = 0
    with left_as_found(module):
        module.eval()
        for images, labels in batches:
            logits = module(images.to(module.device))
            if not logits.isfinite().all():
                return math.nan
            hits += int((logits.argmax(1) == labels.to(module.device)).sum())
            total += len(labels)
    return hits / total
