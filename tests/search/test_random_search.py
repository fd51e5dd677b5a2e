from __future__ import annotations

import collections

import pytest

from lnas.errors import UsageError
from lnas.search import RandomSearch
from lnas.spaces import NatsTopologySpace
from lnas.testing import TinySpace
from lnas.types import Arch, Estimate, Trial

MODES = ("isomorphic", "arch")


class SortedTinySpace(TinySpace):
    """Architectures with the same number of ones are twins: eight in four classes."""

    @property
    def class_count(self) -> int:
        return 4

    def canonical(self, arch: Arch) -> Arch:
        return Arch(arch.space, tuple(sorted(arch.genes)))


@pytest.mark.parametrize(("distinct", "limit"), [("isomorphic", 6466), ("arch", 15_625)])
def test_limit_is_what_can_be_told_apart(distinct, limit):
    assert RandomSearch(NatsTopologySpace(), distinct=distinct).limit == limit


@pytest.mark.parametrize("seed", range(5))
def test_every_architecture_comes_once(seed):
    archs = RandomSearch(SortedTinySpace(), seed, distinct="arch").ask(8)
    assert len(set(archs)) == 8


@pytest.mark.parametrize("seed", range(5))
def test_every_class_comes_once(seed):
    space = SortedTinySpace()
    archs = RandomSearch(space, seed).ask(4)
    assert len({space.canonical(arch) for arch in archs}) == 4


def test_twins_are_proposed_as_drawn_and_not_as_their_representative():
    space = SortedTinySpace()
    first = {RandomSearch(space, seed).ask(1)[0] for seed in range(60)}
    assert len(first) == 8


@pytest.mark.parametrize("distinct", MODES)
def test_first_proposals_are_uniform_over_seeds(distinct):
    counts = collections.Counter(RandomSearch(TinySpace(), seed, distinct=distinct).ask(1)[0] for seed in range(800))
    assert len(counts) == 8
    assert 65 < min(counts.values()) <= max(counts.values()) < 135


def test_seeds_give_different_sequences():
    assert len({tuple(RandomSearch(NatsTopologySpace(), seed).ask(3)) for seed in range(20)}) == 20


def test_what_was_measured_changes_nothing():
    told, untold = RandomSearch(TinySpace(), 1), RandomSearch(TinySpace(), 1)
    told.tell([Trial(arch, {"value": Estimate.of(1.0)}) for arch in told.ask(3)])
    untold.ask(3)
    assert told.ask(5) == untold.ask(5)


def test_a_branch_draws_otherwise_and_still_nothing_twice():
    def branched(seed):
        strategy = RandomSearch(TinySpace(), 1)
        first = strategy.ask(4)
        strategy.reseed(seed)
        return first + strategy.ask(4)

    branches = {tuple(branched(seed)) for seed in range(8)}
    assert {branch[:4] for branch in branches} == {tuple(RandomSearch(TinySpace(), 1).ask(4))}
    assert len(branches) > 4
    assert all(len(set(branch)) == 8 for branch in branches)
    assert branched(1) != RandomSearch(TinySpace(), 1).ask(8)


@pytest.mark.parametrize("distinct", MODES)
def test_settings_name_the_strategy_and_its_arguments(distinct):
    settings = RandomSearch(TinySpace(), 3, distinct=distinct).settings
    assert settings == {"strategy": "RandomSearch", "seed": 3, "distinct": distinct}


def test_isomorphism_is_the_default():
    assert RandomSearch(TinySpace()).settings == {"strategy": "RandomSearch", "seed": 0, "distinct": "isomorphic"}


@pytest.mark.parametrize(
    ("distinct", "asked", "n", "complaint"),
    [
        ("arch", 0, 9, "expected 1 <= n <= 8 (tiny has 8 architectures distinct), got 9"),
        ("arch", 3, 6, "RandomSearch.ask(n=6): expected 1 <= n <= 5 (tiny has 8"),
        ("arch", 0, 0, "1 <= n <= 8 (tiny has 8 architectures distinct), got 0"),
        ("isomorphic", 0, 5, "1 <= n <= 4 (tiny has 4 architectures distinct up to isomorphism), got 5"),
        ("isomorphic", 4, 1, "1 <= n <= 0 (tiny has 4 architectures distinct up to isomorphism), got 1"),
        ("isomorphic", 0, -1, "got -1. Ask for fewer."),
    ],
)
def test_the_refusal_says_how_many_are_left(distinct, asked, n, complaint):
    strategy = RandomSearch(SortedTinySpace(), 0, distinct=distinct)
    for _ in range(asked):
        strategy.ask(1)
    with pytest.raises(UsageError) as caught:
        strategy.ask(n)
    assert complaint in str(caught.value)


def test_a_space_that_promises_too_many_is_reported():
    class Boastful(TinySpace):
        @property
        def class_count(self) -> int:
            return 9

    with pytest.raises(UsageError, match=r"expected an unseen architecture, got 8\. The space is exhausted"):
        RandomSearch(Boastful()).ask(9)
