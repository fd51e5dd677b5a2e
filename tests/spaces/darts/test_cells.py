from __future__ import annotations

import collections
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from lnas.spaces.darts.cells import (
    canonical_cell,
    cell_class_count,
    cell_classes,
    draw_index,
    edge_ends,
    edges_into,
    sample_cell_class,
    wirings,
)

quickly = settings(deadline=None, max_examples=50)
# (intermediate nodes, labels): small enough to list all cells.
SMALL = [(1, 5), (2, 1), (2, 3), (3, 1), (3, 2), (4, 1)]


def all_cells(nodes, labels):
    """Every choice of two edges into each node, and of their labels."""
    for chosen in itertools.product(*(itertools.combinations(edges, 2) for edges in edges_into(nodes))):
        present = [edge for pair in chosen for edge in pair]
        for labelling in itertools.product(range(1, labels + 1), repeat=len(present)):
            label_of = dict(zip(present, labelling, strict=True))
            yield tuple(label_of.get(edge, 0) for edge in range(len(edge_ends(nodes))))


def graph_key(cell, nodes):
    """The smallest list of labelled edges under all names of the nodes, forward or not: equal for isomorphic graphs."""
    edges = [(ends, label) for ends, label in zip(edge_ends(nodes), cell, strict=True) if label]
    names = ((0, 1, *order) for order in itertools.permutations(range(2, 2 + nodes)))
    return min(
        tuple(sorted((name[source], name[target], label) for (source, target), label in edges)) for name in names
    )


def test_edges_are_those_of_darts():
    assert edge_ends(2) == ((0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    assert [edges.start for edges in edges_into(4)] == [0, 2, 5, 9]
    assert edges_into(4)[-1].stop == len(edge_ends(4)) == 14


@pytest.mark.parametrize(("nodes", "labels"), [*SMALL, pytest.param(4, 2, marks=pytest.mark.slow)])
def test_classes_are_those_of_isomorphic_graphs(nodes, labels):
    pairs = {(canonical_cell(cell, nodes), graph_key(cell, nodes)) for cell in all_cells(nodes, labels)}
    representatives = {representative for representative, _ in pairs}
    assert len(pairs) == len(representatives) == len({key for _, key in pairs})
    assert len(representatives) == cell_class_count(nodes, labels)
    listed = list(cell_classes(nodes, labels))
    assert len(listed) == len(representatives)
    assert set(listed) == representatives


@pytest.mark.parametrize("labels", [1, 2, 7])
def test_number_of_classes_of_two_nodes_is_as_counted_by_hand(labels):
    """Node 3 is fed by both inputs like node 2, an unordered pair of nodes; or by node 2 and one of the inputs."""
    node = labels**2
    assert cell_class_count(2, labels) == node * (node + 1) // 2 + 2 * node * labels**2


def test_symmetries_are_those_of_nodes_with_the_same_sources():
    largest = max(wirings(4), key=lambda wiring: len(wiring.symmetries))
    sources = [edge_ends(4)[edge][0] for edge in largest.edges]
    assert sources == [0, 1] * 4
    assert len(largest.symmetries) == 24
    # The lengths of the cycles of a permutation of four nodes, twice over, since each node has two edges.
    shapes = collections.Counter(tuple(sorted(map(len, cycles))) for cycles in largest.symmetries)
    assert shapes == {(1,) * 8: 1, (1, 1, 1, 1, 2, 2): 6, (2, 2, 2, 2): 3, (1, 1, 3, 3): 8, (4, 4): 6}


@quickly
@given(st.data())
def test_representative_is_the_smallest_twin(data):
    cell = data.draw(st.sampled_from(list(all_cells(3, 1))))
    cell = tuple(label and data.draw(st.integers(1, 7)) for label in cell)
    representative = canonical_cell(cell, 3)
    assert canonical_cell(representative, 3) == representative <= cell
    assert graph_key(representative, 3) == graph_key(cell, 3)


@pytest.mark.parametrize(("nodes", "labels"), [(2, 2), (3, 1)])
def test_classes_are_drawn_uniformly(nodes, labels):
    rng = np.random.default_rng(0)
    count = cell_class_count(nodes, labels)
    drawn = collections.Counter(sample_cell_class(nodes, labels, rng) for _ in range(100 * count))
    assert set(drawn) == set(cell_classes(nodes, labels))
    assert chisquare(list(drawn.values())).pvalue > 0.001


def test_draws_follow_the_weights():
    rng = np.random.default_rng(0)
    drawn = collections.Counter(draw_index([0, 3, 0, 1, 0], rng) for _ in range(4000))
    assert set(drawn) == {1, 3}
    assert drawn[1] == pytest.approx(3000, abs=120)
