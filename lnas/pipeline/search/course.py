"""One search: a strategy that proposes, what it is told, and what it would answer at any moment."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lnas.errors import RunError, UsageError, complaint
from lnas.pipeline.reasons import reason
from lnas.pipeline.search.budget import Budget, Evaluations, Seconds, UntilOver
from lnas.search import Incumbent, Objective, Strategy
from lnas.types import Arch, Region, Trial

_MOST_WITHOUT_NUMBER_AT_FIRST = 50
_MOST_WITHOUT_NUMBER_IN_A_ROW = 1000
_STATES_KEPT_APART = 1.05


@dataclass(frozen=True)
class Branch:
    """Where a search leaves the one that it repeats until then.

    Attributes:
        at: After how many evaluations.
        seed: Decides its draws from there on.
    """

    at: int
    seed: int


class Proposal(NamedTuple):
    """What is to be measured.

    Attributes:
        candidate: Of what.
        wanted: Which measures; None is all.
    """

    candidate: Arch | Region
    wanted: Sequence[str] | None


@dataclass
class Course:
    """A search under way and, in the end, the record of it.

    Attributes:
        strategy: New; proposes one candidate at a time.
        objective: What candidates are judged by.
        budget: What ends it, unless the strategy is over or at its limit before.
        branch: Where its draws part from those of the search that it repeats.
        trials: What was measured, in order.
        seconds: Time used at the end of each evaluation.
        answers: (evaluations, architecture): what it would have answered if it had ended there, at each change.
        states: (evaluations, state): how the strategy was doing, at ever larger distances and in the end.
        without: How many evaluations lacked a number that the strategy wanted.
    """

    strategy: Strategy
    objective: Objective
    budget: Budget
    branch: Branch | None = None
    trials: list[Trial] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    answers: list[tuple[int, Arch]] = field(default_factory=list)
    states: list[tuple[int, Mapping[str, float]]] = field(default_factory=list)
    without: int = 0

    def __post_init__(self) -> None:
        _require_sense(self.strategy, self.budget)
        self._incumbent = Incumbent(self.objective)
        self._asked: deque[Proposal] = deque()
        self._in_a_row = 0
        self._out_of_time = False

    @property
    def wanted(self) -> Sequence[str] | None:
        """The measures that are needed of the proposal; None is all."""
        return self._asked[0].wanted if self._asked else None

    @property
    def counted(self) -> int:
        """How many evaluations its budget counts, so far."""
        return max(0, len(self.trials) - self.strategy.free)

    @property
    def answer(self) -> Arch | None:
        """What it answers by now; None where there is nothing to judge by yet."""
        return self.answers[-1][1] if self.answers else None

    def proposal(self) -> Arch | Region | None:
        """Return what is to be measured next, the same until it is told; None where the search has ended."""
        first = self.proposals(1)
        return first[0].candidate if first else None

    def proposals(self, most: int) -> Sequence[Proposal]:
        """Return what is to be measured next and, up to so many, what can be measured beside it; told in order.

        Empty where the search has ended.
        """
        if self.strategy.is_over:
            self._asked.clear()
        while len(self._asked) < most and self._goes_on() and (not self._asked or self._looks_ahead()):
            wanted = self.strategy.wants
            (candidate,) = self.strategy.ask(1)
            self._asked.append(Proposal(candidate, wanted))
        if not self._asked:
            self._keep_state()
        return list(self._asked)

    def tell(self, trial: Trial, seconds: float) -> None:
        """Learn what was measured of the first proposal, and how long that took.

        Raises:
            UsageError: If time is the budget and none was recorded.
            RunError: If it never gets a number.
        """
        self._require_time(trial, seconds)
        used = (self.seconds[-1] if self.seconds else 0.0) + seconds
        if not self.budget.allows(used):
            self._out_of_time = True
            self._asked.clear()
            return
        self.strategy.tell([trial])
        self.trials.append(trial)
        self.seconds.append(used)
        self._require_numbers(trial)
        self._asked.popleft()
        self._note()
        if self.branch and len(self.trials) == self.branch.at:
            self.strategy.reseed(self.branch.seed)

    def answer_after(self, counted: int) -> Arch | None:
        """Return what it would have answered after so many evaluations that the budget counts."""
        known = [arch for evaluations, arch in self.answers if evaluations <= counted + self.strategy.free]
        return known[-1] if known else None

    def seconds_after(self, counted: int | None = None) -> float:
        """Return the time used after so many evaluations that the budget counts, or in all."""
        made = len(self.trials) if counted is None else min(len(self.trials), counted + self.strategy.free)
        return self.seconds[made - 1] if made else 0.0

    def values(self, name: str) -> np.ndarray:
        """Return a measure of each evaluation, shape (evaluations,); NaN where there is no number."""
        return np.array([trial.estimates[name].value if name in trial.estimates else np.nan for trial in self.trials])

    @property
    def _needed(self) -> Sequence[str]:
        """The measures without which it learns nothing of the proposal."""
        return self.objective.names if self.wanted is None else self.wanted

    def _goes_on(self) -> bool:
        strategy, used = self.strategy, self.seconds[-1] if self.seconds else 0.0
        asked = len(self.trials) + len(self._asked)
        return (
            not self._out_of_time
            and asked < strategy.limit
            and not strategy.is_over
            and self.budget.is_left(asked - strategy.free, used)
        )

    def _looks_ahead(self) -> bool:
        """Tell whether one more can be asked for before what was asked for is told."""
        asked = len(self.trials) + len(self._asked)
        parts = self.branch is not None and asked == self.branch.at
        return self.strategy.ahead > 0 and not isinstance(self.budget, Seconds) and not parts

    def _note(self) -> None:
        """Keep the answer where it changed, and the state now and then."""
        count = len(self.trials)
        if count > self.strategy.free:
            self._incumbent.add(self.trials[-1])
        answer = self._current_answer()
        if answer is not None and answer != self.answer:
            self.answers.append((count, answer))
        if not self.states or count >= self.states[-1][0] * _STATES_KEPT_APART:
            self._keep_state()

    def _keep_state(self) -> None:
        count = len(self.trials)
        if count and (not self.states or count > self.states[-1][0]):
            self.states.append((count, dict(self.strategy.state)))

    def _current_answer(self) -> Arch | None:
        try:
            return self.strategy.answer()
        except RunError:
            return None
        except UsageError:  # it has none of its own
            best = self._incumbent.best()
            return best.arch if best is not None else None

    def _require_time(self, trial: Trial, seconds: float) -> None:
        if isinstance(self.budget, Seconds) and not seconds and self._has_number(trial):
            call, step = f"a search of {self.budget.seconds:g} seconds", "Give a number of evaluations as the budget."
            expected = f"a recorded time behind {'+'.join(self._needed)}"
            raise UsageError(complaint(call, expected, f"none for {trial.candidate}", step))

    def _require_numbers(self, trial: Trial) -> None:
        has_number = self._has_number(trial)
        self.without += not has_number
        count = self._in_a_row = 0 if has_number else self._in_a_row + 1
        if count >= (_MOST_WITHOUT_NUMBER_AT_FIRST if count == len(self.trials) else _MOST_WITHOUT_NUMBER_IN_A_ROW):
            lacking = next(trial.estimates[name] for name in self._needed if trial.estimates[name].status != "ok")
            call, expected = f"a search by {'+'.join(self._needed)}", "a candidate with all numbers"
            step = f"The last {reason(lacking)}."
            raise RunError(complaint(call, expected, f"none among {count} in a row", step))

    def _has_number(self, trial: Trial) -> bool:
        return all(trial.estimates[name].status == "ok" for name in self._needed)


def _require_sense(strategy: Strategy, budget: Budget) -> None:
    kind = type(strategy).__name__
    if isinstance(budget, UntilOver) and type(strategy).is_over is Strategy.is_over:
        step = "Example: --evaluations 100."
        raise UsageError(complaint(f"a search by {kind}", "a budget, since it is never over", "none", step))
    if not isinstance(budget, Evaluations):
        return
    call = f"evaluations={budget.count}"
    most = strategy.limit - strategy.free
    if budget.count > most and strategy.proposes == "architectures":
        expected = f"at most {most}, which is all that {kind} can propose"
        raise UsageError(complaint(call, expected, budget.count, "Give a smaller budget."))
    if budget.count < strategy.fewest:
        expected = f"at least {strategy.fewest}, before which {kind} learns nothing"
        raise UsageError(complaint(call, expected, budget.count, "Give a larger budget, or a smaller population."))
