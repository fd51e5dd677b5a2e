"""What a search makes as good as it can: a measure, or a sum of ranks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from lnas.errors import UsageError, complaint, unknown_name
from lnas.stats import measure_names, rank_sum
from lnas.types import Trial


@dataclass(frozen=True)
class Objective:
    """A rank expression over trials, with the direction of each measure in it.

    One measure is compared by its values. A sum such as `ntk_cond+linear_regions` is compared by ranks, and so depends
    on the trials that are compared: the cost of a trial is known within a set only.

    Args:
        expression: Measure names joined by +, as for `lnas.stats.rank_sum`.
        higher_is_better: Measure name -> its direction; names that the expression does not have are left out.

    Raises:
        UsageError: If the expression does not parse, or names a measure without a direction.

    Example:
        >>> from lnas.types import Arch, Estimate
        >>> low, high = (Trial(Arch("tiny", (gene,)), {"score": Estimate(1.0 + gene)}) for gene in (0, 1))
        >>> Objective("score", {"score": True}).best([low, high])
        1
    """

    expression: str
    higher_is_better: Mapping[str, bool] = field(hash=False)

    def __post_init__(self) -> None:
        for name in self.names:
            if name not in self.higher_is_better:
                unknown = unknown_name("measure", name, self.higher_is_better)
                raise UsageError(f"Objective({self.expression!r}, ...): {unknown}")
        object.__setattr__(self, "higher_is_better", {name: self.higher_is_better[name] for name in self.names})

    @cached_property
    def names(self) -> list[str]:
        """The measures it needs."""
        return measure_names(self.expression)

    @cached_property
    def is_absolute(self) -> bool:
        """Whether the cost of a trial is the same in every set: that of a single measure."""
        return self.expression.strip() in self.higher_is_better

    @property
    def settings(self) -> dict[str, Any]:
        """What decides it, JSON-able."""
        return {"expression": self.expression, "higher_is_better": dict(self.higher_is_better)}

    def has_numbers(self, trial: Trial) -> bool:
        """Tell whether a trial can be compared: whether it has every number that the objective needs."""
        estimates = (trial.estimates.get(name) for name in self.names)
        return all(estimate is not None and estimate.status == "ok" for estimate in estimates)

    def costs(self, trials: Sequence[Trial]) -> np.ndarray:
        """Return what each trial costs among these, shape (n,): lower is better, inf where a number is lacking."""
        if self.is_absolute:
            return np.array([self.cost(trial) for trial in trials], dtype=float)
        ranking = rank_sum(self.expression, trials, self.higher_is_better)
        return np.where(ranking.complete, ranking.total, np.inf)

    def cost(self, trial: Trial) -> float:
        """Return what a trial costs in every set.

        Raises:
            UsageError: If the objective is a sum of ranks.
        """
        if not self.is_absolute:
            step = "Objective.costs(trials) compares within a set."
            raise UsageError(complaint("Objective.cost(trial)", "a single measure", self.expression, step))
        (name,) = self.names
        estimate = trial.estimates.get(name)
        if estimate is None or estimate.status != "ok":
            return np.inf
        return -estimate.value if self.higher_is_better[name] else estimate.value

    def best(self, trials: Sequence[Trial]) -> int | None:
        """Return the place of the best of some trials, the first of equals; None where all lack a number."""
        costs = self.costs(trials) if trials else np.array([])
        return int(costs.argmin()) if np.isfinite(costs).any() else None
