"""A population that forgets its oldest members, and the tournaments held in it."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from lnas.errors import UsageError, complaint, unknown_name
from lnas.search.base import require_positive
from lnas.search.objective import Objective
from lnas.spaces import SearchSpace
from lnas.types import Arch, Trial

Replacement = Literal["with", "without"]


class AgeingPopulation:
    """The last so many trials that were told, and what is proposed for it.

    Args:
        size: How many.
        sample: Members drawn for each tournament.
        replacement: Whether one may be drawn twice.
        objective: By which members are compared.
        call: The strategy, for messages.

    Raises:
        UsageError: If a number is below 1, replacement is neither, or a sample without is larger than the population.
    """

    def __init__(self, size: int, sample: int, replacement: Replacement, objective: Objective, call: str) -> None:
        require_positive(call, population=size, sample=sample)
        if replacement not in get_args(Replacement):
            unknown = unknown_name("replacement", str(replacement), get_args(Replacement))
            raise UsageError(f"{call}(replacement={replacement!r}): {unknown}")
        if replacement == "without" and sample > size:
            expected = f"sample <= {size}, the population"
            raise UsageError(complaint(f"{call}(sample={sample})", expected, sample, "Lower it."))
        self.size = size
        self._sample = sample
        self._replacement: Replacement = replacement
        self._objective = objective
        self._members: deque[Trial] = deque(maxlen=size)
        self._costs: deque[float] = deque(maxlen=size)
        self._proposed = 0

    @property
    def founders_left(self) -> int:
        """How many are still to be drawn from the space."""
        return max(0, self.size - self._proposed)

    def __len__(self) -> int:
        return len(self._members)

    @property
    def members(self) -> list[Trial]:
        """From the oldest to the youngest."""
        return list(self._members)

    def add(self, trial: Trial) -> None:
        """Take a member in; where the population is full, the oldest leaves."""
        self._members.append(trial)
        if self._objective.is_absolute:
            self._costs.append(self._objective.cost(trial))

    def proposal(self, space: SearchSpace, rng: np.random.Generator) -> Arch:
        """Draw from the space until the population is proposed, then mutate the winners of tournaments."""
        self._proposed += 1
        return space.sample(rng) if self._proposed <= self.size else self.child(space, rng)

    def child(self, space: SearchSpace, rng: np.random.Generator) -> Arch:
        """Mutate the winner of a tournament; where there is no member, draw from the space."""
        return space.mutate(self.winner(rng), rng) if self._members else space.sample(rng)

    def winner(self, rng: np.random.Generator) -> Arch:
        """Draw a sample of the members and return its best, the first drawn of equals.

        Sums of ranks are of the ranks within the sample. Without replacement no more are drawn than there are.
        """
        count = len(self._members)
        with_replacement = self._replacement == "with"
        drawn = rng.integers(count, size=self._sample) if with_replacement else rng.permutation(count)[: self._sample]
        return self._members[min(drawn, key=dict(zip(drawn, self._costs_of(drawn), strict=True)).__getitem__)].arch

    def diversity(self) -> float:
        """Return in how many genes two members differ, the mean over all pairs; 0 where there is no pair."""
        return mean_difference([trial.arch for trial in self._members])

    def _costs_of(self, drawn: np.ndarray) -> Sequence[float]:
        if self._objective.is_absolute:
            return [self._costs[k] for k in drawn]
        return self._objective.costs([self._members[k] for k in drawn]).tolist()


def mean_difference(archs: Sequence[Arch]) -> float:
    """Return in how many genes two architectures differ, the mean over all pairs; 0 where there is no pair.

    Example:
        >>> mean_difference([Arch("tiny", (0, 0)), Arch("tiny", (0, 1)), Arch("tiny", (1, 1))])
        1.3333333333333333
    """
    pairs = len(archs) * (len(archs) - 1) // 2
    if not pairs:
        return 0.0
    alike = sum(
        count * (count - 1) // 2
        for genes in zip(*(arch.genes for arch in archs), strict=True)
        for count in Counter(genes).values()
    )
    return (pairs * len(archs[0].genes) - alike) / pairs
