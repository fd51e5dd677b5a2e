from __future__ import annotations

import itertools
import time

import numpy as np
import pytest

from lnas.analysis.operation_changes import Change, OperationChanges, operation_changes
from lnas.errors import UsageError
from lnas.spaces import (
    DartsSpace,
    Decision,
    NasBench1Shot1Space,
    NasBench101Space,
    NatsSizeSpace,
    NatsTopologySpace,
    NdsResNetSpace,
    ProductSpace,
    SearchSpace,
)
from lnas.testing.tiny import TinySpace
from lnas.types import Arch


def listed(found: OperationChanges) -> set[tuple[int, int, str, str]]:
    """Pairs with what changes, as a set; their number tells of repeats."""
    pairs = {
        (int(one), int(two), found.changes[k].source, found.changes[k].target)
        for one, two, k in zip(found.first, found.second, found.of_each, strict=True)
    }
    assert len(pairs) == len(found.first)
    return pairs


def by_brute_force(archs: list[Arch], space: SearchSpace) -> set[tuple[int, int, str, str]]:
    pairs = set()
    for (i, one), (j, two) in itertools.permutations(enumerate(archs), 2):
        differ = [k for k, (a, b) in enumerate(zip(one.genes, two.genes, strict=True)) if a != b]
        if len(differ) == 1 and one.genes[differ[0]] < two.genes[differ[0]]:
            (k,) = differ
            pairs.add((i, j, space.choice_name(k, one.genes[k]), space.choice_name(k, two.genes[k])))
    return pairs


def some(space: SearchSpace) -> list[Arch]:
    rng = np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(3)]
    near = [near for arch in drawn for near in itertools.islice(space.neighbors(arch), 0, None, 2)][:90]
    return list(dict.fromkeys([*near, *drawn]))


@pytest.mark.parametrize(
    "space",
    [NatsTopologySpace(), NatsSizeSpace(), DartsSpace(), NdsResNetSpace(), NasBench1Shot1Space(1), TinySpace()],
    ids=lambda space: space.name,
)
def test_the_pairs_are_those_that_comparing_all_finds(space: SearchSpace) -> None:
    archs = some(space)
    found = operation_changes(archs, space)
    assert found.archs == len(archs)
    assert listed(found) == by_brute_force(archs, space)


def test_all_cells_of_the_topology_space_in_well_under_two_seconds() -> None:
    space = NatsTopologySpace()
    archs = list(space.archs())
    start = time.process_time()
    found = operation_changes(archs, space)
    assert time.process_time() - start < 2
    assert len(found.first) == 15_625 * 6 * 4 // 2
    assert len(found.changes) == 10
    assert np.bincount(found.of_each).tolist() == [6 * 5**5] * 10
    assert found.changes[0] == Change("edge", "none", "skip_connect")


def test_an_edge_of_darts_is_not_there_or_absent_but_changes_its_operation() -> None:
    space = DartsSpace()
    arch = space.sample(np.random.default_rng(0))
    archs = [arch, *space.neighbors(arch)]
    found = operation_changes(archs, space)
    assert {change.decision for change in found.changes} == {"edge"}
    assert all("none" not in change for change in found.changes)
    assert ((found.first == 0) | (found.second == 0)).sum() == 96


def test_decisions_are_of_one_kind_if_choices_and_a_word_are_the_same() -> None:
    class Mixed(ProductSpace):
        name = "mixed"
        decisions = (
            Decision("width 1", ("8", "16")),
            Decision("width 2", ("8", "16")),
            Decision("pool", ("no", "yes")),
            Decision("bias", ("no", "yes")),
            Decision("width 3", ("8", "32")),
            Decision("width 4", ("8", "32")),
        )

    space = Mixed()
    found = operation_changes(list(space.archs()), space)
    assert found.changes == [
        Change("width 1, width 2", "8", "16"),
        Change("pool", "no", "yes"),
        Change("bias", "no", "yes"),
        Change("width 3, width 4", "8", "32"),
    ]
    assert np.bincount(found.of_each).tolist() == [64, 32, 32, 64]


def test_the_kinds_of_our_spaces_have_names() -> None:
    found = operation_changes(some(NdsResNetSpace()), NdsResNetSpace())
    assert {change.decision for change in found.changes} == {"depth of stage", "width of stage"}
    found = operation_changes(some(NatsSizeSpace()), NatsSizeSpace())
    assert {change.decision for change in found.changes} == {"width"}


def test_what_cannot_be_compared_is_refused() -> None:
    space = NatsTopologySpace()
    cell = space.sample(np.random.default_rng(0))
    with pytest.raises(UsageError, match=r"fixed meaning, got 'nasbench101'\. Its vertices can be renumbered"):
        operation_changes([], NasBench101Space())
    with pytest.raises(UsageError, match="each architecture once"):
        operation_changes([cell, *space.neighbors(cell), cell], space)
    with pytest.raises(UsageError, match="at least 2 architectures, got 1"):
        operation_changes([cell], space)
    with pytest.raises(UsageError, match="differ in one decision only, got '2 others'"):
        operation_changes([Arch(space.name, (0,) * 6), Arch(space.name, (1,) * 6)], space)
    with pytest.raises(UsageError, match="an arch of 'nats_topology'"):
        operation_changes([cell, Arch("tiny", (0, 0, 0))], space)
