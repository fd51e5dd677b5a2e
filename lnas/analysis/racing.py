"""Racing: successive halving over the candidates of a search, whoever measures them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.stats import RankSum, rank_sum
from lnas.types import Estimate, Trial

_FEWEST_RUNGS = 2
_ROUNDING = 1e-9  # 0.29 x 100 is 28.999...

Measure = Callable[[int, Sequence[int]], Sequence[Trial]]
"""From a number of steps and the numbers of some candidates to their trials after so many steps, in that order."""


@dataclass(frozen=True)
class Racing:
    """How far candidates are trained before the worse of them drop out.

    Args:
        rungs: After how many steps those still in the race are ranked among themselves, ascending. The last is the
            whole short training.
        keep: Share of them that goes on after each rung but the last, rounded down to whole candidates, at least one.
        rank: Expression that ranks at these rungs, such as angle+loss_area+params; if not given, that of the whole.

    Source: Jamieson and Talwalkar 2016, "Non-stochastic Best Arm Identification and Hyperparameter Optimization". There
    a budget decides the rungs, and a loss alone who goes on.

    Example:
        >>> [Racing().kept(count) for count in (100, 25, 1)]
        [50, 12, 1]
    """

    rungs: tuple[int, ...] = (12, 25, 50)
    keep: float = 0.5
    rank: str | None = None

    def kept(self, count: int) -> int:
        """Return how many of `count` candidates go on."""
        return max(1, math.floor(self.keep * count + _ROUNDING))

    def rank_at(self, rung: int, expression: str) -> str:
        """Return what ranks at a rung, where an expression ranks in the end."""
        return expression if rung == self.rungs[-1] else self.rank or expression


def check_rungs(racing: Racing) -> None:
    """Raise `UsageError` unless there are two rungs or more, in ascending order, and a share goes on."""
    rungs = list(racing.rungs)
    if len(rungs) < _FEWEST_RUNGS or rungs[0] < 1 or rungs != sorted(set(rungs)):
        expected = "two or more numbers of steps, ascending from 1 or more"
        raise UsageError(complaint(f"racing.rungs={rungs}", expected, rungs, "Example: [12, 25, 50]."))
    if not 0 < racing.keep < 1:
        raise UsageError(complaint(f"racing.keep={racing.keep}", "0 < keep < 1", racing.keep, "0.5 halves."))


class Raced(NamedTuple):
    """The outcome of a race of n candidates.

    Attributes:
        rungs: Number of steps of each rung that was reached -> the trials of those measured there, by candidate.
        ranks: Number of steps -> what ranked there.
        steps: Shape (n,). How many steps each candidate was trained.
        ranking: Of all of them. `order` puts whoever went on before all that dropped out, and those that lack a number
            after all that lack none. `total` is the sum of ranks among those that were measured last with a candidate;
            it does not compare between numbers of steps, and `ranks`, which would not either, is empty.
    """

    rungs: dict[int, dict[int, Trial]]
    ranks: dict[int, str]
    steps: np.ndarray
    ranking: RankSum

    @property
    def trials(self) -> list[Trial]:
        """Each candidate as it was measured last."""
        return [self.rungs[rung][number] for number, rung in enumerate(self.steps.tolist())]

    @property
    def measured(self) -> list[list[Mapping[str, Estimate]]]:
        """What was measured of each candidate at each of its rungs."""
        return [
            [trials[number].estimates for trials in self.rungs.values() if number in trials]
            for number in range(len(self.steps))
        ]

    @property
    def places(self) -> np.ndarray:
        """Place of each candidate in the race, shape (n,), from 1."""
        return np.argsort(self.ranking.order) + 1.0

    @property
    def spent(self) -> int:
        """Steps of all trainings, each going on from the rung before."""
        return int(self.steps.sum())


def race(
    racing: Racing, candidates: int, measure: Measure, expression: str, higher_is_better: Mapping[str, bool]
) -> Raced:
    """Measure all candidates after few steps, and ever fewer of them after ever more.

    After each rung those in the race are ranked among themselves, and the best of them go on. Who lacks a number drops
    out first, however few are left.

    Args:
        racing: The rungs.
        candidates: How many start, at least one; they are numbered from 0.
        measure: Called once a rung, with the candidates in ascending order.
        expression: What ranks after the last rung, as `rank_sum` takes it.
        higher_is_better: Direction of each measure.

    Raises:
        UsageError: If the rungs are none, the expression does not parse or names an unknown measure, or there is no
            candidate.
    """
    check_rungs(racing)
    ranks = {rung: racing.rank_at(rung, expression) for rung in racing.rungs}
    rungs: dict[int, dict[int, Trial]] = {}
    missing: Counter[str] = Counter()
    steps = np.zeros(candidates, dtype=np.int64)
    total = np.full(candidates, np.nan)
    complete = np.zeros(candidates, dtype=bool)
    running = np.arange(candidates)
    for rung in racing.rungs:
        trials = measure(rung, running.tolist())
        rungs[rung] = dict(zip(running.tolist(), trials, strict=True))
        here = rank_sum(ranks[rung], trials, higher_is_better)
        missing.update(here.missing)  # nobody twice: who lacks one leaves here
        steps[running], total[running], complete[running] = rung, here.total, here.complete
        sound = here.order[here.complete[here.order]]
        running = np.sort(running[sound[: racing.kept(len(running))]])
        if not len(running):
            break
    order = np.lexsort((total, -steps, ~complete))
    return Raced(rungs, ranks, steps, RankSum(total, {}, dict(missing), order, complete))
