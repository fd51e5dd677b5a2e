"""The loss over given batches, as in training but without training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.fabric.utilities import move_data_to_device
from lightning.pytorch.utilities.signature_utils import is_param_in_hook_signature
from torch import Tensor

from lnas.errors import UsageError, complaint
from lnas.training.callbacks.as_found import left_as_found


def mean_training_loss(module: pl.LightningModule, batches: Iterable[Any]) -> Tensor:
    """Return the mean of `training_step` over batches, each counting the same, in train mode.

    Modes, buffers, gradients and the global generator are left as found; what the step logs is dropped. What else it
    changes, such as metrics of its own, stays changed.

    Args:
        module: Of which `training_step` returns a loss, or a dict with one.
        batches: As `training_step` takes them, on any device.

    Returns:
        A tensor of one number, on the module's device; NaN without batches.

    Raises:
        UsageError: If a step returns no loss.
    """
    indexed = is_param_in_hook_signature(module.training_step, "batch_idx", min_args=2)
    with left_as_found(module), _silent(module):
        module.train()
        losses = [
            loss_of(module.training_step(move_data_to_device(batch, module.device), *[index][: int(indexed)]))
            for index, batch in enumerate(batches)
        ]
    return mean_of(losses, module.device)


def mean_of(losses: Sequence[Tensor], device: torch.device) -> Tensor:
    """Return the mean of tensors of one number; NaN, on this device, where there are none."""
    return torch.stack(list(losses)).mean() if losses else torch.tensor(math.nan, device=device)


def loss_of(outputs: Any) -> Tensor:
    """Return the loss in what a training step returned: a tensor of one number, or a dict with one under "loss".

    Raises:
        UsageError: If there is none.
    """
    loss = outputs.get("loss") if isinstance(outputs, dict) else outputs
    if isinstance(loss, Tensor) and loss.numel() == 1:
        return loss.detach().reshape(())
    got = tuple(loss.shape) if isinstance(loss, Tensor) else loss
    advice = "Return it, or {'loss': ...}, in manual optimization, too."
    raise UsageError(complaint("LossCallback()", "a loss of one number from training_step", got, advice))


@contextmanager
def _silent(module: pl.LightningModule) -> Iterator[None]:
    """Let `log` do nothing: Lightning raises outside of the training steps proper."""
    module.log = lambda *arguments, **options: None  # type: ignore[method-assign]
    try:
        yield
    finally:
        del module.log
