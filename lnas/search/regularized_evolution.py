"""Evolution in which the oldest dies, not the worst."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from lnas.errors import UsageError, unknown_name
from lnas.search.base import SeededStrategy, require_askable
from lnas.search.incumbent import Incumbent
from lnas.search.objective import Objective
from lnas.search.population import AgeingPopulation, Replacement
from lnas.spaces import SearchSpace
from lnas.types import Arch, Trial

Counted = Literal["all", "children"]


class RegularizedEvolution(SeededStrategy):
    """Keep a population; mutate the best of a random sample of it; the child replaces the oldest member.

    A child that cannot be measured is a member all the same, and loses every tournament. Where several are asked for
    before any is told, their parents are drawn from the same population.

    Args:
        space: Where to search.
        seed: Decides every draw.
        objective: What is made as good as it can; of a sum, the ranks are within the sample.
        population: Members. The first so many proposals are drawn uniformly, repeats included.
        sample: Members drawn for each tournament.
        replacement: Whether a member may be drawn twice for a tournament; "with" in Real et al. and in NATS-Bench.
        counted: "children": budgets count only what was mutated, and only that may be the answer, as in Algorithm 2 of
            Lightweight NAS; "all" counts the first population, too.

    Raises:
        UsageError: If a number is below 1, or a sample without replacement is larger than the population.

    Source: Real et al. 2019, "Regularized Evolution for Image Classifier Architecture Search", Algorithm 1, whose
    defaults these are (of its later experiments). NATS-Bench takes 10 and 3 (Dong et al. 2021), Lightweight NAS 20 and
    10.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        objective: Objective,
        population: int = 100,
        sample: int = 25,
        replacement: Replacement = "with",
        counted: Counted = "all",
    ) -> None:
        call = type(self).__name__
        super().__init__(call, seed)
        if counted not in get_args(Counted):
            raise UsageError(f"{call}(counted={counted!r}): {unknown_name('counted', str(counted), get_args(Counted))}")
        self._space = space
        self._counted: Counted = counted
        self._settings = {
            "strategy": call,
            "seed": seed,
            "objective": objective.settings,
            "population": population,
            "sample": sample,
            "replacement": replacement,
            "counted": counted,
        }
        self._population = AgeingPopulation(population, sample, replacement, objective, call)
        self._asked = 0
        self._told = 0
        self._incumbent = Incumbent(objective)

    @property
    def ahead(self) -> int:
        return self._population.founders_left

    @property
    def limit(self) -> int:
        return sys.maxsize

    @property
    def free(self) -> int:
        return self._population.size if self._counted == "children" else 0

    @property
    def fewest(self) -> int:
        return self._population.size - self.free + 1

    @property
    def state(self) -> Mapping[str, float]:
        return {"diversity": self._population.diversity()}

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._settings

    def ask(self, n: int) -> list[Arch]:
        require_askable(type(self).__name__, n, self.limit - self._asked)
        self._asked += n
        return [self._population.proposal(self._space, self._rng) for _ in range(n)]

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            self._population.add(trial)
            self._told += 1
            if self._told > self.free:
                self._incumbent.add(trial)

    def answer(self) -> Arch:
        return self._incumbent.answer(type(self).__name__)
