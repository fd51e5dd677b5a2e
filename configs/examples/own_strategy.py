"""A search strategy of one's own: climb from the best so far. Nothing is registered anywhere."""

from lnas.search import Objective, SeededStrategy, require_askable
from lnas.spaces import SearchSpace


class HillClimbing(SeededStrategy):
    """Draw `start` architectures, then mutate the best of all that was told."""

    limit = 1_000_000

    def __init__(self, space: SearchSpace, seed: int, objective: Objective, start: int = 8) -> None:
        super().__init__("HillClimbing", seed)
        self._space, self._seed, self._objective, self._start = space, seed, objective, start
        self._told, self._asked = [], 0

    @property
    def settings(self):
        """What decides the proposals."""
        objective = self._objective.settings
        return {"strategy": "HillClimbing", "seed": self._seed, "objective": objective, "start": self._start}

    def ask(self, n):
        """Propose n architectures."""
        require_askable("HillClimbing", n, self.limit - self._asked)
        self._asked += n
        best = self._objective.best(self._told) if len(self._told) >= self._start else None
        draw = self._space.sample if best is None else lambda rng: self._space.mutate(self._told[best].arch, rng)
        return [draw(self._rng) for _ in range(n)]

    def tell(self, trials):
        """Remember what was measured."""
        self._told += trials
