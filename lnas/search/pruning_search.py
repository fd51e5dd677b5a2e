"""Pruning a supernet, operation by operation, until one architecture is left."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from lnas.errors import RunError, UsageError, complaint
from lnas.search.base import Strategy, require_askable
from lnas.search.objective import Objective
from lnas.spaces import DartsSpace, NatsTopologySpace, SearchSpace
from lnas.types import Arch, Region, Trial

_ABSENT = 0
_INPUTS_KEPT = 2


class Cut(NamedTuple):
    """A choice that a decision may lose, and what is left without it."""

    decision: int
    choice: int
    left: Region


class PruningSearch(Strategy):
    """Shrink the whole space, round by round, to what can be lost at the least cost.

    A round proposes every region that lacks one more choice of one decision than the present one, and is told what was
    measured of their supernets. Each decision then loses the choices without which the supernet is best by the
    objective, at most `per_round` of them and never its last. In DARTS' space, when every edge has one operation left,
    a last round does the same with whole edges, until each node has two inputs.

    `none` is never among the choices, nor an absent edge before the last round.

    Args:
        space: NATS topology or DARTS.
        seed: Decides nothing: the search draws nothing.
        objective: What supernets are compared by, such as `ntk_cond+linear_regions` (TE-NAS), TEG-NAS' three measures,
            or `angle+loss+params` (ST-NAS). Of a sum, ranks are among the regions of the round.
        per_round: Choices that each decision loses in a round.

    Raises:
        UsageError: If the space is neither, or `per_round` is below 1.

    Source: Chen et al. 2021 (TE-NAS), Algorithm 1, and its released `prune_tenas.py`, which prunes one operation per
    edge and round in NAS-Bench-201, three in DARTS on CIFAR-10, two on ImageNet; Yang et al. (ST-NAS), Tab. 6-8. There
    ranks are of the change of each measure against the present supernet, rounded to three digits; what the pruned
    supernets measure has the same ranks, unless changes are rounded or means of several.
    """

    def __init__(self, space: SearchSpace, seed: int, objective: Objective, per_round: int = 1) -> None:
        if not isinstance(space, NatsTopologySpace | DartsSpace):
            step = "Other strategies serve it."
            raise UsageError(complaint("PruningSearch(space=...)", "NatsTopologySpace or DartsSpace", space.name, step))
        if per_round < 1:
            raise UsageError(
                complaint(f"PruningSearch(per_round={per_round})", "per_round >= 1", per_round, "Raise it.")
            )
        self._objective = objective
        self._per_round = per_round
        self._settings = {
            "strategy": "PruningSearch",
            "space": space.name,
            "seed": seed,
            "objective": objective.settings,
            "per_round": per_round,
        }
        self._nodes = space.edges_by_node if isinstance(space, DartsSpace) else []
        # Gene 0 is `none` in the one space, an absent edge in the other.
        self._region = Region(space.name, tuple(tuple(c for c in own if c != _ABSENT) for own in space.region.choices))
        self._rounds: list[Region] = [self._region]
        self._asked_before = 0
        self._asked = 0
        self._told: list[Trial] = []
        self._cuts = list(self._possible_cuts())

    @property
    def proposes(self) -> Literal["regions"]:
        return "regions"

    @property
    def limit(self) -> int:
        """How many regions it has proposed, and can propose before it is told more."""
        return self._asked_before + len(self._cuts)

    @property
    def left(self) -> int:
        """How many regions of the round are still to be asked for."""
        return len(self._cuts) - self._asked

    @property
    def ahead(self) -> int:
        """The rest of the round."""
        return self.left

    @property
    def is_over(self) -> bool:
        return not self._cuts

    @property
    def rounds(self) -> Sequence[Region]:
        """What was left at first, and after each round."""
        return tuple(self._rounds)

    @property
    def state(self) -> Mapping[str, float]:
        return {"choices": float(sum(map(len, self._region.choices))), "rounds": float(len(self._rounds) - 1)}

    @property
    def settings(self) -> Mapping[str, Any]:
        return self._settings

    def ask(self, n: int) -> list[Region]:  # type: ignore[override]  # what it proposes are regions
        require_askable("PruningSearch", n, self.left)
        first = self._asked
        self._asked += n
        return [cut.left for cut in self._cuts[first : first + n]]

    def tell(self, trials: Sequence[Trial]) -> None:
        for trial in trials:
            self._told.append(trial)
            if len(self._told) == len(self._cuts):
                self._prune()

    def answer(self) -> Arch:
        if not self.is_over:
            left = sum(map(len, self._region.choices)) - len(self._region.choices)
            step = "Search on until `is_over`."
            raise RunError(complaint("PruningSearch.answer()", "one choice per decision", f"{left} too many", step))
        return Arch(self._region.space, tuple(allowed[0] for allowed in self._region.choices))

    def _prune(self) -> None:
        costs = self._objective.costs(self._told)
        if not np.isfinite(costs).any():
            call, expected = "a round of PruningSearch", f"a region with {self._objective.expression}"
            raise RunError(complaint(call, expected, f"{len(costs)} without", "Look at the first of them."))
        for k in list(self._lost(costs)):  # all are chosen before the region changes
            decision, choice, _ = self._cuts[k]
            allowed = self._region.choices[decision]
            kept = tuple(c for c in allowed if c != choice) if len(allowed) > 1 else (_ABSENT,)
            self._region = self._region.replaced(decision, kept)
        self._rounds.append(self._region)
        self._asked_before += self._asked
        self._asked, self._told = 0, []
        self._cuts = list(self._possible_cuts())

    def _lost(self, costs: np.ndarray) -> Iterator[int]:
        """Yield the cuts that are made: the cheapest of each group, as many as it may lose."""
        for group, most in self._groups():
            yield from sorted(group, key=lambda k: (costs[k], k))[:most]

    def _groups(self) -> Iterator[tuple[list[int], int]]:
        """Yield cuts, by number, of which a decision, or at last a node of DARTS, may make so many."""
        if self._prunes_operations:
            for decision, allowed in enumerate(self._region.choices):
                group = [k for k, cut in enumerate(self._cuts) if cut.decision == decision]
                yield group, min(self._per_round, len(allowed) - 1)
        else:
            for node in self._nodes:
                yield [k for k, cut in enumerate(self._cuts) if cut.decision in node], len(node) - _INPUTS_KEPT

    def _possible_cuts(self) -> Iterator[Cut]:
        if self._prunes_operations:
            for decision, allowed in enumerate(self._region.choices):
                for choice in allowed if len(allowed) > 1 else ():
                    yield Cut(decision, choice, self._region.without(decision, choice))
            return
        for node in self._nodes:
            present = [edge for edge in node if self._region.choices[edge] != (_ABSENT,)]
            for edge in present if len(present) > _INPUTS_KEPT else ():
                (operation,) = self._region.choices[edge]
                yield Cut(edge, operation, self._region.replaced(edge, (_ABSENT,)))

    @property
    def _prunes_operations(self) -> bool:
        return not self._region.is_single
