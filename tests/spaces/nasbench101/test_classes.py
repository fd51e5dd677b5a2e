from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest

from lnas.spaces.nasbench101.classes import all_labelings, module_at, module_count, modules, shapes
from lnas.spaces.nasbench101.graph import Module, canonical, graph_hash, live_vertices, pairs, prune

PUBLISHED = {2: 1, 3: 6, 4: 84, 5: 2441, 6: 62010, 7: 359082}


@pytest.mark.parametrize("vertices", PUBLISHED)
def test_number_of_unique_graphs_is_the_published_one(vertices):
    """Exact isomorphism against the released table, whose graphs differ in their hash."""
    assert sum(len(shape.labelings) for shape in shapes(vertices)) == PUBLISHED[vertices]


def test_all_together_are_the_published_number():
    assert module_count() == 423_624 == sum(PUBLISHED.values())


def test_first_modules_come_in_the_order_of_their_size():
    first = list(itertools.islice(modules(), 7))
    assert first[0] == Module((1,), ())
    assert first[1:] == [Module(edges, (op,)) for edges in ((1, 0, 1), (1, 1, 1)) for op in range(3)]


def test_modules_of_four_vertices_are_all_of_them():
    """By canonical forms of every labelled graph, one by one."""
    every = itertools.product(itertools.product((0, 1), repeat=6), itertools.product(range(3), repeat=2))
    whole = [module for module in itertools.starmap(Module, every) if len(live_vertices(module)) == 4]
    assert set(modules_of(4)) == {canonical(module) for module in whole}


@pytest.mark.parametrize("vertices", range(2, 6))
def test_modules_are_pruned_canonical_and_distinct(vertices):
    found = modules_of(vertices)
    assert len({graph_hash(module) for module in found}) == len(found)
    for module in found:
        assert canonical(module) == module == prune(module)
        assert sum(module.edges) <= 9


def test_position_of_every_module():
    for index, module in enumerate(itertools.islice(modules(), 2532)):
        assert module_at(index) == module
    assert [module_at(index) for index in (module_count() - 2, module_count() - 1)] == modules_of(7)[-2:]


def test_labelings_are_in_the_order_of_their_numbers():
    assert all_labelings(2).shape == (1, 0)
    numbers = all_labelings(5) @ [9, 3, 1]
    assert numbers.tolist() == list(range(27))


def modules_of(vertices: int) -> list[Module]:
    return [Module(shape.edges, operations) for shape in shapes(vertices) for operations in shape.labelings]


@pytest.fixture(scope="module")
def table(data_root):
    """The released table's columns that describe the graphs, in its order."""
    path = data_root / "nb101" / "nb101_full.npz"
    if not path.is_file():
        pytest.skip(f"no {path.name} in the data folder")
    with np.load(path) as data:
        return tuple(data[name] for name in ("num_vertices", "adj_bits", "ops"))


def published(table: tuple[np.ndarray, ...], every: int = 1) -> list[Module]:
    return [
        Module(tuple(bits >> place & 1 for place in range(len(pairs(vertices)))), tuple(ops[: vertices - 2]))
        for vertices, bits, ops in zip(*(column[::every].tolist() for column in table), strict=True)
    ]


@pytest.mark.data
def test_hashes_of_published_graphs_ascend(table):
    """The table is sorted by the hash, so that a wrong one would fall out of order sooner or later."""
    hashes = [graph_hash(module) for module in published(table, every=150)]
    assert all(one < other for one, other in itertools.pairwise(hashes))


@pytest.mark.data
@pytest.mark.slow
def test_hashes_of_all_published_graphs_ascend(table):
    hashes = [graph_hash(module) for module in published(table)]
    assert len(hashes) == 423_624
    assert all(one < other for one, other in itertools.pairwise(hashes))


@pytest.mark.data
def test_sizes_of_published_graphs(table):
    assert Counter(table[0].tolist()) == PUBLISHED


@pytest.mark.data
@pytest.mark.slow
def test_classes_are_the_published_graphs(table):
    assert {canonical(prune(module)) for module in published(table)} == set(modules())
