"""What each sampler draws, how often, and where it cannot."""

from __future__ import annotations

import itertools
import json
import pickle
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from lnas.errors import UsageError
from lnas.spaces import (
    DartsSpace,
    NasBench1Shot1Space,
    NatsTopologySpace,
    NdsResNetSpace,
    NdsResNeXtASpace,
    SearchSpace,
)
from lnas.training import DeisoPaths, FairPaths, ListedPaths, PathSampler, UniformPaths
from lnas.types import Arch, Region, describe

SPACE = NatsTopologySpace()
SPACES: list[SearchSpace] = [
    SPACE,
    NasBench1Shot1Space(1),
    NasBench1Shot1Space(3),
    DartsSpace(),
    NdsResNetSpace(),
    NdsResNeXtASpace(),
]
SKIP_OR_CONV = Region(SPACE.name, ((1, 3),) * 6)
NO_CONVOLUTION = Region(SPACE.name, ((0, 1, 4),) * 6)
SAMPLERS = [UniformPaths(), DeisoPaths(), FairPaths(), ListedPaths([Arch(SPACE.name, (3, 1, 2, 0, 4, 3))])]
each_sampler = pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: type(sampler).__name__)
by_seed = given(st.integers(0, 10**6))
quickly = settings(deadline=None, max_examples=20)


def draws(sampler: PathSampler, count: int, region: Region = SPACE.region) -> Iterator[Arch]:
    rng = np.random.default_rng(5)
    return itertools.islice(
        itertools.chain.from_iterable(sampler.draw(SPACE, region, rng) for _ in itertools.count()), count
    )


def trainable_in(region: Region) -> list[Arch]:
    archs = (Arch(SPACE.name, genes) for genes in itertools.product(*region.choices))
    return [arch for arch in archs if SPACE.is_valid(arch)]


def assert_equally_often(drawn: Counter[Arch], known: set[Arch]) -> None:
    assert set(drawn) <= known
    assert chisquare([drawn[arch] for arch in known]).pvalue > 0.01


@each_sampler
def test_it_can_be_sent_and_described(sampler: PathSampler) -> None:
    assert pickle.loads(pickle.dumps(sampler)) == sampler
    assert type(sampler).__name__ in json.dumps(describe(sampler))
    assert "0x" not in json.dumps(describe(sampler))


@each_sampler
def test_equal_generators_draw_the_same(sampler: PathSampler) -> None:
    sampler.check(SPACE, SPACE.region)
    assert list(draws(sampler, 20)) == list(draws(sampler, 20))


@pytest.mark.parametrize("space", SPACES, ids=lambda space: space.name)
@pytest.mark.parametrize("sampler", [UniformPaths(), DeisoPaths()], ids=lambda sampler: type(sampler).__name__)
def test_every_space_is_served(space: SearchSpace, sampler: PathSampler) -> None:
    sampler.check(space, space.region)
    rng = np.random.default_rng(0)
    drawn = [arch for _ in range(10) for arch in sampler.draw(space, space.region, rng)]
    assert len(set(drawn)) > 5
    for arch in drawn:
        space.validate(arch)


def test_uniform_paths_are_the_trainable_archs_of_a_region_equally_often() -> None:
    region = Region(SPACE.name, ((0, 3),) * 4 + ((1,), (0,)))
    known = trainable_in(region)
    assert 0 < len(known) < 16
    assert_equally_often(Counter(draws(UniformPaths(within=region), 2000)), set(known))
    assert list(draws(UniformPaths(), 50, region)) == list(draws(UniformPaths(within=region), 50))


def test_uniform_paths_reject_what_has_no_convolution_on_a_path() -> None:
    drawn = list(draws(UniformPaths(), 500))
    assert all(SPACE.is_valid(arch) for arch in drawn)
    assert {gene for arch in drawn for gene in arch.genes} == set(range(5))


def test_deiso_paths_are_the_classes_equally_often() -> None:
    """By the size of the classes: uniform architectures would favour the large ones."""
    sizes = Counter(SPACE.canonical(arch) for arch in SPACE.archs() if SPACE.is_valid(arch))
    assert len(sizes) == 6321  # of 6,466, as published for the valid ones
    classes_of_size = Counter(sizes.values())
    drawn = Counter(sizes[arch] for arch in draws(DeisoPaths(), 3000))
    common = [size for size, count in classes_of_size.items() if count > 50]
    observed = [drawn[size] for size in common] + [sum(drawn[size] for size in drawn if size not in common)]
    expected = [classes_of_size[size] for size in common]
    expected.append(len(sizes) - sum(expected))
    assert chisquare(observed, np.array(expected) * 3000 / len(sizes)).pvalue > 0.01


