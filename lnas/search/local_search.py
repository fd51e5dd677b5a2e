"""Local search: from neighbor to better neighbor, and from a new start where none is better."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

from lnas.errors import UsageError, unknown_name
from lnas.search.base import SeededStrategy, require_askable
from lnas.search.incumbent import Incumbent
from lnas.search.objective import Objective
from lnas.search.unseen import draw_unseen, itself
from lnas.spaces import SearchSpace
from lnas.types import Arch, Trial

Step = Literal["best neighbor", "first better neighbor"]


class LocalSearch(SeededStrategy):
    """Measure the neighbors of an architecture and go to a better one; where there is none, begin elsewhere.

    No architecture is proposed twice. Where more are asked for than there are neighbors to measure, the next starts are
    proposed ahead.

    Args:
        space: Where to search.
        seed: Decides the starts, and the order of neighbors.
        objective: What is made as good as it can. Of a sum, the ranks are among an architecture and its neighbors.
        step: Whether all neighbors are measured before the best of them is gone to, or the first that is better is.

    Raises:
        UsageError: If the step is neither.

    Source: White et al. 2020, "Local Search is State of the Art for Neural Architecture Search Benchmarks", Algorithm 1
    ("best neighbor"), and its variant that does not wait.
    """

    def __init__(self, space: SearchSpace, seed: int, objective: Objective, step: Step = "best neighbor") -> None:
        if step not in get_args(Step):
            raise UsageError(f"LocalSearch(step={step!r}): {unknown_name('step', str(step), get_args(Step))}")
        super().__init__("LocalSearch", seed)
        self._space = space
        self._seed = seed
        self._objective = objective
        self._step: Step = step
        self._proposed: set[Arch] = set()
        self._to_propose: deque[Arch] = deque()
        self._told: dict[Arch, Trial] = {}
        self._incumbent = Incumbent(objective)
        self._here: Trial | None = None
        self._around: list[Arch] = []
        self._starts = 0

    @property
    def ahead(self) -> int:
        """The neighbors that all are measured before one of them is gone to."""
        return len(self._to_propose) if self._step == "best neighbor" else 0

    @property
    def limit(self) -> int:
        return self._space.size

    @property
    def state(self) -> Mapping[str, float]:
        return {"starts": float(self._starts)}

    @property
    def settings(self) -> Mapping[str, Any]:
        objective = self._objective.settings
        return {"strategy": "LocalSearch", "seed": self._seed, "objective": objective, "step": self._step}

    def ask(self, n: int) -> list[Arch]:
        require_askable("LocalSearch", n, self.limit - len(self._proposed))
        return [self._proposal() for _ in range(n)]

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            self._told[trial.arch] = trial
            self._incumbent.add(trial)
            if self._here is None:
                self._go_to(trial)
            self._move_on()

    def answer(self) -> Arch:
        return self._incumbent.answer("LocalSearch")

    def reseed(self, seed: int) -> None:
        super().reseed(seed)
        self._to_propose = deque(self._shuffled(list(self._to_propose)))

    def _proposal(self) -> Arch:
        if not self._to_propose:
            return draw_unseen(self._space, self._rng, self._proposed, itself, "LocalSearch.ask")
        arch = self._to_propose.popleft()
        self._proposed.add(arch)
        return arch

    def _move_on(self) -> None:
        """Go on as far as what was told allows."""
        while self._here is not None and (known := self._measured_around()) is not None:
            better = self._better(self._here, known)
            if better is not None:
                self._go_to(better)
            elif len(known) == len(self._around):
                self._begin_elsewhere()
            else:
                return

    def _measured_around(self) -> list[Trial] | None:
        """Return the neighbors that were told; None where one has to wait for the rest."""
        known = [self._told[arch] for arch in self._around if arch in self._told]
        waits = self._step == "best neighbor" and len(known) < len(self._around)
        return None if waits else known

    def _better(self, here: Trial, known: Sequence[Trial]) -> Trial | None:
        costs = self._objective.costs([here, *known])
        best = int(costs.argmin())
        return known[best - 1] if costs[best] < costs[0] else None

    def _go_to(self, trial: Trial) -> None:
        self._here = trial
        self._around = self._shuffled(list(self._space.neighbors(trial.arch)))
        self._to_propose = deque(arch for arch in self._around if arch not in self._proposed)

    def _shuffled(self, archs: Sequence[Arch]) -> list[Arch]:
        return [archs[k] for k in self._rng.permutation(len(archs))]

    def _begin_elsewhere(self) -> None:
        self._starts += 1
        self._here, self._around, self._to_propose = None, [], deque()
