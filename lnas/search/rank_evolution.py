"""Evolution by the sum of several ranks, as TEG-NAS searches."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from lnas.search.base import SeededStrategy, require_askable, require_positive
from lnas.search.incumbent import best_of
from lnas.search.objective import Objective
from lnas.search.population import AgeingPopulation
from lnas.search.stopping import stopped_falling
from lnas.spaces import SearchSpace
from lnas.types import Arch, Trial


class RankEvolution(SeededStrategy):
    """Regularized evolution whose tournaments are won by the smallest sum of ranks, and that knows when to stop.

    The search is over when the diversity of the population, in how many genes two members differ on the mean over all
    pairs, was nowhere in the last `window` steps lower than before them, or after `steps`. The answer is the best of
    the last population, by ranks within it.

    Args:
        space: Where to search.
        seed: Decides every draw.
        objective: The sum of ranks.
        population: Members. The first so many proposals are drawn uniformly, repeats included.
        sample: Members drawn for each tournament, none twice.
        steps: Children at most; the first population is not counted.
        window: Steps in which diversity must have fallen.

    Raises:
        UsageError: If a number is below 1, or the sample larger than the population.

    Source: Chen et al., "Understanding and Accelerating NAS with Training-Free and Theory-Grounded Metrics" (TEG-NAS),
    Sec. 5.2.2. It says that the search stops when diversity stops decreasing, and not how that is seen: the window is
    ours. The released code runs all 1,000 steps.
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        objective: Objective,
        population: int = 256,
        sample: int = 64,
        steps: int = 1000,
        window: int = 200,
    ) -> None:
        super().__init__("RankEvolution", seed)
        require_positive("RankEvolution", steps=steps, window=window)
        self._space = space
        self._objective = objective
        self._steps = steps
        self._window = window
        self._settings = {
            "strategy": "RankEvolution",
            "seed": seed,
            "objective": objective.settings,
            "population": population,
            "sample": sample,
            "steps": steps,
            "window": window,
        }
        self._population = AgeingPopulation(population, sample, "without", objective, "RankEvolution")
        self._asked = 0
        self._diversities: list[float] = []

    @property
    def ahead(self) -> int:
        return self._population.founders_left

    @property
    def limit(self) -> int:
        return sys.maxsize

    @property
    def free(self) -> int:
        return self._population.size

    @property
    def is_over(self) -> bool:
        ran_out = len(self._diversities) >= self._steps
        return ran_out or stopped_falling(self._diversities, self._window)

    @property
    def state(self) -> Mapping[str, float]:
        return {"diversity": self._population.diversity()}

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._settings

    def ask(self, n: int) -> list[Arch]:
        require_askable("RankEvolution", n, self.limit - self._asked)
        self._asked += n
        return [self._population.proposal(self._space, self._rng) for _ in range(n)]

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            full = len(self._population) == self._population.size
            self._population.add(trial)
            if full:
                self._diversities.append(self._population.diversity())

    def answer(self) -> Arch:
        return best_of(self._objective, self._population.members, "RankEvolution")
