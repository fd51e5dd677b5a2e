"""How a chosen architecture is trained in full. Torch-free until it makes an optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from lnas.data.augmentation import PLAIN, Augmentation
from lnas.errors import UsageError, complaint, unknown_name

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer

Schedule = Literal["cosine", "linear", "exponential", "none"]
Layout = Literal["measured", "contiguous", "channels_last"]
Compiler = Literal["off", "inductor"]


@dataclass(frozen=True)
class Retraining:
    """How chosen architectures are trained in full, from new weights.

    By default as NATS-Bench does: SGD with Nesterov momentum, weight decay on all parameters, a cosine that is stepped
    once per epoch. The test split is used once, at the end.

    Args:
        epochs: Length of training and of the schedule.
        batch_size: Images per batch, over all devices; a last smaller batch is dropped.
        lr: Peak learning rate.
        momentum: Nesterov momentum.
        weight_decay: On all parameters, or on those that `decayed` says.
        optimizer: A name of `timm.optim`; "sgd" is with Nesterov momentum.
        schedule: How the learning rate falls over the epochs, by timm: to `lr_min` along a cosine or a line; by the
            factor `lr_decay` after each epoch; "none" keeps it.
        warmup_epochs: Epochs of linear warm-up from a hundredth of `lr`; the schedule falls on beneath them.
        augment: Whether training images are cropped and flipped as the data allows.
        repeats: Trainings of each architecture, with different seeds.
        accelerator: As for a Lightning Trainer.
        precision: As for a Lightning Trainer.
        augmentation: What is done to training images after crops and flips.
        lr_min: Where a cosine or a line ends.
        lr_decay: Factor per epoch of the exponential schedule; DARTS takes 0.97 for ImageNet.
        step_every: When the learning rate moves: NATS-Bench moves it after epochs, NAS-Bench-101 after steps.
        optimizer_options: More options of the optimizer, by its names, such as `eps` of "rmsproptf".
        decayed: "weights" spares biases and batch norms, that is all vectors, the weight decay.
        label_smoothing: Share of each label that is spread over all classes, in training alone.
        gradient_clip: Largest norm of all gradients together; DARTS takes 5.
        accumulate: Batches that are accumulated into a step.
        ema: Decay of the exponential moving average of weights and statistics that is then validated, tested and kept
            in place of the last weights, by timm's ModelEmaV3; null is none.
        auxiliary_weight: Of the auxiliary classifier's loss; DARTS takes 0.4, on networks with `auxiliary=True`.
        drop_path: Probability with which a path is dropped in the end; rises from 0 in proportion to the epochs done,
            as DARTS does.
        patience: Epochs without a lower validation loss after which a training stops; null never stops one.
        trained_on: "train+val" trains on the held-out images, too; nothing is validated then, and no epoch is best.
        devices: How many; each has a process of its own, and its part of each batch.
        compile: "inductor" compiles the training passes.
        layout: Memory layout of weights; "measured" is as the network was built, which for ours was measured per width.
    """

    epochs: int = 200
    batch_size: int = 256
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    optimizer: str = "sgd"
    schedule: Schedule = "cosine"
    warmup_epochs: int = 0
    augment: bool = True
    repeats: int = 1
    accelerator: str = "auto"
    precision: str = "32-true"
    augmentation: Augmentation = PLAIN
    lr_min: float = 0.0
    lr_decay: float = 0.97
    step_every: Literal["epoch", "step"] = "epoch"
    optimizer_options: dict[str, Any] = field(default_factory=dict)
    decayed: Literal["all", "weights"] = "all"
    label_smoothing: float = 0.0
    gradient_clip: float | None = None
    accumulate: int = 1
    ema: float | None = None
    auxiliary_weight: float = 0.0
    drop_path: float = 0.0
    patience: int | None = None
    trained_on: Literal["train", "train+val"] = "train"
    devices: int = 1
    compile: Compiler = "off"
    layout: Layout = "measured"

    def make_optimizer(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """Make the optimizer of some parameters."""
        from timm.optim import create_optimizer_v2

        return create_optimizer_v2(
            parameters if self.decayed == "all" else _vectors_apart(parameters),
            opt=self.optimizer,
            lr=self.lr,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            **self.optimizer_options,
        )

    def make_schedule(self, optimizer: Optimizer) -> Any:
        """Make timm's scheduler, to be stepped with the epochs done, in parts where need be; None keeps the rate."""
        from timm.scheduler import create_scheduler_v2

        scheduler, _ = create_scheduler_v2(
            optimizer,
            **self._shape(),
            num_epochs=self.epochs,
            min_lr=self.lr_min,
            warmup_epochs=self.warmup_epochs,
            warmup_lr=self.lr / 100,
            warmup_prefix=False,
            cooldown_epochs=0,
        )
        return scheduler

    def _shape(self) -> dict[str, Any]:
        """Return the schedule in timm's words."""
        match self.schedule:
            case "linear":
                return {"sched": "poly", "decay_rate": 1.0}  # the power of the polynomial
            case "exponential":
                return {"sched": "step", "decay_epochs": 1, "decay_rate": self.lr_decay}
            case _:
                return {"sched": self.schedule}


