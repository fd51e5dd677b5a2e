"""A training of few steps, with what it does to a network measured on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from lnas.data.batches import Batch
from lnas.data.module import StepDataModule
from lnas.nets.names import Compiled
from lnas.nets.training_forwards import depthwise_forwards, training_forwards
from lnas.proxies.substitution import substituted
from lnas.training.callbacks import AccuracyCallback, AngleCallback, LossCallback
from lnas.training.candidate_module import CandidateModule, OptimizerFactory, ScheduleFactory
from lnas.training.trainers import honest_signals, quiet_lightning, short_trainer


@dataclass(frozen=True)
class ShortTraining:
    """How long and with what a network is trained, and what is measured at the end.

    Attributes:
        steps: How many steps, unless `epochs` says it.
        epochs: How often through the images; None counts by steps.
        optimizer: Makes the optimizer.
        schedule: Makes a scheduler with timm's `step(epoch)`; None keeps the learning rate.
        final: Batches whose mean loss is measured after the last step.
        accuracy_sets: Name -> batches on which accuracy is measured after the last step.
        accelerator: As for a Lightning Trainer.
        compiled: How `torch.compile` makes the network's passes; "off" runs them as they are. "reduce-overhead" uses
            CUDA graphs.
    """

    steps: int
    epochs: int | None
    optimizer: OptimizerFactory
    schedule: ScheduleFactory | None = None
    final: Iterable[Batch] = ()
    accuracy_sets: Mapping[str, Iterable[Batch]] = field(default_factory=dict)
    accelerator: str = "auto"
    compiled: Compiled = "off"


@dataclass(frozen=True)
class ShortTrainingRecord:
    """The callbacks of a training that has ended: of the classifier's angle, the features' angle, loss and accuracy."""

    angle: AngleCallback
    features: AngleCallback
    loss: LossCallback
    accuracy: AccuracyCallback


def train_shortly(
    net: nn.Module,
    num_classes: int,
    data: StepDataModule,
    training: ShortTraining,
    goes_on_from: Path | None = None,
    kept_as: Path | None = None,
) -> ShortTrainingRecord:
    """Train a network in place.

    Args:
        net: Maps images to logits.
        num_classes: Number of classes.
        data: What each step sees.
        training: How.
        goes_on_from: Checkpoint of a training of fewer steps, otherwise alike.
        kept_as: Where to keep a checkpoint of the end.
    """
    record = ShortTrainingRecord(
        AngleCallback("classifier", every=1),
        AngleCallback("features"),
        LossCallback(training.final),
        AccuracyCallback(training.accuracy_sets),
    )
    module = CandidateModule(net, num_classes, training.optimizer, training.schedule)
    with quiet_lightning(), honest_signals(), _faster(net, training.compiled):
        trainer = short_trainer(
            [record.angle, record.features, record.loss, record.accuracy],
            steps=-1 if training.epochs else training.steps,
            epochs=training.epochs or -1,
            accelerator=training.accelerator,
        )
        trainer.fit(module, datamodule=data, ckpt_path=str(goes_on_from) if goes_on_from else None)
        if kept_as:
            trainer.save_checkpoint(kept_as)
    return record


@contextmanager
def _faster(net: nn.Module, compiled: Compiled) -> Iterator[None]:
    """Let the network compute the same with less work, as long as it is trained."""
    if compiled == "off":
        with substituted(training_forwards(net) | depthwise_forwards(net)):
            yield
        return
    net.compile(mode=compiled)
    try:
        yield
    finally:
        net._compiled_call_impl = None
