"""The angle metric: how far training turned a group of weights."""

from __future__ import annotations

import math
from typing import Any, get_args

import lightning.pytorch as pl
from lightning.pytorch.strategies import DeepSpeedStrategy, FSDPStrategy, ModelParallelStrategy
from lightning.pytorch.utilities.model_helpers import is_overridden
from torch import Tensor, nn

from lnas.errors import UsageError, complaint
from lnas.training.callbacks.groups import Biases, canonical, grouped_parameters, named_parameters
from lnas.training.callbacks.rotation import rotation
from lnas.training.callbacks.series import Series
from lnas.training.callbacks.stopwatch import Stopwatch


class AngleCallback(pl.Callback):
    """Measure the angle between a group of weights before training and now, for any LightningModule.

    theta = arccos(W_0 . W_t / (|W_0| |W_t|)), with all weights of the group as one vector. Of two groups the names are
    reserved, whatever the module's parts are called:

    - "classifier": the weights of the last linear layer that is trained, by order of registration: theta_pred.
    - "features": all other trained weights with two or more dimensions: theta_feat. So the scales of batch norms do not
      count. The paper speaks of the weights of layers, whose length batch norm cancels; the scales do not turn but
      grow, all start at 1, and by their number are a third of |W_0|^2 of a NATS-Bench net in Kaiming's initialization.
      An auxiliary classifier counts, as all that is trained.

    Any other group is a prefix of parameter names, with all parameters below it, such as "backbone.layer4"; "" is the
    whole module. A part that is itself called "features" is the prefix "features." with a dot. Shared parameters count
    once, and `torch.compile` changes no name.

    A copy of the group's weights stays on their device, in their own type, and in checkpoints. A resumed training
    measures from the same start and gives the same numbers. With several processes all measure the same, from the
    weights after they were synchronized, without communication; strategies that split weights are refused.

    Measuring all features of the largest NATS-Bench net (C=16, N=5, 1.5 million weights) takes 10 ms of one processor
    core, 1/180 of a step with 100 images; measuring its classifier takes 0.1 ms.

    Args:
        group: Which weights.
        every: Also measure after every this many optimizer steps; None measures at the end only.
        biases: Whether parameters called a bias belong to the group.

    Attributes:
        angle: Radians in [0, pi], at the end of training; NaN before, or where a vector is zero or not finite.
        seconds: What measuring took so far.

    Raises:
        UsageError: For an argument out of range; when training starts, for a group that the module does not have or
            that has no weights, or a checkpoint that was written without this callback.

    Source: Yang et al., "Revisiting Training-free NAS Metrics", eq. 1 and Sec. 3.2; biases are excluded by its released
    code, which has theta_pred only.
    """

    _weights: dict[str, nn.Parameter]
    _start: dict[str, Tensor]
    _steps: list[int]
    _angles: Series
    _seen: int
    _end: int | None
    _stopwatch: Stopwatch

    def __init__(self, group: str = "classifier", every: int | None = None, biases: Biases = "excluded") -> None:
        self._call = f"AngleCallback(group={group!r})"
        if every is not None and (type(every) is not int or every < 1):
            raise UsageError(complaint(f"AngleCallback(every={every})", "every >= 1", every, "None is the end only."))
        if biases not in get_args(Biases):
            call = f"AngleCallback(biases={biases!r})"
            raise UsageError(complaint(call, " or ".join(get_args(Biases)), biases, "Released is 'excluded'."))
        self._group = canonical(group)
        self._every = every
        self._biases: Biases = biases
        self._forget()

    @property
    def state_key(self) -> str:
        return self._generate_state_key(group=self._group, every=self._every, biases=self._biases)

    @property
    def cosine(self) -> float:
        """Cosine of the final angle."""
        return math.cos(self.angle)

    @property
    def history(self) -> list[tuple[int, float]]:
        """[(step, radians), ...], steps counted from 1, the end of training included."""
        points = list(zip(self._steps, self._angles.values, strict=True))
        if self._end is None or self._steps[-1:] == [self._end]:
            return points
        return [*points, (self._end, self.angle)]

    @property
    def seconds(self) -> float:
        return self._stopwatch.seconds

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        if stage != "fit":
            return
        if isinstance(trainer.strategy, FSDPStrategy | ModelParallelStrategy | DeepSpeedStrategy):
            strategy = type(trainer.strategy).__name__
            raise UsageError(complaint(self._call, "whole weights in every process", strategy, "DDP keeps them whole."))
        if not any(is_overridden(hook, pl_module) for hook in ("setup", "configure_model")):
            self._group_of(pl_module)  # before Lightning and the optimizer fail on what is missing

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # Not in `on_fit_start`, which does not know yet whether this training goes on from a checkpoint.
        if trainer.global_step == 0:
            self._forget()
        with self._stopwatch:
            if trainer.global_step == 0:
                self._weights = self._group_of(pl_module)
                self._start = {name: weight.detach().clone() for name, weight in self._weights.items()}
            else:
                self._weights = self._found_again(pl_module, trainer.global_step)
                self._start = {name: self._start[name].to(weight.device) for name, weight in self._weights.items()}
                self.angle, self._end = math.nan, None
                self._follow(trainer.global_step)  # in case the checkpoint was written before this callback's turn

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        with self._stopwatch:
            self._follow(trainer.global_step)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        with self._stopwatch:
            self.angle, self._end = float(self._measure()), trainer.global_step
            self._weights = {}

    def state_dict(self) -> dict[str, Any]:
        return {
            "start": self._start,
            "steps": list(self._steps),
            "angles": self._angles.values,
            "seen": self._seen,
            "end": self._end,
            "angle": self.angle,
            "seconds": self.seconds,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._start = state_dict["start"]
        self._steps = state_dict["steps"]
        self._angles = Series(state_dict["angles"])
        self._seen = state_dict["seen"]
        self._end = state_dict["end"]
        self.angle = state_dict["angle"]
        self._stopwatch = Stopwatch(state_dict["seconds"])

    def _forget(self) -> None:
        self._weights = {}
        self._start = {}
        self._steps = []
        self._angles = Series()
        self._seen = 0
        self._end = None
        self.angle = math.nan
        self._stopwatch = Stopwatch()

    def _follow(self, step: int) -> None:
        """Measure where a multiple of `every` was passed: once per optimizer step, however many batches it took."""
        if self._every is not None and step // self._every > self._seen // self._every:
            self._steps.append(step)
            self._angles.append(self._measure())
        self._seen = step

    def _measure(self) -> Tensor:
        return rotation(list(self._start.values()), [self._weights[name].detach() for name in self._start])

    def _group_of(self, module: nn.Module) -> dict[str, nn.Parameter]:
        return grouped_parameters(module, self._group, self._biases, self._call)

    def _found_again(self, module: nn.Module, step: int) -> dict[str, nn.Parameter]:
        """Return the group as it was when training began: what is trained may have changed since."""
        if not self._start:
            expected = "a checkpoint that this callback has written to"
            advice = "Train from the start, or load the weights alone."
            raise UsageError(complaint(f"{self._call} resumed", expected, f"none at step {step}", advice))
        named = named_parameters(module)
        lost = [name for name, start in self._start.items() if name not in named or named[name].shape != start.shape]
        if lost:
            expected = "the weights of the checkpoint"
            raise UsageError(complaint(f"{self._call} resumed", expected, f"no {lost[0]}", "Resume the same module."))
        return {name: named[name] for name in self._start}
