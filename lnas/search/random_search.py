"""Random search without replacement."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from lnas.errors import UsageError, complaint
from lnas.search.base import SeededStrategy
from lnas.search.incumbent import Incumbent
from lnas.search.objective import Objective
from lnas.search.unseen import draw_unseen, itself
from lnas.spaces import SearchSpace
from lnas.types import Arch, Trial


class RandomSearch(SeededStrategy):
    """Draw architectures uniformly, each at most once.

    Args:
        space: Where to draw from.
        seed: Decides the sequence; the first n do not depend on how many are asked at a time.
        objective: What the answer is best by; without one there is no answer.
        distinct: "isomorphic" also skips the isomorphic twins of what was drawn before; "arch" only repeats.

    Source: the sampler of Algorithm 1 in Yang et al., "Revisiting Training-free NAS Metrics". There twins may recur.

    Example:
        >>> from lnas.spaces import NatsTopologySpace
        >>> first, second = RandomSearch(NatsTopologySpace(), seed=0).ask(2)
        >>> [first] == RandomSearch(NatsTopologySpace(), seed=0).ask(1)
        True
    """

    def __init__(
        self,
        space: SearchSpace,
        seed: int = 0,
        objective: Objective | None = None,
        distinct: Literal["isomorphic", "arch"] = "isomorphic",
    ) -> None:
        super().__init__("RandomSearch", seed)
        self._space = space
        self._seed = seed
        self._objective = objective
        self._distinct: Literal["isomorphic", "arch"] = distinct
        self._seen: set[Arch] = set()
        self._incumbent = Incumbent(objective) if objective else None

    @property
    def learns(self) -> bool:
        return False

    @property
    def ahead(self) -> int:
        return self.limit - len(self._seen)

    @property
    def limit(self) -> int:
        return self._space.class_count if self._distinct == "isomorphic" else self._space.size

    @property
    def settings(self) -> Mapping[str, Any]:
        of_answer = {"objective": self._objective.settings} if self._objective else {}
        return {"strategy": "RandomSearch", "seed": self._seed, "distinct": self._distinct, **of_answer}

    def ask(self, n: int) -> list[Arch]:
        left = self.limit - len(self._seen)
        if not 1 <= n <= left:
            kind = "distinct up to isomorphism" if self._distinct == "isomorphic" else "distinct"
            raise UsageError(
                complaint(
                    f"RandomSearch.ask(n={n})",
                    f"1 <= n <= {left} ({self._space.name} has {self.limit} architectures {kind})",
                    n,
                    "Ask for fewer.",
                )
            )
        return [self._draw() for _ in range(n)]

    def tell(self, trials: Sequence[Trial]) -> None:
        if self._incumbent:
            for trial in trials:
                self._incumbent.add(trial)

    def answer(self) -> Arch:
        return self._incumbent.answer("RandomSearch") if self._incumbent else super().answer()

    def _draw(self) -> Arch:
        key = self._space.canonical if self._distinct == "isomorphic" else itself
        return draw_unseen(self._space, self._rng, self._seen, key, "RandomSearch.ask")
