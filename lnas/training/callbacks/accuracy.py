"""Accuracy at the end of training, without Lightning's logging: for Trainers that only train."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import lightning.pytorch as pl
import torch
from torch import Tensor

Batches = Iterable[tuple[Tensor, Tensor]]


class AccuracyCallback(pl.Callback):
    """Measure, after the last step, the accuracy of a classifier on some sets of images.

    Args:
        sets: Name -> batches of (images, labels), gone through once.

    Attributes:
        accuracies: Name -> fraction of images in [0, 1] whose label has the largest logit, in eval mode; empty before.
    """

    def __init__(self, sets: Mapping[str, Batches]) -> None:
        self._sets = sets
        self.accuracies: dict[str, float] = {}

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.accuracies = {name: accuracy(pl_module, batches) for name, batches in self._sets.items()}


@torch.no_grad()
def accuracy(module: pl.LightningModule, batches: Batches) -> float:
    """Return the fraction of images whose label has the largest logit, in eval mode; the mode is left as found."""
    was_training = module.training
    module.eval()
    hits = total = 0
    for images, labels in batches:
        predicted = module(images.to(module.device)).argmax(1)
        hits += int((predicted == labels.to(module.device)).sum())
        total += len(labels)
    module.train(was_training)
    return hits / total
