"""Searches on a benchmark, with a budget of evaluations or of the seconds that they would have taken.

As the multi-trial searches of NATS-Bench (Dong et al., TPAMI 2021; released as `exps/NATS-algos`): each evaluation adds
the seconds of its training and of one validation to the time used; the search goes on while the time used is below the
budget, so that the evaluation that crosses it counts; an architecture that is proposed again costs again; the answer is
the first with the highest estimate. Its topology space is searched for 20,000 s on CIFAR-10, 40,000 s on CIFAR-100 and
120,000 s on ImageNet16-120, with the accuracy after 12 epochs as the estimate.

Deviations: `simulate_train_eval` takes one of the recorded trainings at random each time, an `AccuracyKey` names which
(or their mean); the published table interpolates the accuracy at the budget between the answers before and after it was
crossed, `SimulatedSeconds` takes one or the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from lnas.errors import RunError, UsageError, complaint
from lnas.estimators.tabular import TabularEstimator
from lnas.search import Strategy
from lnas.types import Arch, Estimate, Trial


@dataclass(frozen=True)
class Evaluations:
    """A budget of so many evaluations, failed ones included.

    Raises:
        UsageError: If `count` is below 1.
    """

    count: int

    def __post_init__(self) -> None:
        if isinstance(self.count, bool) or not isinstance(self.count, int) or self.count < 1:
            raise UsageError(complaint("Evaluations(count)", "count >= 1", self.count, "Example: Evaluations(1000)."))

    def is_left(self, evaluations: int, seconds: float) -> bool:
        """Tell whether another evaluation may begin after so many that took so long."""
        return evaluations < self.count

    def allows(self, seconds: float) -> bool:
        """Tell whether an evaluation counts that ends after so many seconds."""
        return True


@dataclass(frozen=True)
class SimulatedSeconds:
    """A budget of recorded time.

    Attributes:
        seconds: How many.
        crossing: Of the evaluation during which they run out: "counts", as in the search that NATS-Bench released, or
            "is lost", so that no search knows more than the time allowed.

    Raises:
        UsageError: If `seconds` is no number above 0 or has no end, or `crossing` is neither.
    """

    seconds: float
    crossing: Literal["counts", "is lost"] = "counts"

    def __post_init__(self) -> None:
        number = isinstance(self.seconds, int | float) and not isinstance(self.seconds, bool)
        if not number or not 0 < self.seconds < math.inf:
            call, step = "SimulatedSeconds(seconds)", "Example: 20_000."
            raise UsageError(complaint(call, "finite seconds > 0", self.seconds, step))
        if self.crossing not in ("counts", "is lost"):
            call = "SimulatedSeconds(crossing)"
            raise UsageError(complaint(call, "'counts' or 'is lost'", self.crossing, "NATS-Bench: 'counts'."))

    def is_left(self, evaluations: int, seconds: float) -> bool:
        """Tell whether another evaluation may begin after so many that took so long."""
        return seconds < self.seconds

    def allows(self, seconds: float) -> bool:
        """Tell whether an evaluation counts that ends after so many seconds."""
        return self.crossing == "counts" or seconds <= self.seconds


@dataclass(frozen=True)
class TableSearch:
    """What a search on a table evaluated, in order.

    Attributes:
        measure: By which estimate it judged.
        trials: Its evaluations.
        free: How many of the first the strategy does not let count: they are not the best, nor the answer.
    """

    measure: str
    trials: tuple[Trial, ...]
    free: int = 0

    @cached_property
    def seconds(self) -> np.ndarray:
        """Simulated time at the end of each evaluation, float64, shape (evaluations,)."""
        return np.cumsum([estimate.seconds for estimate in self._estimates])

    @cached_property
    def best(self) -> np.ndarray:
        """Which evaluation was the best so far after each, shape (evaluations,); -1 before the first with a number."""
        values = np.array([estimate.value if estimate.status == "ok" else -np.inf for estimate in self._estimates])
        values[: self.free] = -np.inf
        improves = values > np.maximum.accumulate(np.concatenate([[-np.inf], values[:-1]]))
        return np.maximum.accumulate(np.where(improves, np.arange(len(values)), -1))

    @property
    def answer(self) -> Arch:
        """The best architecture by the estimate, the first of equals.

        Raises:
            RunError: If no evaluation gave a number.
        """
        if not self.trials or self.best[-1] < 0:
            call = f"a search by {self.measure!r}"
            raise RunError(complaint(call, "an estimate to judge by", f"{len(self.trials)} without", "Search longer."))
        return self.trials[self.best[-1]].arch

    @property
    def _estimates(self) -> list[Estimate]:
        return [trial.estimates[self.measure] for trial in self.trials]


def search_table(
    strategy: Strategy, estimator: TabularEstimator, budget: Evaluations | SimulatedSeconds
) -> TableSearch:
    """Let a new strategy propose one architecture at a time until the budget is used up, or it is over or at its limit.

    A budget of evaluations does not count those that are the strategy's `free` ones.

    Raises:
        UsageError: If the budget is neither, the strategy cannot propose as many as it counts, it is one of time and
            none was recorded, or an architecture is not of the benchmark's space.
    """
    if not isinstance(budget, Evaluations | SimulatedSeconds):
        call, step = "search_table(..., budget)", "Example: SimulatedSeconds(20_000)."
        raise UsageError(complaint(call, "Evaluations(...) or SimulatedSeconds(...)", budget, step))
    if strategy.proposes != "architectures":
        call, step = f"search_table({type(strategy).__name__}, ...)", "Tables hold no supernets."
        raise UsageError(complaint(call, "a strategy that proposes architectures", strategy.proposes, step))
    if isinstance(budget, Evaluations) and budget.count > strategy.limit:
        call, step = f"search_table(..., {budget})", "Give a smaller budget."
        raise UsageError(complaint(call, f"at most {strategy.limit} evaluations", budget.count, step))
    trials: list[Trial] = []
    seconds = 0.0
    while (
        len(trials) < strategy.limit and not strategy.is_over and budget.is_left(len(trials) - strategy.free, seconds)
    ):
        (arch,) = strategy.ask(1)
        trial = Trial(arch, estimator.estimate(arch, seed=0))
        estimate = trial.estimates[estimator.measure]
        _require_time(budget, estimate, arch, estimator.measure)
        seconds += estimate.seconds
        if not budget.allows(seconds):
            break
        strategy.tell([trial])
        trials.append(trial)
    return TableSearch(estimator.measure, tuple(trials), strategy.free)


def _require_time(budget: Evaluations | SimulatedSeconds, estimate: Estimate, arch: Arch, measure: str) -> None:
    if isinstance(budget, SimulatedSeconds) and estimate.status == "ok" and not estimate.seconds:
        call, step = f"search_table(..., {budget})", "Give Evaluations(...) as the budget, or another key."
        raise UsageError(complaint(call, f"a recorded time behind {measure}", f"none for {arch}", step))
