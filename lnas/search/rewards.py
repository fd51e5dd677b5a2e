"""What policies are rewarded with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal

from lnas.errors import UsageError, complaint
from lnas.search.objective import Objective
from lnas.types import Trial

Extremes = Literal["history", "last 10"]

Reward = Callable[[Trial], float | None]
"""From a trial to its reward, told in order; None where it lacks a number."""

_RECENT = 10
_SMALL = 1e-6


def reward_of(kind: Literal["change", "value"], objective: Objective, extremes: Extremes, call: str) -> Reward:
    """Return the reward of that kind.

    Raises:
        UsageError: If the objective is no flat sum of measures, or the reward is a value and it is no single one.
    """
    if sorted(objective.expression.replace(" ", "").split("+")) != sorted(objective.names):
        expected, step = "measures joined by +", "Rewards are sums of numbers, not of ranks."
        raise UsageError(complaint(f"{call}(objective=...)", expected, objective.expression, step))
    if kind == "value":
        if not objective.is_absolute:
            step = "reward='change' puts several on one scale."
            raise UsageError(complaint(f"{call}(reward='value')", "a single measure", objective.expression, step))
        return lambda trial: None if math.isinf(cost := objective.cost(trial)) else -cost
    return Changes(objective.higher_is_better, extremes)


class Changes:
    """The sum over measures of how much each improved on the trial before, in units of the range seen.

    r_t = sum of (x_t - x_{t-1}) / (max - min), x being negated where lower is better; 0 where nothing came before, or
    all were equal. A trial without all numbers has no reward, and is nobody's predecessor.

    Args:
        higher_is_better: Direction of each measure.
        extremes: Over all trials so far, this one included, as published; or over the last ten, with 1e-6 added to the
            range, as released.

    Source: Chen et al. (TEG-NAS), eq. 16-18, and its released code.
    """

    def __init__(self, higher_is_better: Mapping[str, bool], extremes: Extremes) -> None:
        self._signs = {name: 1 if higher else -1 for name, higher in higher_is_better.items()}
        self._seen: dict[str, list[float]] = {name: [] for name in higher_is_better}
        self._extremes = extremes

    def __call__(self, trial: Trial) -> float | None:
        """Return the reward of the trial that comes next."""
        estimates = {name: trial.estimates.get(name) for name in self._signs}
        if any(estimate is None or estimate.status != "ok" for estimate in estimates.values()):
            return None
        return sum(
            self._change(name, self._signs[name] * estimate.value) for name, estimate in estimates.items() if estimate
        )

    def _change(self, name: str, value: float) -> float:
        seen = self._seen[name]
        seen.append(value)
        recent = seen if self._extremes == "history" else seen[-_RECENT:]
        span = max(recent) - min(recent) + (_SMALL if self._extremes == "last 10" else 0)
        return (value - seen[-2]) / span if len(seen) > 1 and span else 0.0