def test_deiso_paths_of_a_part_are_one_member_of_each_of_its_classes() -> None:
    members = trainable_in(SKIP_OR_CONV)
    first = {SPACE.canonical(arch): arch for arch in reversed(members)}
    assert 1 < len(first) < len(members)
    assert_equally_often(Counter(draws(DeisoPaths(within=SKIP_OR_CONV), 2000)), set(first.values()))
    assert list(draws(DeisoPaths(), 9, SKIP_OR_CONV)) == list(draws(DeisoPaths(SKIP_OR_CONV), 9))


def test_deiso_paths_of_a_part_without_twins_are_uniform() -> None:
    space = NdsResNetSpace()
    region = Region(space.name, ((0, 1),) * 6)
    DeisoPaths(within=region).check(space, space.region)
    (drawn,) = DeisoPaths(within=region).draw(space, space.region, np.random.default_rng(1))
    assert drawn in region


@quickly
@by_seed
def test_a_fair_round_has_each_choice_of_an_edge_once(seed: int) -> None:
    region = Region(SPACE.name, ((2, 3), (2, 3, 4), (0, 1, 2, 3, 4), (1, 3), (0,), (2, 3)))
    drawn = FairPaths(within=region).draw(SPACE, SPACE.region, np.random.default_rng(seed))
    assert 0 < len(drawn) <= 5
    assert all(SPACE.is_valid(arch) for arch in drawn)
    assert len({arch.genes[2] for arch in drawn}) == len(drawn)


@quickly
@by_seed
def test_a_fair_round_is_whole_where_all_paths_train(seed: int) -> None:
    space = NasBench1Shot1Space(3)
    drawn = FairPaths().draw(space, space.region, np.random.default_rng(seed))
    assert len(drawn) == max(map(len, space.region.choices))
    for decision, allowed in enumerate(space.region.choices):
        times = Counter(arch.genes[decision] for arch in drawn)
        assert set(times) == set(allowed)
        assert max(times.values()) - min(times.values()) <= 1


def test_fair_rounds_permute_each_decision_by_itself() -> None:
    pairs = Counter((arch.genes[0], arch.genes[1]) for arch in draws(FairPaths(SKIP_OR_CONV), 400))
    assert chisquare([pairs[pair] for pair in itertools.product((1, 3), repeat=2)]).pvalue > 0.01


def test_a_round_of_which_nothing_trains_is_drawn_again() -> None:
    only_one = Region(SPACE.name, ((0, 3),) + ((0,),) * 2 + ((0,),) + ((0, 1),) + ((0,),))
    assert {arch.genes for arch in draws(FairPaths(only_one), 10)} == {(3, 0, 0, 0, 1, 0)}


def test_listed_paths_are_those_of_the_list_equally_often() -> None:
    archs = [Arch(SPACE.name, (3, 1, 2, 0, 4, gene)) for gene in range(5)] + [Arch(SPACE.name, (0,) * 6)]
    sampler = ListedPaths(archs)
    sampler.check(SPACE, SPACE.region)
    assert_equally_often(Counter(draws(sampler, 1000)), set(archs))


@pytest.mark.parametrize(
    ("sampler", "space", "region", "message"),
    [
        (UniformPaths(within=NO_CONVOLUTION), SPACE, SPACE.region, "Allow a convolution"),
        (FairPaths(), SPACE, NO_CONVOLUTION, "Allow a convolution"),
        (UniformPaths(within=SPACE.region), SPACE, SKIP_OR_CONV, r"UniformPaths\(within=...\): expected a part of"),
        (DeisoPaths(within=NdsResNetSpace().region), SPACE, SPACE.region, "got 'nds_resnet:"),
        (FairPaths(), DartsSpace(), DartsSpace().region, "whose decisions are independent, got 'darts'"),
        (DeisoPaths(), DartsSpace(), DartsSpace().region.without(0, 1), "at most 1,000,000 combinations"),
        (ListedPaths([Arch(SPACE.name, (0,) * 6)]), SPACE, SKIP_OR_CONV, "got 'nats_topology:0-0-0-0-0-0'"),
        (ListedPaths([Arch(SPACE.name, (0,) * 5)]), SPACE, SPACE.region, "6 genes"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    sampler: PathSampler, space: SearchSpace, region: Region, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        sampler.check(space, region)


def test_an_empty_list_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one architecture"):
        ListedPaths([])
