"""The best so far."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnas.errors import RunError, complaint
from lnas.search.objective import Objective
from lnas.types import Arch, Trial


class Incumbent:
    """The best of the trials that were told, the first of equals.

    By a single measure it is known at any time. By a sum it is found when asked for, among all trials, since every
    trial may change the ranks of all others.

    Args:
        objective: What is best.

    Example:
        >>> from lnas.types import Estimate
        >>> incumbent = Incumbent(Objective("score", {"score": True}))
        >>> for gene in (1, 2, 0):
        ...     incumbent.add(Trial(Arch("tiny", (gene,)), {"score": Estimate(float(gene))}))
        >>> str(incumbent.answer("Search"))
        'tiny:2'
    """

    def __init__(self, objective: Objective) -> None:
        self._objective = objective
        self._told = 0
        self._exists = False
        self._best: Trial | None = None
        self._cost = np.inf
        self._ranked: list[Trial] = []

    def add(self, trial: Trial) -> None:
        """Take notice of a trial."""
        self._told += 1
        self._exists = self._exists or self._objective.has_numbers(trial)
        if not self._objective.is_absolute:
            self._ranked.append(trial)
        elif (cost := self._objective.cost(trial)) < self._cost:
            self._best, self._cost = trial, cost

    def best(self) -> Trial | None:
        """Return it; None where every trial lacks a number."""
        if self._objective.is_absolute:
            return self._best
        place = self._objective.best(self._ranked)
        return None if place is None else self._ranked[place]

    def require(self, call: str) -> None:
        """Raise `RunError`, in the name of a strategy, where every trial lacks a number."""
        if not self._exists:
            raise nothing_to_judge_by(self._objective, self._told, call)

    def answer(self, call: str) -> Arch:
        """Return its architecture.

        Raises:
            RunError: In the name of a strategy, if every trial lacks a number.
        """
        best = self.best()
        if best is None:
            raise nothing_to_judge_by(self._objective, self._told, call)
        return best.arch


def best_of(objective: Objective, trials: Sequence[Trial], call: str) -> Arch:
    """Return the best architecture of some trials, the first of equals.

    Raises:
        RunError: In the name of a strategy, if all of them lack a number.
    """
    best = objective.best(trials)
    if best is None:
        raise nothing_to_judge_by(objective, len(trials), call)
    return trials[best].arch


def nothing_to_judge_by(objective: Objective, told: int, call: str) -> RunError:
    """Word the error of a strategy that was told so many trials, all of which lack a number."""
    expected = f"a trial with {objective.expression}"
    return RunError(complaint(f"{call}.answer()", expected, f"{told} without", "Search longer."))
