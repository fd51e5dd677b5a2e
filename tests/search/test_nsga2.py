from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from lnas.errors import RunError, UsageError
from lnas.search import NSGA2, Objective, RandomSearch, Strategy
from lnas.search.domination import dominated_by_none, points_of
from lnas.search.nsga2 import survivors
from lnas.spaces import DartsSpace, NasBench101Space, NatsTopologySpace, SearchSpace
from lnas.testing import TinySpace
from lnas.types import Arch, Estimate, Trial

SPACE = NatsTopologySpace()
BOTH = Objective("up+down", {"up": True, "down": False})


def trial(arch: Arch, up: float, down: float) -> Trial:
    return Trial(arch, {"up": Estimate.of(up), "down": Estimate.of(down)})


def opposed(arch: Arch) -> Trial:
    """Gene by gene, what is gained by the one costs by the other, and most of what costs gains nothing."""
    up = sum(min(gene, 3) * 2.0**k for k, gene in enumerate(arch.genes))
    down = sum(gene**2 * 2.0**k for k, gene in enumerate(arch.genes))
    return trial(arch, up, down)


def searched(strategy: Strategy, count: int, measured: Callable[[Arch], Trial] = opposed) -> list[Arch]:
    archs = []
    for _ in range(count):
        archs += strategy.ask(1)
        strategy.tell([measured(archs[-1])])
    return archs


def points(trials: Sequence[Trial]) -> set[tuple[float, ...]]:
    return {tuple(point) for point in points_of(BOTH, trials).tolist()}


def test_survivors_by_hand() -> None:
    """Fronts, then what is farthest from its neighbors; last what has no number."""
    costs = [(4, 4), (1, 6), (3, 3), (2, 5), (6, 1), (5, 5), (math.nan, 0)]
    trials = [trial(Arch("tiny", (k,)), -up, down) for k, (up, down) in enumerate(costs)]
    # front 0: 1, 4 (outermost), 2 at (6 - 2) / 5 + (5 - 1) / 5, 3 at (3 - 1) / 5 + (6 - 3) / 5; then 0; then 5
    assert [each.arch.genes[0] for each in survivors(BOTH, trials, 7)] == [1, 4, 2, 3, 0, 5, 6]
    assert [each.arch.genes[0] for each in survivors(BOTH, trials, 3)] == [1, 4, 2]


def test_an_architecture_survives_once_as_it_was_first_told() -> None:
    one, other = Arch("tiny", (1,)), Arch("tiny", (2,))
    trials = [trial(one, 1, 1), trial(other, 1, 1), trial(one, 5, 0)]
    assert survivors(BOTH, trials, 3) == trials[:2]


def test_a_generation_has_the_survivors_before_it_as_parents() -> None:
    strategy = NSGA2(SPACE, 0, BOTH, population=6, crossover=0)
    assert strategy.fewest == 7
    archs = searched(strategy, 36)
    parents: list[Trial] = []
    for start in range(0, 36, 6):
        generation = archs[start : start + 6]
        if parents:
            assert all(any(SPACE.distance(child, one.arch) == 1 for one in parents) for child in generation)
        parents = survivors(BOTH, parents + [opposed(arch) for arch in generation], 6)


def test_children_of_two_have_all_genes_but_one_from_their_parents() -> None:
    archs = searched(NSGA2(SPACE, 0, BOTH, population=6, crossover=1), 12)
    crossed = 0
    for child in archs[6:]:
        strange = [all(child.genes[k] != arch.genes[k] for arch in archs[:6]) for k in range(6)]
        assert sum(strange) <= 1
        crossed += all(SPACE.distance(child, arch) > 1 for arch in archs[:6])
    assert crossed >= 2


def test_generations_told_at_once_are_those_told_one_by_one() -> None:
    at_once = NSGA2(SPACE, 3, BOTH, population=5)
    archs = []
    for _ in range(5):
        archs += at_once.ask(5)
        at_once.tell([opposed(arch) for arch in archs[-5:]])
    assert archs == searched(NSGA2(SPACE, 3, BOTH, population=5), 25)


