"""What architectures lose, in one epoch, to those that are trained after them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import lightning.pytorch as pl
import numpy as np

from lnas.data.batches import Batch
from lnas.errors import UsageError, complaint
from lnas.seeds import derive_seed
from lnas.training.callbacks.diagnosis import DiagnosisCallback, described
from lnas.training.callbacks.path_scores import path_scores, require_supernet
from lnas.training.path_evaluation import Statistics
from lnas.types import Arch


class ForgettingCallback(DiagnosisCallback):
    """Measure forgetting values: the accuracy of a path at the end of an epoch less that right after its training.

    Negative where the training of others, which share its weights, has overwritten what it needs. Of a path that is
    trained several times in an epoch, the last one counts, so that nothing but others comes between; of one that is
    trained at the epoch's last step the value is 0.

    Which steps train what is known in advance, from `SupernetModule.paths_at`, so that only paths are evaluated that
    count: twice each, once alone after a step and once with the others at the end of the epoch. That is `archs` times
    `batches` times 2 forward passes per epoch: two take 0.7 of a training step on as many images (NATS topology, C=16,
    N=5, 128 images of 32 pixels, one core). Besides, the paths of an epoch are drawn twice more, 0.05 s for 390 steps.
    By `evaluate_paths`, so weights, gradients, modes and generators are left as found, and a training with it is, bit
    for bit, one without it; resumed anywhere, also amid an epoch, it gives the same numbers. With several processes
    each evaluates all, and the first logs. Unless the Trainer is bare-bones, the numbers of `records` are logged as
    `forgetting/NAME`.

    Args:
        batches: What paths are evaluated on, such as `PreparedBatches`; of the held-out images in the paper.
        archs: How many of the paths of an epoch, drawn anew for each; or the architectures that are watched, which
            count in epochs that train them under these very genes: of use where few are trained, as with `ListedPaths`.
        every_n_epochs: How often; between, nothing is evaluated.
        seed: Decides, together with the epoch, which paths are drawn.
        statistics: What batch norms go by: "batch" or "running".

    Attributes:
        records: A dict for each epoch: `epoch`, counted from 1, `step`, `seconds` that it took, `count` of forgetting
            values, their `mean` in [-1, 1], and their `std`, that of a sample. Without a value there is no mean, with
            less than two no std.
        values: A dict for each epoch: architecture -> forgetting value, in the order of training; NaN where a loss was
            not finite, which does not count.
        seconds: What it took so far.

    Raises:
        UsageError: If an argument is none of these; when training starts, if the module is no `SupernetModule`, an
            architecture is outside its region, a checkpoint is of other architectures, or an epoch's length is unknown;
            if the paths of an epoch change within it, as those of a `ControllerCallback` do.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 5.3 and
    Fig. A14: "its forgetting value (FV) as acc_2 - acc_1, where acc_1 refers to its valid accuracy right after its
    training, and acc_2 refers to its accuracy after all the architectures in this epoch have been trained". There it is
    "for each architecture in one epoch"; here of a sample of them.
    """

    values: list[dict[Arch, float]]
    _epoch: int
    _seen: int
    _due: dict[Arch, int]
    _right_after: dict[Arch, float]

    def __init__(
        self,
        batches: Iterable[Batch],
        archs: int | Sequence[Arch] = 20,
        every_n_epochs: int = 1,
        seed: int = 0,
        statistics: Statistics = "batch",
    ) -> None:
        super().__init__(batches, every_n_epochs, statistics, "forgetting")
        _require_archs(archs)
        self._archs = archs if isinstance(archs, int) else frozenset(archs)
        self._seed = seed

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        super().setup(trainer, pl_module, stage)
        if not isinstance(self._archs, int):
            self._require_region(require_supernet(self._call, pl_module), self._archs)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        super().on_train_start(trainer, pl_module)
        self._follow(
            trainer, require_supernet(self._call, pl_module)
        )  # in case the checkpoint was written before this callback's turn

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        super().on_train_batch_start(trainer, pl_module, batch, batch_idx)
        if batch_idx == 0:
            with self._stopwatch:
                self._begin(trainer, require_supernet(self._call, pl_module))

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        module = require_supernet(self._call, pl_module)
        if trainer.global_step > self._seen:
            self._require_plan(module, trainer.global_step - 1)
            self._follow(trainer, module)

    def at_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, epoch: int) -> None:
        if epoch != self._epoch:  # a checkpoint without this callback's state
            return
        with self._stopwatch:
            at_the_end = self._accuracies(trainer, require_supernet(self._call, pl_module), list(self._right_after))
        values = {arch: at_the_end[arch] - accuracy for arch, accuracy in self._right_after.items()}
        self.values.append(values)
        self._record(trainer, pl_module, epoch, described(values.values()))

    def state_dict(self) -> dict[str, Any]:
        return {
            **super().state_dict(),
            "watched": self._watched(),
            "values": [_written(values) for values in self.values],
            "epoch": self._epoch,
            "seen": self._seen,
            "due": _written(self._due),
            "right_after": _written(self._right_after),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        if state_dict["watched"] != self._watched():
            expected = f"archs and seed of the checkpoint, {state_dict['watched']}"
            step = "Give those of the training that goes on."
            raise UsageError(complaint(self._call, expected, self._watched(), step))
        super().load_state_dict(state_dict)
        self.values = [_read(values) for values in state_dict["values"]]
        self._epoch, self._seen = state_dict["epoch"], state_dict["seen"]
        self._due, self._right_after = _read(state_dict["due"]), _read(state_dict["right_after"])

    def _begin(self, trainer: pl.Trainer, module: Any) -> None:
        """Choose what is to be evaluated after which step of an epoch."""
        self._epoch, self._seen = trainer.current_epoch + 1, trainer.global_step
        self._due, self._right_after = {}, {}
        if self._epoch % self._every == 0:
            trained = _last_steps(module, range(self._seen, self._seen + self._steps_per_epoch(trainer)))
            self._due = {arch: trained[arch] for arch in self._chosen(trained)}

    def _steps_per_epoch(self, trainer: pl.Trainer) -> int:
        if math.isinf(trainer.num_training_batches):
            step = "Pass limit_train_batches=N to the Trainer."
            raise UsageError(complaint(self._call, "an epoch whose length is known", "a loader without one", step))
        return math.ceil(trainer.num_training_batches / trainer.accumulate_grad_batches)

    def _chosen(self, trained: Iterable[Arch]) -> list[Arch]:
        archs = list(trained)
        if not isinstance(self._archs, int):
            return [arch for arch in archs if arch in self._archs]
        rng = np.random.default_rng(derive_seed(self._seed, "forgetting", self._epoch))
        return [archs[index] for index in rng.permutation(len(archs))[: self._archs]]

    def _follow(self, trainer: pl.Trainer, module: Any) -> None:
        """Evaluate what the last step trained: once per optimizer step, however many batches it took."""
        step = trainer.global_step
        if step > self._seen:
            self._seen = step
            due = [arch for arch, last in self._due.items() if last == step - 1]
            with self._stopwatch:
                self._right_after |= self._accuracies(trainer, module, due)

    def _require_plan(self, module: Any, step: int) -> None:
        """Raise `UsageError` if a step has not trained what it was to train last, or has trained it once more."""
        trained = set(module.paths_at(step))
        due = {arch for arch, last in self._due.items() if last == step}
        if not due <= trained or trained & self._right_after.keys():
            expected = "paths that are known when an epoch begins"
            advice = "Leave it out where a controller is trained; set `module.paths` at ends of epochs, before this."
            raise UsageError(complaint(self._call, expected, f"others at step {step}", advice))

    def _accuracies(self, trainer: pl.Trainer, module: Any, archs: Sequence[Arch]) -> dict[Arch, float]:
        scores = path_scores(trainer, module, archs, self._batches, self._statistics) if archs else {}
        return {arch: score.accuracy if math.isfinite(score.loss) else math.nan for arch, score in scores.items()}

    def _watched(self) -> str:
        """Return what decides which paths are evaluated, as text."""
        if isinstance(self._archs, int):
            return f"{self._archs} by seed {self._seed}"
        return ", ".join(map(str, sorted(self._archs)))

    def _forget(self) -> None:
        super()._forget()
        self.values = []
        self._epoch = self._seen = 0
        self._due, self._right_after = {}, {}


def _last_steps(module: Any, steps: Iterable[int]) -> dict[Arch, int]:
    """Return for each path that some steps train the last that does, in the order of those."""
    last = {arch: step for step in steps for arch in module.paths_at(step)}
    return dict(sorted(last.items(), key=lambda item: item[1]))


def _written(of_archs: Mapping[Arch, Any]) -> dict[str, Any]:
    return {arch.to_json(): value for arch, value in of_archs.items()}


def _read(of_archs: Mapping[str, Any]) -> dict[Arch, Any]:
    return {Arch.from_json(text): value for text, value in of_archs.items()}


def _require_archs(archs: object) -> None:
    listed = isinstance(archs, Sequence) and all(isinstance(arch, Arch) for arch in archs)
    count = archs if type(archs) is int else len(archs) if listed else 0  # type: ignore[arg-type]
    if count < 1:
        expected = "a number of architectures >= 1, or some"
        raise UsageError(complaint("ForgettingCallback(archs=...)", expected, archs, "Example: archs=20."))
