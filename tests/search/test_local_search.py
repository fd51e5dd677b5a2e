from __future__ import annotations

import pytest

from lnas.errors import UsageError
from lnas.search import LocalSearch, Objective
from lnas.spaces import NatsTopologySpace
from lnas.testing import TinySpace
from lnas.types import Arch, Estimate, Trial

SPACE = NatsTopologySpace()
THREES = Objective("threes", {"threes": True})


def trial(arch: Arch) -> Trial:
    return Trial(arch, {"threes": Estimate(float(arch.genes.count(3)))})


def searched(strategy: LocalSearch, count: int) -> list[Arch]:
    archs = []
    for _ in range(count):
        archs += strategy.ask(1)
        strategy.tell([trial(archs[-1])])
    return archs


def test_all_neighbors_are_measured_before_it_goes_to_the_best() -> None:
    archs = searched(LocalSearch(SPACE, 0, THREES), 60)
    start, around = archs[0], archs[1:25]
    assert set(around) == set(SPACE.neighbors(start))
    best = max(trial(arch).estimates["threes"].value for arch in around)
    centres = [arch for arch in around if trial(arch).estimates["threes"].value == best]
    assert any(set(archs[25:45]) <= set(SPACE.neighbors(centre)) for centre in centres)


def test_the_first_better_neighbor_is_gone_to_at_once() -> None:
    archs = searched(LocalSearch(SPACE, 0, THREES, "first better neighbor"), 60)
    here = archs[0]
    for arch in archs[1:]:
        if arch.genes.count(3) == 6:
            break
        assert SPACE.distance(arch, here) == 1
        here = arch if arch.genes.count(3) > here.genes.count(3) else here


def test_it_climbs_to_the_top_and_begins_elsewhere() -> None:
    strategy = LocalSearch(SPACE, 1, THREES)
    archs = searched(strategy, 400)
    assert strategy.answer().genes == (3,) * 6
    assert strategy.state["starts"] >= 1
    assert len(set(archs)) == 400


def test_a_start_without_a_number_is_left_for_any_neighbor_with_one() -> None:
    strategy = LocalSearch(TinySpace(), 0, THREES)
    (start,) = strategy.ask(1)
    strategy.tell([Trial(start, {"threes": Estimate.failure(ValueError("why"))})])
    around = strategy.ask(3)
    strategy.tell([trial(arch) for arch in around])
    assert strategy.answer() in around


def test_neighbors_that_were_seen_are_not_measured_again() -> None:
    assert len(set(searched(LocalSearch(TinySpace(), 0, THREES), 8))) == 8


def test_a_branch_measures_what_is_left_around_in_another_order() -> None:
    def branched(seed: int) -> list[Arch]:
        strategy = LocalSearch(SPACE, 0, THREES)
        first = searched(strategy, 5)
        strategy.reseed(seed)
        return first + searched(strategy, 20)

    plain, one, other = searched(LocalSearch(SPACE, 0, THREES), 25), branched(1), branched(2)
    assert plain[:5] == one[:5] == other[:5]
    assert len({tuple(archs) for archs in (plain, one, other)}) == 3
    assert set(plain) == set(one) == set(other)


def test_an_unknown_step_is_refused() -> None:
    with pytest.raises(UsageError, match=r"unknown step 'best'\. Known: best neighbor, first better neighbor"):
        LocalSearch(SPACE, 0, THREES, "best")  # type: ignore[arg-type]
