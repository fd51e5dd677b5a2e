"""A controller that is trained with the supernet, and decides which paths are: soft pruning, ENAS, FP-NAS."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import lightning.pytorch as pl

from lnas.data.batches import Batch
from lnas.errors import UsageError, complaint
from lnas.search.base import Strategy
from lnas.search.policy import Policy
from lnas.training.callbacks.path_scores import path_scores, require_evaluation, require_supernet
from lnas.training.callbacks.stopwatch import Stopwatch
from lnas.training.path_evaluation import PathScore, Statistics
from lnas.training.policy_paths import PolicyPaths
from lnas.types import Arch, Estimate, Trial

Round = tuple[int, list[tuple[Arch, PathScore]]]
"""The number of a step, and what was evaluated before it."""

_CALL = "ControllerCallback(...)"
_MEASURES = ("oneshot_acc", "oneshot_loss")


class ControllerCallback(pl.Callback):
    """Let a strategy learn from paths of the supernet that is being trained, and train the paths that it would sample.

    Before every n-th step the strategy is asked for architectures. They are evaluated as paths on one validation batch,
    the next one each time, and the strategy is told their `oneshot_acc` and `oneshot_loss`. The distribution lives in
    the strategy, the weights in the `SupernetModule`, whose `paths` are `PolicyPaths` of it once the warm-up is over:
    what is sampled more is trained more, which is the study's soft pruning. With `Reinforce` this is ENAS, with `FPNAS`
    FP-NAS with trained weights. The strategy's own rule when to stop is not asked.

    Checkpoints hold what was told, and a training that is resumed tells it again, from the first trial on, so that it
    goes on exactly: some 100 bytes and 2 ms a trial.

    A round costs the forward passes of as many paths on one batch. One proposal before every step, on as many images as
    are trained on, is at least a third more than training alone: 43 % of its processor time on one core with 16
    channels, 5 cells a stage and 256 images of 8 x 8 pixels, and 100 % with 8 channels, 2 cells and 64 images.

    Deviations: ENAS' controller is an LSTM, which makes each decision in the light of those before; here decisions are
    independent softmaxes, as in FP-NAS' factorised distribution. ENAS trains weights for a whole pass and then the
    controller for 2,000 steps, here they take turns. It ends by evaluating several new samples, where `derive` is the
    strategy's answer. Its baseline, the moving mean of rewards, is `Reinforce`'s; its reward, the accuracy on a batch,
    is that of `Reinforce(..., protocol="nats_bench")` with the objective `oneshot_acc`, whose answer is the sample with
    the highest accuracy at any time, whereas the other protocols reward by change and answer with the most probable.
    In training the weights all sampled paths count alike, whatever their reward.

    Args:
        strategy: One with a `policy`, like `Reinforce` or `FPNAS`, of the supernet's whole space and with an objective
            of these measures. It is copied as it is, and stays so.
        batches: Validation images, such as `PreparedBatches`, the same in every pass: they are gone through over and
            over, one batch each time.
        every_n_steps: Steps from one time to the next; with accumulated batches a step is one of the optimizer.
        proposals: How many architectures each time; None is as many as the strategy asks for at once, an epoch of
            `FPNAS`, one for `Reinforce`.
        warmup_epochs: For how many epochs the strategy is not asked and the module's own paths are trained.
        statistics: What batch norms go by: "batch" or "running".

    Attributes:
        strategy: The copy that learns.
        trials: What it was told, in order.
        seconds: What evaluations took.

    Raises:
        UsageError: If an argument is none of these; when training starts, if the module trains no supernet of the
            strategy's whole space, or a checkpoint is of another controller.

    Source: Pham et al. 2018 (ENAS); Yan et al. 2021 (FP-NAS); Ning et al. 2021, "Evaluating Efficient Performance
    Estimators of Neural Architectures", Sec. 6.3, of which the controller's settings are not known here.
    """

    strategy: Strategy
    _rounds: list[Round]
    _coming: Iterator[Batch] | None
    _stopwatch: Stopwatch

    def __init__(
        self,
        strategy: Strategy,
        batches: Iterable[Batch],
        every_n_steps: int = 1,
        proposals: int | None = None,
        warmup_epochs: int = 0,
        statistics: Statistics = "batch",
    ) -> None:
        _require_strategy(strategy)
        require_evaluation(_CALL, batches, statistics)
        for name, number, least in (
            ("every_n_steps", every_n_steps, 1),
            ("proposals", 1 if proposals is None else proposals, 1),
            ("warmup_epochs", warmup_epochs, 0),
        ):
            if type(number) is not int or number < least:
                raise UsageError(complaint(_CALL, f"{name} >= {least}", number, f"Example: {name}={least}."))
        self._untold = copy.deepcopy(strategy)
        self._batches = batches
        self._every = every_n_steps
        self._proposals = proposals
        self._warmup = warmup_epochs
        self._statistics: Statistics = statistics
        self._forget()

    @property
    def trials(self) -> list[Trial]:
        return [_trial(arch, score) for _, scored in self._rounds for arch, score in scored]

    @property
    def seconds(self) -> float:
        return self._stopwatch.seconds

    def derive(self) -> Arch:
        """Return the architecture that the strategy has come to.

        Raises:
            RunError: If nothing that was told has a number.
        """
        return self.strategy.answer()

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        module = require_supernet(_CALL, pl_module)
        self._policy_paths().check(module.space, module.net.region)

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.global_step == 0:
            self._forget()

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        # Not after a step: a checkpoint may be written before or after that, and either is gone on from here.
        if trainer.current_epoch < self._warmup:
            return
        module = require_supernet(_CALL, pl_module)
        paths = self._policy_paths()
        if module.paths != paths:
            module.paths = paths
        step = trainer.global_step
        if step % self._every == 0 and step > self._last_step:
            with self._stopwatch:
                archs = self.strategy.ask(self._count())
                scores = path_scores(trainer, module, archs, [self._next_batch()], self._statistics)
            self._tell((step, [(arch, scores[arch]) for arch in archs]))
            if not trainer.barebones:
                pl_module.log_dict({f"controller/{name}": value for name, value in self.strategy.state.items()})

    def state_dict(self) -> dict[str, Any]:
        rounds = [(step, [(list(arch.genes), *score) for arch, score in scored]) for step, scored in self._rounds]
        return {"settings": _settings(self.strategy), "rounds": rounds, "seconds": self.seconds}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._forget()
        if state_dict["settings"] != _settings(self.strategy):
            expected = f"the checkpoint's strategy, {state_dict['settings']}"
            raise UsageError(complaint(_CALL, expected, _settings(self.strategy), "Give that of the training."))
        for step, written in state_dict["rounds"]:
            archs = self.strategy.ask(len(written))
            if [list(arch.genes) for arch in archs] != [genes for genes, *_ in written]:
                expected, got = "a strategy that proposes what it did in the checkpoint", ", ".join(map(str, archs))
                raise UsageError(complaint(_CALL, expected, got, "Give that of the training, which was told nothing."))
            scores = (PathScore(*score) for _, *score in written)
            self._tell((step, list(zip(archs, scores, strict=True))))
        self._stopwatch = Stopwatch(state_dict["seconds"])

    @property
    def _last_step(self) -> int:
        return self._rounds[-1][0] if self._rounds else -1

    def _policy_paths(self) -> PolicyPaths:
        return PolicyPaths(self.strategy.policy)  # type: ignore[attr-defined]  # required of it

    def _count(self) -> int:
        return max(1, self.strategy.ahead) if self._proposals is None else self._proposals

    def _tell(self, asked: Round) -> None:
        self.strategy.tell([_trial(arch, score) for arch, score in asked[1]])
        self._rounds.append(asked)

    def _next_batch(self) -> Batch:
        if self._coming is None:
            self._coming = _over_and_over(self._batches, len(self._rounds))
        return next(self._coming)

    def _forget(self) -> None:
        self.strategy = copy.deepcopy(self._untold)
        self._rounds = []
        self._coming = None
        self._stopwatch = Stopwatch()


def _trial(arch: Arch, score: PathScore) -> Trial:
    values = score.accuracy if math.isfinite(score.loss) else math.nan, score.loss
    return Trial(arch, {name: Estimate.of(value) for name, value in zip(_MEASURES, values, strict=True)})


def _settings(strategy: Strategy) -> str:
    return json.dumps(dict(strategy.settings), sort_keys=True)


def _over_and_over(batches: Iterable[Batch], done: int) -> Iterator[Batch]:
    """Yield batches without end, going on where so many were taken."""
    count = sum(1 for _ in batches)
    if not count:
        raise UsageError(complaint(_CALL, "at least one batch", 0, "Give it images."))
    yield from islice(iter(batches), done % count, None)
    while True:
        yield from batches


def _require_strategy(strategy: Strategy) -> None:
    if not isinstance(getattr(strategy, "policy", None), Policy):
        expected = "a strategy with a policy, such as Reinforce or FPNAS"
        raise UsageError(complaint(_CALL, expected, type(strategy).__name__, "Others sample from no distribution."))
    objective = strategy.settings.get("objective", {})
    unknown = set(objective.get("higher_is_better", {})) - set(_MEASURES)
    if unknown:
        expected = f"an objective of {' and '.join(_MEASURES)}"
        raise UsageError(complaint(_CALL, expected, ", ".join(sorted(unknown)), "Nothing else is measured here."))
