"""Evolution whose first population was chosen by something cheap."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.search.base import SeededStrategy
from lnas.search.incumbent import Incumbent
from lnas.search.objective import Objective
from lnas.search.population import AgeingPopulation, Replacement
from lnas.spaces import SearchSpace
from lnas.types import Arch, Trial


class AssistedEvolution(SeededStrategy):
    """Scout at random by a cheap measure, then evolve the best of the scouted by the objective (AREA).

    The first `scouts` proposals are drawn uniformly, repeats included, and want the scout's measures only. The best of
    them, the first of equals, are then proposed again, and they and all their children want the objective's: these are
    what a budget counts, and may be the answer. A scouted architecture without a number is not among the best, even if
    the first population is smaller for it; where none has one, evolution begins with an architecture drawn uniformly.

    It cannot be asked for the best of the scouted before all of these were told.

    Args:
        space: Where to search.
        seed: Decides every draw.
        objective: What is made as good as it can; of a sum, the ranks are within the sample.
        scout: What the first population is chosen by; of a sum, the ranks are among all that was scouted.
        scouts: Architectures to scout.
        population: Members.
        sample: Members drawn for each tournament.
        replacement: Whether a member may be drawn twice for a tournament.

    Raises:
        UsageError: If a number is below 1, there are fewer scouts than members, or a sample without replacement is
            larger than the population.

    Source: Mellor et al. 2021, "Neural Architecture Search without Training", Sec. 4.1 and Algorithm 2: a population of
    10 out of 20, and tournaments without replacement, by the score now known as NASWOT. It does not say how many are
    drawn for them: 3 are those of NATS-Bench (Dong et al. 2021). Its code was not released with the rest.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        objective: Objective,
        scout: Objective,
        scouts: int = 20,
        population: int = 10,
        sample: int = 3,
        replacement: Replacement = "without",
    ) -> None:
        super().__init__("AssistedEvolution", seed)
        self._space = space
        self._objective = objective
        self._scout = scout
        self._scouts = scouts
        self._population = AgeingPopulation(population, sample, replacement, objective, "AssistedEvolution")
        if scouts < population:
            call, expected = f"AssistedEvolution(scouts={scouts})", f"scouts >= {population}, the population"
            raise UsageError(complaint(call, expected, scouts, "Raise it."))
        self._settings = {
            "strategy": "AssistedEvolution",
            "seed": seed,
            "objective": objective.settings,
            "scout": scout.settings,
            "scouts": scouts,
            "population": population,
            "sample": sample,
            "replacement": replacement,
        }
        self._incumbent = Incumbent(objective)
        self._asked = 0
        self._scouted: list[Trial] = []
        self._founders: deque[Arch] = deque()

    @property
    def ahead(self) -> int:
        return self._scouts - self._asked if self._is_scouting else len(self._founders)

    @property
    def limit(self) -> int:
        return sys.maxsize

    @property
    def free(self) -> int:
        return self._scouts

    @property
    def wants(self) -> Sequence[str]:
        return self._scout.names if self._asked < self._scouts else self._objective.names

    @property
    def state(self) -> Mapping[str, float]:
        return {"scouting": float(self._is_scouting), "diversity": self._population.diversity()}

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._settings

    def ask(self, n: int) -> list[Arch]:
        left = (self._scouts if self._is_scouting else self.limit) - self._asked
        if not 1 <= n <= left:
            step = f"Tell the rest of {self._scouts} scouted first." if self._is_scouting else "Change n."
            raise UsageError(complaint(f"AssistedEvolution.ask(n={n})", f"1 <= n <= {left}", n, step))
        return [self._proposal() for _ in range(n)]

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            if self._is_scouting:
                self._scouted.append(trial)
                if not self._is_scouting:
                    self._founders.extend(self._best_scouted())
            else:
                self._population.add(trial)
                self._incumbent.add(trial)

    def answer(self) -> Arch:
        return self._incumbent.answer("AssistedEvolution")

    @property
    def _is_scouting(self) -> bool:
        return len(self._scouted) < self._scouts

    def _proposal(self) -> Arch:
        self._asked += 1
        if self._asked <= self._scouts:
            return self._space.sample(self._rng)
        return self._founders.popleft() if self._founders else self._population.child(self._space, self._rng)

    def _best_scouted(self) -> Iterator[Arch]:
        costs = self._scout.costs(self._scouted)
        for k in costs.argsort(kind="stable")[: self._population.size]:
            if np.isfinite(costs[k]):
                yield self._scouted[k].arch
