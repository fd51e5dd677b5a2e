"""The angle metric: how far training turned a group of weights."""

from __future__ import annotations

import math
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from lnas.errors import UsageError, complaint


class AngleCallback(pl.Callback):
    """Measure the angle between a group of weights before training and now.

    theta = arccos(W_0 . W_t / (|W_0| |W_t|)), with all weights of the group as one vector, biases left out. Computed in
    float64 from the difference and the sum of the unit vectors, which keeps small angles exact where arccos does not.

    Args:
        group: Prefix of parameter names, as `LightningModule.named_parameters` gives them. The default is the last
            linear layer: theta_pred.
        every: Also measure after every this many steps; None measures at the end only.

    Attributes:
        angle: Radians in [0, pi], at the end of training; NaN before, or where a vector is zero or not finite.
        cosine: Its cosine.
        history: [(step, radians), ...], steps counted from 1.

    Source: Yang et al., "Revisiting Training-free NAS Metrics", eq. 1 and Sec. 3.2; biases are excluded by its released
    code.
    """

    def __init__(self, group: str = "net.classifier", every: int | None = None) -> None:
        if every is not None and every < 1:
            raise UsageError(complaint(f"AngleCallback(every={every})", "every >= 1", every, "None is the end only."))
        self._group = group
        self._every = every
        self._start: Tensor | None = None
        self.angle = math.nan
        self.history: list[tuple[int, float]] = []

    @property
    def cosine(self) -> float:
        """Cosine of the final angle."""
        return math.cos(self.angle)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if self._start is None:
            self._start = self._weights(pl_module)

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self._every is not None and trainer.global_step % self._every == 0:
            self.history.append((trainer.global_step, self._measure(pl_module)))

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.angle = self._measure(pl_module)
        if not self.history or self.history[-1][0] != trainer.global_step:
            self.history.append((trainer.global_step, self.angle))

    def state_dict(self) -> dict[str, Any]:
        return {"start": self._start, "history": self.history}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._start = state_dict["start"]
        self.history = [tuple(point) for point in state_dict["history"]]

    def _measure(self, module: pl.LightningModule) -> float:
        assert self._start is not None
        return angle_between(self._start, self._weights(module))

    def _weights(self, module: pl.LightningModule) -> Tensor:
        # With duplicates, since a head may go by two names; by identity, so that it still counts once.
        weights = {
            id(weight): weight.detach().reshape(-1)
            for name, weight in module.named_parameters(remove_duplicate=False)
            if f"{name}.".startswith(f"{self._group}.") and not name.endswith("bias")
        }
        if not weights:
            names = sorted({name.rsplit(".", 1)[0] for name, _ in module.named_parameters()})
            raise UsageError(
                complaint(
                    f"AngleCallback(group={self._group!r})",
                    "a prefix of parameter names",
                    self._group,
                    f"The last of them: {', '.join(names[-3:])}.",
                )
            )
        return torch.cat(list(weights.values())).cpu().double()


def angle_between(u: Tensor, v: Tensor) -> float:
    """Return the angle between two vectors in radians, in [0, pi]; NaN where one is zero or not finite.

    Example:
        >>> round(angle_between(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0])) / math.pi, 6)
        0.5
    """
    u, v = u.double() / u.double().norm(), v.double() / v.double().norm()
    return 2 * math.atan2(float((u - v).norm()), float((u + v).norm()))
