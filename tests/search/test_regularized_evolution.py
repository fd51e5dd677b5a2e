from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lnas.errors import RunError, UsageError
from lnas.search import Objective, RandomSearch, RegularizedEvolution, Strategy
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch, Estimate, Trial

SPACE = NatsTopologySpace()
CONVOLUTIONS = Objective("convolutions", {"convolutions": True})


def trials(archs: Sequence[Arch]) -> list[Trial]:
    return [Trial(arch, {"convolutions": Estimate(arch.genes.count(3) + 0.1 * arch.genes.count(2))}) for arch in archs]


def searched(strategy: Strategy, count: int) -> list[Arch]:
    archs = []
    for _ in range(count):
        archs += strategy.ask(1)
        strategy.tell(trials(archs[-1:]))
    return archs


def test_children_are_one_mutation_from_a_living_member() -> None:
    archs = searched(RegularizedEvolution(SPACE, 0, CONVOLUTIONS, population=10, sample=3), 60)
    for number in range(10, 60):
        living = archs[number - 10 : number]
        assert any(SPACE.distance(archs[number], member) == 1 for member in living)


def test_a_sample_of_all_breeds_from_the_best_living_member() -> None:
    strategy = RegularizedEvolution(SPACE, 0, CONVOLUTIONS, population=8, sample=8, replacement="without")
    archs = searched(strategy, 40)
    for number in range(8, 40):
        living = archs[number - 8 : number]
        costs = CONVOLUTIONS.costs(trials(living))
        best = [arch for arch, cost in zip(living, costs, strict=True) if cost == costs.min()]
        assert any(SPACE.distance(archs[number], parent) == 1 for parent in best)


def test_it_finds_what_random_search_does_not() -> None:
    def best(strategy: Strategy) -> float:
        return max(trial.estimates["convolutions"].value for trial in trials(searched(strategy, 200)))

    evolved = [best(RegularizedEvolution(SPACE, seed, CONVOLUTIONS, population=20, sample=10)) for seed in range(8)]
    drawn = [best(RandomSearch(SPACE, seed, distinct="arch")) for seed in range(8)]
    assert evolved == [6.0] * 8
    assert sum(drawn) / 8 < 5


def test_what_is_not_counted_is_not_the_answer() -> None:
    counted = RegularizedEvolution(SPACE, 0, CONVOLUTIONS, population=200, sample=1, counted="children")
    assert (counted.free, counted.fewest) == (200, 1)
    first = counted.ask(200)
    counted.tell(trials(first))
    with pytest.raises(RunError, match=r"expected a trial with convolutions, got '0 without'"):
        counted.answer()
    (child,) = counted.ask(1)
    counted.tell(trials([child]))
    assert counted.answer() == child
    everything = RegularizedEvolution(SPACE, 0, CONVOLUTIONS, population=200, sample=1)
    assert (everything.free, everything.fewest, everything.ask(200)) == (0, 201, first)
    everything.tell(trials(first))
    assert everything.answer() == first[CONVOLUTIONS.best(trials(first))]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population": 0}, r"population >= 1, got 0"),
        ({"sample": 0}, r"sample >= 1, got 0"),
        ({"population": 4, "sample": 5, "replacement": "without"}, r"sample <= 4, the population, got 5"),
        ({"replacement": "witout"}, r"Did you mean 'without'\?"),
        ({"counted": "childs"}, r"unknown counted 'childs'"),
    ],
)
def test_what_cannot_be_is_refused_at_construction(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        RegularizedEvolution(SPACE, 0, CONVOLUTIONS, **options)
