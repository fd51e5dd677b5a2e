"""How a chosen architecture is trained in full. Torch-free until it makes an optimizer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from lnas.errors import UsageError, complaint, unknown_name

if TYPE_CHECKING:
    from torch import nn
    from torch.optim import Optimizer


@dataclass(frozen=True)
class Retraining:
    """How chosen architectures are trained in full, from new weights, on the training split.

    SGD with Nesterov momentum; weight decay on all parameters, as NATS-Bench does. The test split is used once, on the
    weights of the last epoch.

    Args:
        epochs: Length of training and of the schedule.
        batch_size: Images per step; a last smaller batch is dropped.
        lr: Peak learning rate.
        momentum: Nesterov momentum.
        weight_decay: On all parameters.
        optimizer: A name of `timm.optim`; "sgd" is with Nesterov momentum.
        schedule: How the learning rate falls to zero over the epochs, by timm; "none" keeps it.
        warmup_epochs: Epochs of linear warm-up.
        augment: Whether training images are cropped and flipped as the data allows.
        repeats: Trainings of each architecture, with different seeds.
        accelerator: As for a Lightning Trainer.
        precision: As for a Lightning Trainer.
    """

    epochs: int = 200
    batch_size: int = 256
    lr: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 5e-4
    optimizer: str = "sgd"
    schedule: Literal["cosine", "none"] = "cosine"
    warmup_epochs: int = 0
    augment: bool = True
    repeats: int = 1
    accelerator: str = "auto"
    precision: str = "32-true"

    def make_optimizer(self, parameters: Iterable[nn.Parameter]) -> Optimizer:
        """Make the optimizer of some parameters."""
        from timm.optim import create_optimizer_v2

        return create_optimizer_v2(
            parameters, opt=self.optimizer, lr=self.lr, weight_decay=self.weight_decay, momentum=self.momentum
        )

    def make_schedule(self, optimizer: Optimizer) -> Any:
        """Make the scheduler, to be stepped with the number of the epoch that begins; None keeps the rate."""
        from timm.scheduler import create_scheduler_v2

        scheduler, _ = create_scheduler_v2(
            optimizer,
            sched=self.schedule,
            num_epochs=self.epochs,
            warmup_epochs=self.warmup_epochs,
            warmup_lr=self.lr / 100,
            warmup_prefix=False,
            cooldown_epochs=0,
        )
        return scheduler


def check_retraining(retraining: Retraining) -> None:
    """Raise `UsageError` where a recipe cannot be trained here: makes its optimizer and its Trainer once."""
    for name in ("epochs", "batch_size", "repeats"):
        value = getattr(retraining, name)
        if value < 1:
            raise UsageError(complaint(f"Retraining({name}={value})", f"{name} >= 1", value, "Raise it."))
    if retraining.schedule == "none" and retraining.warmup_epochs:
        call = "Retraining(schedule='none')"
        raise UsageError(complaint(call, "warmup_epochs=0", retraining.warmup_epochs, "A schedule warms up."))
    import torch
    from lightning.pytorch import Trainer
    from timm.optim import list_optimizers

    from lnas.training.trainers import quiet_lightning

    known = [str(name) for name in list_optimizers()]
    if retraining.optimizer not in known:
        call = f"Retraining(optimizer={retraining.optimizer!r})"
        raise UsageError(f"{call}: {unknown_name('optimizer', retraining.optimizer, known)}")
    precision: Any = retraining.precision
    try:
        retraining.make_optimizer([torch.nn.Parameter(torch.zeros(1))])
        with quiet_lightning():
            Trainer(barebones=True, accelerator=retraining.accelerator, precision=precision, devices=1)
    except Exception as error:
        reason = " ".join(str(error).split())
        raise UsageError(complaint("Retraining(...)", "options that work here", reason, "Change them.")) from error
