"""Evolution towards several measures at once."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.search.base import SeededStrategy, require_askable, require_positive
from lnas.search.crossover import cross
from lnas.search.domination import crowding_distances, dominated_by_none, front_numbers, points_of
from lnas.search.factors import known_factors
from lnas.search.incumbent import nothing_to_judge_by
from lnas.search.objective import Objective
from lnas.spaces import SearchSpace
from lnas.types import Arch, Trial


class NSGA2(SeededStrategy):
    """Keep, generation by generation, what is dominated least, and of that what is farthest from its like.

    Each measure of the objective is an objective of its own. The first generation is drawn uniformly, repeats included.
    A generation is bred from the same parents: two tournaments of two members each choose whom to cross, and one gene
    of the child mutates. When all of it is told, it and its parents are sorted by fronts, then by crowding distance,
    and the first `population` of them are the next parents. Where more are asked for than a generation before any is
    told, its parents are those of the generation before.

    Trials without all numbers are dominated by all others.

    Args:
        space: Where to search. Parents cross where its decisions are independent, or in DARTS' space; elsewhere
            children are mutants only.
        seed: Decides every draw.
        objective: An expression with two or more measures; how it puts them together decides the answer only.
        population: Members, and children of a generation.
        crossover: The chance that a child has two parents.

    Raises:
        UsageError: If the objective has a single measure, the population is below 1, or the chance not in 0..1.

    Source: Deb et al. 2002, "A fast and elitist multiobjective genetic algorithm: NSGA-II", whose numbers these are.
    For genes that are categories: uniform crossover, and one mutation per child, the mean of the paper's chance of 1 in
    as many genes. Deviation: an architecture survives once, since in a small space the members would soon be copies of
    few. In a tournament of equals, who was told first wins.
    """

    def __init__(
        self, space: SearchSpace, seed: int, objective: Objective, population: int = 100, crossover: float = 0.9
    ) -> None:
        super().__init__("NSGA2", seed)
        if len(objective.names) < 2:
            expected, step = "two or more measures", "RegularizedEvolution serves a single one."
            raise UsageError(complaint("NSGA2(objective=...)", expected, objective.expression, step))
        require_positive("NSGA2", population=population)
        if not 0 <= crossover <= 1:
            raise UsageError(complaint(f"NSGA2(crossover={crossover})", "0 <= crossover <= 1", crossover, "Change it."))
        self._space = space
        self._objective = objective
        self._size = population
        self._crossover = crossover
        self._settings = {
            "strategy": "NSGA2",
            "seed": seed,
            "objective": objective.settings,
            "population": population,
            "crossover": crossover,
        }
        self._factors = known_factors(space)
        self._asked = 0
        self._told: list[Trial] = []
        self._front: list[int] = []
        self._parents: list[Trial] = []

    @property
    def ahead(self) -> int:
        """The rest of the generation."""
        return max(0, (len(self._told) // self._size + 1) * self._size - self._asked)

    @property
    def limit(self) -> int:
        return sys.maxsize

    @property
    def fewest(self) -> int:
        return self._size + 1

    @property
    def state(self) -> Mapping[str, float]:
        return {"front": float(len(self._front))}

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._settings

    def ask(self, n: int) -> list[Arch]:
        require_askable("NSGA2", n, self.limit - self._asked)
        self._asked += n
        return [self._proposal() for _ in range(n)]

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            self._told.append(trial)
            self._place_on_front(len(self._told) - 1)
            if len(self._told) % self._size == 0:
                self._parents = survivors(self._objective, self._parents + self._told[-self._size :], self._size)

    def front(self) -> list[Trial]:
        """Return what none of all that was told dominates, in the order of telling; of equal ones the first."""
        return [self._told[k] for k in self._front]

    def answer(self) -> Arch:
        """Return the one of the front that the objective's own expression ranks best among all that was told.

        Raises:
            RunError: If nothing that was told has all numbers.
        """
        if not self._front:
            raise nothing_to_judge_by(self._objective, len(self._told), "NSGA2")
        costs = self._objective.costs(self._told)
        return self._told[min(self._front, key=costs.__getitem__)].arch

    def _proposal(self) -> Arch:
        if not self._parents:
            return self._space.sample(self._rng)
        parent = self._winner()
        if self._factors and self._rng.random() < self._crossover:
            parent = cross(self._factors, parent, self._winner(), self._rng)
        return self._space.mutate(parent, self._rng)

    def _winner(self) -> Arch:
        """Hold a tournament of two; parents are sorted from the best."""
        return self._parents[self._rng.integers(len(self._parents), size=2).min()].arch

    def _place_on_front(self, number: int) -> None:
        candidates = [*self._front, number]
        stays = dominated_by_none(points_of(self._objective, [self._told[k] for k in candidates]))
        self._front = [candidates[k] for k in np.flatnonzero(stays)]


def survivors(objective: Objective, trials: Sequence[Trial], most: int) -> list[Trial]:
    """Return the best trials from the best on, at most so many, and of each architecture the first.

    By fronts, then by crowding distance within the front, then in the order given.
    """
    firsts: dict[Arch, Trial] = {}
    for trial in trials:
        firsts.setdefault(trial.arch, trial)
    once = list(firsts.values())
    points = points_of(objective, once)
    fronts = front_numbers(points)
    crowding = np.zeros(len(once))
    for front in np.unique(fronts):
        members = np.flatnonzero(fronts == front)
        if np.isfinite(points[members]).all():
            crowding[members] = crowding_distances(points[members])
    return [once[k] for k in np.lexsort((-crowding, fronts))[:most]]
