"""What a classifier says of each test image, kept while it is measured."""

from __future__ import annotations

from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor


class PredictionsCallback(pl.Callback):
    """Keep what the test pass predicts, so that nothing looks at the test images a second time.

    The module's `test_step` returns the logits.
    """

    def __init__(self) -> None:
        self._parts: list[tuple[Tensor, Tensor, Tensor]] = []

    @property
    def predictions(self) -> tuple[Tensor, Tensor, Tensor]:
        """Of each image of the last test pass: its label, the class predicted, and the probability it is given; (n,).

        Without rows before the first pass.
        """
        if not self._parts:
            return torch.empty(0, dtype=torch.long), torch.empty(0, dtype=torch.long), torch.empty(0)
        labels, predicted, confidence = (torch.cat(column) for column in zip(*self._parts, strict=True))
        return labels, predicted, confidence

    def on_test_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self._parts = []

    def on_test_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        confidence, predicted = outputs.float().softmax(1).max(1)
        self._parts.append((batch[1].cpu(), predicted.cpu(), confidence.cpu()))
