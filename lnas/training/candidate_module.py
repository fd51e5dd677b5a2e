"""A stand-alone network under a Lightning Trainer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import lightning.pytorch as pl
from torch import Tensor, nn
from torch.optim import Optimizer
from torchmetrics.classification import MulticlassAccuracy

from lnas.data.batches import Batch

OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]
ScheduleFactory = Callable[[Optimizer], Any]


class CandidateModule(pl.LightningModule):
    """Train a classifier by cross-entropy; report `val_acc`, `val_loss`, `test_acc`, `test_loss`.

    Batches are (images, labels). Training logs nothing, so that it also runs under a bare-bones Trainer: callbacks
    read `outputs["loss"]`.

    Args:
        net: From images to logits (B, num_classes).
        num_classes: Number of classes.
        optimizer: Makes the optimizer from all parameters.
        schedule: Makes a scheduler with timm's `step(epoch)`; None keeps the learning rate.
    """

    def __init__(
        self,
        net: nn.Module,
        num_classes: int,
        optimizer: OptimizerFactory,
        schedule: ScheduleFactory | None = None,
    ) -> None:
        super().__init__()
        self.net = net
        self._optimizer = optimizer
        self._schedule = schedule
        self.loss = nn.CrossEntropyLoss()
        self.val_accuracy = MulticlassAccuracy(num_classes, average="micro")
        self.test_accuracy = MulticlassAccuracy(num_classes, average="micro")

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        images, labels = batch
        return self.loss(self.net(images), labels)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        images, labels = batch
        logits = self.net(images)
        self.val_accuracy(logits, labels)
        self.log("val_acc", self.val_accuracy, batch_size=len(labels))
        self.log("val_loss", self.loss(logits, labels), batch_size=len(labels))

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        images, labels = batch
        logits = self.net(images)
        self.test_accuracy(logits, labels)
        self.log("test_acc", self.test_accuracy, batch_size=len(labels))
        self.log("test_loss", self.loss(logits, labels), batch_size=len(labels))

    def configure_optimizers(self) -> Any:
        optimizer = self._optimizer(self.net.parameters())
        scheduler = None if self._schedule is None else self._schedule(optimizer)
        return optimizer if scheduler is None else ([optimizer], [{"scheduler": scheduler, "interval": "epoch"}])

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Set the learning rate of the next epoch; a function of the epoch alone, as timm's schedulers are."""
        scheduler.step(self.current_epoch + 1)
