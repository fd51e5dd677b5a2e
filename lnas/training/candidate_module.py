"""A stand-alone network under a Lightning Trainer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Literal

import lightning.pytorch as pl
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer
from torchmetrics.classification import MulticlassAccuracy

from lnas.data.batches import Batch

if TYPE_CHECKING:
    from timm.utils import ModelEmaV3

OptimizerFactory = Callable[[Iterable[nn.Parameter]], Optimizer]
ScheduleFactory = Callable[[Optimizer], Any]

_TOP = 5


class CandidateModule(pl.LightningModule):
    """Train a classifier by cross-entropy; report `val_acc`, `val_loss`, `test_acc`, `test_loss`.

    With more than five classes also `val_acc5` and `test_acc5`: how often the label is among the five largest logits.
    Batches are (images, labels); training takes labels that are probabilities (B, classes), too. Training logs nothing,
    so that it also runs under a bare-bones Trainer: callbacks read `outputs["loss"]`.

    Args:
        net: From images to logits (B, num_classes).
        num_classes: Number of classes.
        optimizer: Makes the optimizer from all parameters.
        schedule: Makes a scheduler with timm's `step(epoch)`; None keeps the learning rate.
        schedule_every: When the learning rate moves; after each step, the scheduler is told parts of epochs.
        label_smoothing: Share of each label that is spread over all classes, in training alone.
        auxiliary_weight: Of the loss of the auxiliary classifier; beyond 0 the network has `logits_with_auxiliary`.
        ema: Decay of an exponential moving average of weights and buffers, taken after each step, which is what is
            validated and tested; None is no average.

    Attributes:
        net: As given, trained in place.
        average: Holds the averaged network as its `module`; None without.
    """

    def __init__(
        self,
        net: nn.Module,
        num_classes: int,
        optimizer: OptimizerFactory,
        schedule: ScheduleFactory | None = None,
        *,
        schedule_every: Literal["epoch", "step"] = "epoch",
        label_smoothing: float = 0.0,
        auxiliary_weight: float = 0.0,
        ema: float | None = None,
    ) -> None:
        super().__init__()
        self.net = net
        self._optimizer = optimizer
        self._schedule = schedule
        self._schedule_every = schedule_every
        self.loss = nn.CrossEntropyLoss(label_smoothing=label_smoothing)
        self._auxiliary_weight = auxiliary_weight
        self.average = None if ema is None else _averaged(net, ema)
        self.val_accuracies = _accuracies(num_classes)
        self.test_accuracies = _accuracies(num_classes)

    def forward(self, images: Tensor) -> Tensor:
        return self.net(images)

    @property
    def measured(self) -> nn.Module:
        """The network that is validated and tested."""
        return self.net if self.average is None else self.average.module

    def training_logits(self, images: Tensor) -> tuple[Tensor, ...]:
        """Compute the logits of all classifiers that are trained: one, or two with the auxiliary."""
        if self._auxiliary_weight:
            logits: Any = self.net.logits_with_auxiliary
            return logits(images)
        return (self.net(images),)

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        images, labels = batch
        logits, *auxiliary = self.training_logits(images)
        loss = self.loss(logits, labels)
        for others in auxiliary:
            loss = loss + self._auxiliary_weight * self.loss(others, labels)
        return loss

    def optimizer_step(self, *arguments: Any, **options: Any) -> None:
        super().optimizer_step(*arguments, **options)
        if self.average is not None:
            self.average.update(self.net)

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        self._evaluate("val", self.val_accuracies, batch)

    def test_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """Return the logits, for callbacks that keep what is predicted."""
        return self._evaluate("test", self.test_accuracies, batch)

    def _evaluate(self, split: str, accuracies: nn.ModuleDict, batch: Batch) -> Tensor:
        images, labels = batch
        logits = self.measured(images)
        for name, accuracy in accuracies.items():
            accuracy.update(logits, labels)  # type: ignore[operator]
            self.log(f"{split}_{name}", accuracy, batch_size=len(labels))  # type: ignore[arg-type]
        self.log(f"{split}_loss", functional.cross_entropy(logits, labels), batch_size=len(labels))
        return logits

    def configure_optimizers(self) -> Any:
        optimizer = self._optimizer(self.net.parameters())
        scheduler = None if self._schedule is None else self._schedule(optimizer)
        if scheduler is None:
            return optimizer
        return [optimizer], [{"scheduler": scheduler, "interval": self._schedule_every}]

    def lr_scheduler_step(self, scheduler: Any, metric: Any) -> None:
        """Set the next learning rate; a function of the epochs done alone, as timm's schedulers are."""
        if self._schedule_every == "epoch":
            scheduler.step(self.current_epoch + 1)
        else:
            epochs = self.trainer.max_epochs or 1
            scheduler.step(self.global_step / self.trainer.estimated_stepping_batches * epochs)


def _averaged(net: nn.Module, decay: float) -> ModelEmaV3:
    from timm.utils import ModelEmaV3  # takes long to import, and few trainings average

    average = ModelEmaV3(net, decay=decay).requires_grad_(False)
    return average.train(net.training)  # of a module in another mode than the rest, Lightning warns


def _accuracies(num_classes: int) -> nn.ModuleDict:
    """Make the metrics by their names in the log."""
    first = {"acc": MulticlassAccuracy(num_classes, average="micro")}
    if num_classes <= _TOP:
        return nn.ModuleDict(first)
    return nn.ModuleDict(first | {"acc5": MulticlassAccuracy(num_classes, top_k=_TOP, average="micro")})
