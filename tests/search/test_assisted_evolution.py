from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lnas.errors import RunError, UsageError
from lnas.search import AssistedEvolution, Objective, RegularizedEvolution, Strategy
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch, Estimate, Trial

SPACE = NatsTopologySpace()
THREES = Objective("threes", {"threes": True})
CHEAP = Objective("cheap", {"cheap": True})
SMALL = {"scouts": 30, "population": 5, "sample": 3}


def threes(arch: Arch) -> float:
    return arch.genes.count(3) + 0.1 * arch.genes.count(2)


def searched(
    strategy: Strategy, count: int, cheap: Callable[[Arch], float] = threes
) -> tuple[list[Arch], list[list[str]]]:
    """Return what was proposed, and what was wanted of each; nothing else is told."""
    archs, wanted = [], []
    for _ in range(count):
        wanted.append(list(strategy.wants))
        archs += strategy.ask(1)
        measured = {"threes": threes(archs[-1]), "cheap": cheap(archs[-1])}
        strategy.tell([Trial(archs[-1], {name: Estimate.of(measured[name]) for name in wanted[-1]})])
    return archs, wanted


def test_with_a_perfect_scout_the_first_population_is_the_best_of_the_scouted() -> None:
    archs, wanted = searched(AssistedEvolution(SPACE, 0, THREES, CHEAP, **SMALL), 35)
    assert archs[30:] == sorted(archs[:30], key=threes, reverse=True)[:5]
    assert wanted == [["cheap"]] * 30 + [["threes"]] * 5


def test_a_scout_by_a_sum_ranks_among_all_that_was_scouted() -> None:
    both = Objective("cheap+threes", {"cheap": False, "threes": True})
    archs, wanted = searched(AssistedEvolution(SPACE, 0, THREES, both, **SMALL), 35, lambda arch: arch.genes.count(0))
    trials = [
        Trial(arch, {"cheap": Estimate(float(arch.genes.count(0))), "threes": Estimate(threes(arch))})
        for arch in archs[:30]
    ]
    costs = both.costs(trials)
    assert archs[30:] == [archs[k] for k in sorted(range(30), key=lambda k: (costs[k], k))[:5]]
    assert wanted[0] == ["cheap", "threes"]


def test_then_children_are_one_mutation_from_a_living_member() -> None:
    archs, wanted = searched(AssistedEvolution(SPACE, 1, THREES, CHEAP, **SMALL), 80)
    measured = archs[30:]
    for number in range(5, 50):
        assert any(SPACE.distance(measured[number], member) == 1 for member in measured[number - 5 : number])
    assert wanted[30:] == [["threes"]] * 50


def test_what_was_scouted_is_not_counted_and_not_the_answer() -> None:
    strategy = AssistedEvolution(SPACE, 0, THREES, CHEAP, **SMALL)
    assert strategy.free == 30
    searched(strategy, 30)
    assert strategy.state["scouting"] == 0
    with pytest.raises(RunError, match=r"AssistedEvolution\.answer\(\): expected a trial with threes, got '0 without'"):
        strategy.answer()
    archs, _ = searched(strategy, 40)
    assert strategy.answer() == max(archs, key=threes)


def test_it_begins_better_than_evolution_that_is_not_assisted() -> None:
    def first_best(strategy: Strategy, free: int) -> float:
        archs = []
        for _ in range(free + 5):
            archs += strategy.ask(1)
            value = Estimate(threes(archs[-1]))
            strategy.tell([Trial(archs[-1], {"threes": value, "cheap": value})])
        return max(map(threes, archs[free:]))

    assisted = [first_best(AssistedEvolution(SPACE, seed, THREES, CHEAP, **SMALL), 30) for seed in range(8)]
    plain = [first_best(RegularizedEvolution(SPACE, seed, THREES, population=5, sample=3), 0) for seed in range(8)]
    assert sum(assisted) > sum(plain) + 4


def test_of_few_scouted_with_a_number_those_are_taken_and_the_population_fills_up() -> None:
    strategy = AssistedEvolution(SPACE, 0, THREES, CHEAP, **SMALL)
    archs, _ = searched(strategy, 60, lambda arch: threes(arch) if arch.genes.count(3) >= 3 else float("nan"))
    best = sorted((arch for arch in archs[:30] if arch.genes.count(3) >= 3), key=threes, reverse=True)
    assert 0 < len(best) < 5
    assert archs[30 : 30 + len(best)] == best
    assert any(SPACE.distance(archs[30 + len(best)], member) == 1 for member in best)


def test_where_nothing_scouted_has_a_number_evolution_begins_with_one_that_is_drawn() -> None:
    archs, _ = searched(AssistedEvolution(SPACE, 0, THREES, CHEAP, **SMALL), 33, lambda arch: float("nan"))
    assert SPACE.distance(archs[30], archs[31]) == 1
    assert len(set(archs[30:])) > 1


def test_what_was_scouted_is_told_before_the_best_of_it_is_asked_for() -> None:
    strategy = AssistedEvolution(SPACE, 0, THREES, CHEAP, **SMALL)
    with pytest.raises(UsageError, match=r"ask\(n=31\): expected 1 <= n <= 30, got 31\. Tell the rest of 30 scouted"):
        strategy.ask(31)
    archs = strategy.ask(30)
    with pytest.raises(UsageError, match=r"expected 1 <= n <= 0, got 1\."):
        strategy.ask(1)
    strategy.tell([Trial(arch, {"cheap": Estimate(threes(arch))}) for arch in archs])
    assert len(strategy.ask(7)) == 7


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scouts": 9}, r"AssistedEvolution\(scouts=9\): expected scouts >= 10, the population, got 9"),
        ({"population": 0}, r"population >= 1, got 0"),
        ({"sample": 11}, r"sample <= 10, the population, got 11"),
        ({"replacement": "witout"}, r"Did you mean 'without'\?"),
    ],
)
def test_what_cannot_be_is_refused_at_construction(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        AssistedEvolution(SPACE, 0, THREES, CHEAP, **options)
