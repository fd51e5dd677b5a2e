from __future__ import annotations

import itertools

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.spaces.nasbench101.graph import (
    Module,
    canonical,
    canonical_numbers,
    clear_dead,
    edges_of,
    embed,
    graph_hash,
    live_vertices,
    operations_of,
    pairs,
    place_values,
    prune,
)

quickly = settings(deadline=None, max_examples=50)


@st.composite
def modules(draw, smallest=2):
    vertices = draw(st.integers(smallest, 7))
    edges = draw(st.tuples(*[st.integers(0, 1)] * len(pairs(vertices))))
    return Module(edges, draw(st.tuples(*[st.integers(0, 2)] * (vertices - 2))))


connected = modules().filter(live_vertices)


def graph_of(module: Module) -> networkx.DiGraph:
    graph = networkx.DiGraph(module.present)
    labels = ("input", *module.operations, "output")
    graph.add_nodes_from((vertex, {"label": label}) for vertex, label in enumerate(labels))
    return graph


def isomorphic(one: Module, other: Module) -> bool:
    same = networkx.algorithms.isomorphism.categorical_node_match("label", None)
    return networkx.is_isomorphic(graph_of(one), graph_of(other), node_match=same)


def from_matrix(rows: list[list[int]], operations: tuple[int, ...]) -> Module:
    return Module(tuple(rows[source][target] for source, target in pairs(len(rows))), operations)


def twin_of(module: Module, seed: int) -> Module:
    """The same pruned graph with its inner vertices in another topological order, drawn with a seed."""
    graph = graph_of(module)
    keys = np.random.default_rng(seed).random(module.vertices)
    order = list(networkx.lexicographical_topological_sort(graph, key=keys.__getitem__))
    edges = tuple(int(graph.has_edge(order[source], order[target])) for source, target in pairs(module.vertices))
    return Module(edges, tuple(module.operations[vertex - 1] for vertex in order[1:-1]))


def test_edges_are_grouped_by_target():
    """As bits of the published table: edge x -> y is number x + y(y-1)/2, whatever the number of vertices."""
    for vertices in range(2, 8):
        assert [source + target * (target - 1) // 2 for source, target in pairs(vertices)] == list(
            range(vertices * (vertices - 1) // 2)
        )


def test_matrix_worked_by_hand():
    module = Module(edges=(1, 0, 1, 1, 0, 1), operations=(2, 0))
    assert module.vertices == 4
    assert module.present == ((0, 1), (1, 2), (0, 3), (2, 3))
    assert module.matrix == ((0, 1, 0, 1), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 0, 0))


@quickly
@given(modules())
def test_live_vertices_are_those_on_a_path(module):
    paths = networkx.all_simple_paths(graph_of(module), 0, module.vertices - 1)
    assert live_vertices(module) == tuple(sorted(set(itertools.chain.from_iterable(paths))))


@quickly
@given(connected)
def test_pruning_keeps_the_graph_between_live_vertices(module):
    live = live_vertices(module)
    kept = graph_of(module).subgraph(live)
    pruned = prune(module)
    assert {(live[source], live[target]) for source, target in pruned.present} == set(kept.edges)
    assert [kept.nodes[vertex]["label"] for vertex in live[1:-1]] == list(pruned.operations)
    assert prune(pruned) == pruned


