"""The training loss as a metric."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor


class LossCallback(pl.Callback):
    """Record the loss of every training step and, after the last, the loss over given batches.

    Args:
        final_batches: Batches as `training_step` takes them; the proxy set in short training. Empty measures only the
            steps.

    Attributes:
        steps: Loss of each step, measured before its update; complete when training has ended.
        after: Mean loss over `final_batches` after the last update, in train mode (batch norm uses the batch); NaN
            before, or without batches. Running statistics and gradients are left as found.

    Source: Yang et al., "Revisiting Training-free NAS Metrics", Algorithm 1, asks for the loss over the proxy set after
    training (`after`); the code released with it takes the last step's (`last`).
    """

    def __init__(self, final_batches: Sequence[tuple[Tensor, Tensor]] = ()) -> None:
        self._final_batches = final_batches
        self._losses: list[Tensor] = []
        self.steps: list[float] = []
        self.after = math.nan

    @property
    def last(self) -> float:
        """Loss of the last step; NaN before training."""
        return self.steps[-1] if self.steps else math.nan

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self._losses.append(outputs["loss"].detach())

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.steps += [float(loss) for loss in self._losses]
        self._losses = []
        if self._final_batches:
            self.after = mean_training_loss(pl_module, self._final_batches)

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps + [float(loss) for loss in self._losses]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.steps = list(state_dict["steps"])


@torch.no_grad()
def mean_training_loss(module: pl.LightningModule, batches: Sequence[tuple[Tensor, Tensor]]) -> float:
    """Return the mean of `training_step` over batches, in train mode, leaving mode and buffers as found."""
    was_training = module.training
    buffers = {name: buffer.clone() for name, buffer in module.named_buffers()}
    module.train()
    losses: list[Any] = [
        module.training_step((images.to(module.device), labels.to(module.device)), index)
        for index, (images, labels) in enumerate(batches)
    ]
    for name, buffer in module.named_buffers():
        buffer.copy_(buffers[name])
    module.train(was_training)
    return float(torch.stack(losses).mean())