def _vectors_apart(parameters: Iterable[nn.Parameter]) -> list[dict[str, Any]]:
    """Group parameters for a weight decay that spares vectors: biases, and scales and shifts of norms."""
    parameters = list(parameters)
    matrices = [parameter for parameter in parameters if parameter.ndim > 1]
    vectors = [parameter for parameter in parameters if parameter.ndim <= 1]
    return [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]


_RANGES: tuple[tuple[tuple[str, ...], str, Callable[[float], bool]], ...] = (
    (("epochs", "batch_size", "repeats", "accumulate", "devices", "patience"), ">= 1", lambda value: value >= 1),
    (("warmup_epochs", "lr_min", "auxiliary_weight"), ">= 0", lambda value: value >= 0),
    (("label_smoothing", "ema", "drop_path"), "in [0, 1)", lambda value: 0 <= value < 1),
    (("lr_decay",), "in (0, 1]", lambda value: 0 < value <= 1),
    (("gradient_clip",), "> 0", lambda value: value > 0),
)


def check_retraining(retraining: Retraining) -> None:
    """Raise `UsageError` where a recipe cannot be trained here: makes its optimizer and its Trainer once."""
    _check_ranges(retraining)
    _check_together(retraining)
    _check_optimizer(retraining)
    _check_trainer(retraining)


def _check_ranges(retraining: Retraining) -> None:
    for names, expected, fits in _RANGES:
        for name in names:
            value = getattr(retraining, name)
            if value is not None and not fits(value):
                raise UsageError(complaint(f"Retraining({name}={value})", f"{name} {expected}", value, "Change it."))


def _check_together(retraining: Retraining) -> None:
    call = f"Retraining(schedule={retraining.schedule!r})"
    if retraining.schedule == "none" and retraining.warmup_epochs:
        raise UsageError(complaint(call, "warmup_epochs=0", retraining.warmup_epochs, "A schedule warms up."))
    if retraining.schedule in ("none", "exponential") and retraining.lr_min:
        raise UsageError(complaint(call, "lr_min=0", retraining.lr_min, "A cosine or a line ends there."))
    if retraining.trained_on == "train+val" and retraining.patience is not None:
        call, step = "Retraining(trained_on='train+val')", "No image is held out that could tell when to stop."
        raise UsageError(complaint(call, "patience=None", retraining.patience, step))


def _check_optimizer(retraining: Retraining) -> None:
    import torch
    from timm.optim import list_optimizers

    known = [str(name) for name in list_optimizers()]
    if retraining.optimizer not in known:
        call = f"Retraining(optimizer={retraining.optimizer!r})"
        raise UsageError(f"{call}: {unknown_name('optimizer', retraining.optimizer, known)}")
    try:
        retraining.make_optimizer([torch.nn.Parameter(torch.zeros(1, 1)), torch.nn.Parameter(torch.zeros(1))])
    except Exception as error:  # optimizers raise errors of many kinds
        raise _cannot(error) from error


def _check_trainer(retraining: Retraining) -> None:
    from lightning.pytorch import Trainer

    from lnas.training.trainers import quiet_lightning

    precision: Any = retraining.precision
    try:
        with quiet_lightning():
            Trainer(
                barebones=True,
                accelerator=retraining.accelerator,
                precision=precision,
                devices=retraining.devices,
                strategy="auto" if retraining.devices == 1 else "ddp",
            )
    except Exception as error:  # Lightning raises errors of many kinds
        raise _cannot(error) from error


def _cannot(error: Exception) -> UsageError:
    reason = " ".join(str(error).split())
    return UsageError(complaint("Retraining(...)", "options that work here", reason, "Change them."))