def test_pruning_worked_by_hand():
    """Vertex 1 is never fed, vertex 3 never used: the chain through vertex 2 is left, and the edge past it."""
    rows = [[0, 0, 1, 1, 1], [0, 0, 1, 0, 1], [0, 0, 0, 1, 1], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    module = from_matrix(rows, (0, 1, 2))
    assert live_vertices(module) == (0, 2, 4)
    assert prune(module) == Module((1, 1, 1), (1,))
    cleared = [[0, 0, 1, 0, 1], [0, 0, 0, 0, 0], [0, 0, 0, 0, 1], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert clear_dead(module) == from_matrix(cleared, (0, 1, 0))


@quickly
@given(connected)
def test_clearing_in_place_prunes_to_the_same_graph(module):
    cleared = clear_dead(module)
    assert cleared.vertices == module.vertices
    assert prune(cleared) == prune(module)
    assert sum(cleared.edges) == sum(prune(module).edges)


def test_nothing_lives_without_a_path():
    module = Module(edges=(1, 0, 0), operations=(2,))
    assert live_vertices(module) == ()
    assert clear_dead(module) == Module((0, 0, 0), (0,))


def test_embedding_worked_by_hand():
    embedded = embed(from_matrix([[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], (2, 1)))
    assert embedded.present == ((0, 1), (1, 2), (0, 6), (2, 6))
    assert embedded.operations == (2, 1, 0, 0, 0)


@quickly
@given(connected)
def test_embedding_adds_dead_vertices_only(module):
    embedded = embed(module)
    assert embedded.vertices == 7
    assert prune(embedded) == prune(module)


# The hashes that the released code computed for these graphs.
INCEPTION = from_matrix(
    [
        [0, 1, 1, 1, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    (1, 0, 0, 0, 2),
)
NOTEBOOK = from_matrix(
    [
        [0, 1, 1, 1, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    (0, 1, 2, 0, 0),
)
TEN_EDGES = from_matrix(
    [
        [0, 1, 1, 0, 0, 1, 1],
        [0, 0, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 0, 1],
        [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    (1, 0, 2, 0, 0),
)
NINE_EDGES = from_matrix(
    [
        [0, 1, 1, 1, 0, 0, 1],
        [0, 0, 1, 0, 0, 0, 0],
        [0, 0, 0, 1, 0, 0, 0],
        [0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 1, 0],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 0],
    ],
    (0, 0, 1, 2, 1),
)
RESNET_LIKE = from_matrix([[0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], (0, 0))


@pytest.mark.parametrize(
    ("module", "published"),
    [
        (INCEPTION, "28cfc7874f6d200472e1a9dcd8650aa0"),
        (NOTEBOOK, "28cfc7874f6d200472e1a9dcd8650aa0"),
        (RESNET_LIKE, "b5fb4f6193360330b6ff6a52cbf0cad7"),
        (Module((1,), ()), "043721b9c7fe8c5fad811d47d83132ec"),
        (TEN_EDGES, "7809edf1b25e276e14db364bcbc5852d"),
        (NINE_EDGES, "20409ff8130db5648413ad0a9a5d42a1"),
    ],
)
def test_hash_is_the_published_one(module, published):
    assert graph_hash(module) == published


@quickly
@given(connected, st.integers(0, 2**32 - 1))
def test_twins_have_one_canonical_form_and_one_hash(module, seed):
    module = prune(module)
    twin = twin_of(module, seed)
    assert isomorphic(module, twin)
    assert canonical(twin) == canonical(module)
    assert graph_hash(twin) == graph_hash(module)


@quickly
@given(modules())
def test_canonical_form_is_the_smallest_isomorphic_graph(module):
    smallest = canonical(module)
    assert smallest <= module
    assert canonical(smallest) == smallest
    assert isomorphic(smallest, module)


def test_forms_are_equal_exactly_for_isomorphic_graphs():
    """All labelled graphs of four vertices, against another library's search for an isomorphism."""
    every = [
        Module(edges, operations)
        for edges in itertools.product((0, 1), repeat=6)
        for operations in ((0, 0), (0, 1), (1, 0))
    ]
    for one, other in itertools.combinations(every, 2):
        if sum(one.edges) == sum(other.edges):
            assert (canonical(one) == canonical(other)) == isomorphic(one, other), (one, other)


def test_first_places_are_those_of_the_graph_as_it_is():
    for vertices in range(2, 8):
        edges = len(pairs(vertices))
        assert place_values(vertices)[0].tolist() == [1 << exponent for exponent in reversed(range(edges))]


@quickly
@given(modules())
def test_numbers_hold_edges_and_operations(module):
    edges = int("".join(map(str, module.edges)), 2)
    operations = int("".join(map(str, module.operations)) or "0", 3)
    assert edges_of(edges, module.vertices) == module.edges
    assert operations_of(operations, module.vertices) == module.operations


@quickly
@given(modules(smallest=4), st.data())
def test_many_labelings_at_once_are_as_one_by_one(module, data):
    operations = st.tuples(*[st.integers(0, 2)] * len(module.operations))
    labelings = data.draw(st.lists(operations, min_size=1, max_size=5))
    code, numbers = canonical_numbers(module.edges, np.array(labelings))
    together = [Module(edges_of(code, module.vertices), operations_of(n, module.vertices)) for n in numbers.tolist()]
    assert together == [canonical(Module(module.edges, labeling)) for labeling in labelings]