def test_it_finds_more_of_the_true_front_than_random_search() -> None:
    everything = [opposed(arch) for arch in SPACE.archs()]
    true = points([everything[k] for k in np.flatnonzero(dominated_by_none(points_of(BOTH, everything)))])

    def found(archs: Sequence[Arch]) -> int:
        return len(true & points([opposed(arch) for arch in archs]))

    evolved = [found(searched(NSGA2(SPACE, seed, BOTH, population=40), 800)) for seed in range(3)]
    drawn = [found(searched(RandomSearch(SPACE, seed, distinct="arch"), 800)) for seed in range(3)]
    assert min(evolved) > max(drawn)
    assert sum(evolved) > 3 * sum(drawn)


def test_it_finds_the_whole_front_of_a_tiny_space() -> None:
    def ones_against_weight(arch: Arch) -> Trial:
        return trial(arch, sum(arch.genes), sum(gene << k for k, gene in enumerate(arch.genes)))

    strategy = NSGA2(TinySpace(), 0, BOTH, population=4)
    searched(strategy, 60, ones_against_weight)
    assert sorted(each.arch.genes for each in strategy.front()) == [(0, 0, 0), (1, 0, 0), (1, 1, 0), (1, 1, 1)]
    assert strategy.state == {"front": 4}


def test_the_front_is_of_all_that_was_told_and_keeps_the_first_of_equals() -> None:
    strategy = NSGA2(SPACE, 0, BOTH, population=3)
    archs = strategy.ask(6)
    values = [(1, 1), (2, 2), (2, 2), (math.nan, 0), (3, 2), (0, 0)]
    told = [trial(arch, *each) for arch, each in zip(archs, values, strict=True)]
    strategy.tell(told)
    assert strategy.front() == [told[0], told[4], told[5]]


def test_the_answer_is_the_one_of_the_front_that_ranks_best_among_all() -> None:
    strategy = NSGA2(SPACE, 0, BOTH, population=10)
    archs = strategy.ask(6)
    # Among the three of the front all sums of ranks are equal; the rest lies between the second and the third.
    values = [(1, 1), (5, 5), (9, 9), (4, 5.5), (4, 6), (4, 7)]
    told = [trial(arch, *each) for arch, each in zip(archs, values, strict=True)]
    strategy.tell(told)
    assert strategy.front() == told[:3]
    assert strategy.answer() == archs[1]
    assert BOTH.best(told) == 1


def test_the_answer_is_on_the_front_even_where_a_vote_ties() -> None:
    voted = Objective("vote(up,down)", {"up": True, "down": False})
    strategy = NSGA2(SPACE, 0, voted, population=4)
    searched(strategy, 40)
    assert strategy.answer() in [each.arch for each in strategy.front()]


def test_without_any_number_there_is_no_answer() -> None:
    strategy = NSGA2(SPACE, 0, BOTH, population=4)
    searched(strategy, 9, lambda arch: trial(arch, math.nan, 1))
    assert strategy.front() == []
    with pytest.raises(RunError, match=r"NSGA2\.answer\(\): expected a trial with up\+down, got '9 without'"):
        strategy.answer()


@pytest.mark.parametrize("space", [DartsSpace(), NasBench101Space()])
def test_spaces_whose_decisions_depend_on_each_other_are_searched(space: SearchSpace) -> None:
    for arch in searched(NSGA2(space, 0, BOTH, population=4), 16):
        space.validate(arch)


@pytest.mark.parametrize(
    ("expression", "options", "message"),
    [
        ("up", {}, r"expected two or more measures, got 'up'\. RegularizedEvolution serves a single one"),
        ("up+down", {"population": 0}, r"population >= 1, got 0"),
        ("up+down", {"crossover": 1.5}, r"0 <= crossover <= 1, got 1\.5"),
    ],
)
def test_what_cannot_be_is_refused_at_construction(expression: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        NSGA2(SPACE, 0, Objective(expression, {"up": True, "down": False}), **options)
