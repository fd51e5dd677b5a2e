"""Widths and parameter counts of NAS-Bench-101's cells against published values and the benchmark's table."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.errors import UsageError
from lnas.nets.module_channels import module_parameters, network_parameters, split_channels, vertex_channels
from lnas.spaces.nasbench101.graph import OPS, Module, clear_dead, live_vertices, pairs, prune

quickly = settings(deadline=None, max_examples=50)
CHANNELS = st.integers(5, 600)
GRAPHS = (
    st.tuples(st.tuples(*[st.integers(0, 1)] * 21), st.tuples(*[st.integers(0, 2)] * 5))
    .map(lambda genes: Module(*genes))
    .filter(live_vertices)
)


def module_of(matrix: list[list[int]], labels: list[str]) -> Module:
    edges = tuple(matrix[source][target] for source, target in pairs(len(matrix)))
    return Module(edges, tuple(OPS.index(label) for label in labels[1:-1]))


@quickly
@given(CHANNELS, st.integers(1, 5))
def test_shares_are_even_and_the_first_get_the_remainder(channels: int, parts: int) -> None:
    shares = split_channels(channels, parts)
    assert len(shares) == parts
    assert sum(shares) == channels
    assert shares == sorted(shares, reverse=True)
    assert shares[0] - shares[-1] <= 1


@quickly
@given(GRAPHS, CHANNELS)
def test_widths_keep_what_the_published_code_asserts(graph: Module, channels: int) -> None:
    """The output's channels are shared, and no edge leads to a wider vertex or cuts off more than one channel."""
    module = prune(graph)
    output = module.vertices - 1
    widths = vertex_channels(module, channels)
    assert list(widths) == list(range(1, module.vertices))
    into_output = [widths[source] for source, target in module.present if target == output and source]
    assert sum(into_output) == channels or not into_output
    for source, target in module.present:
        if source and target != output:
            assert 0 <= widths[source] - widths[target] <= 1


@quickly
@given(GRAPHS, CHANNELS)
def test_isolated_vertices_count_as_absent(graph: Module, channels: int) -> None:
    cleared, pruned = clear_dead(graph), prune(graph)
    assert tuple(vertex_channels(cleared, channels)) == live_vertices(graph)[1:]
    assert [*vertex_channels(cleared, channels).values()] == [*vertex_channels(pruned, channels).values()]
    assert module_parameters(cleared, 64, channels) == module_parameters(pruned, 64, channels)


def test_a_vertex_is_as_wide_as_the_widest_that_it_feeds() -> None:
    """Vertices 3 and 4 share seven channels; 1 feeds 3, and 2, which feeds 4."""
    edges = {(0, 1), (1, 2), (1, 3), (2, 4), (3, 5), (4, 5)}
    module = Module(tuple(int(pair in edges) for pair in pairs(6)), operations=(0, 0, 0, 0))
    assert vertex_channels(module, 7) == {1: 4, 2: 3, 3: 4, 4: 3, 5: 7}


def test_parameters_by_hand() -> None:
    """From 4 to 6 channels: a 3x3 convolution and a pooling side by side, and an edge from input to output."""
    module = Module(edges=(1, 1, 0, 1, 1, 1), operations=(0, 2))
    projections = (4 * 3 + 2 * 3) + (4 * 3 + 2 * 3) + (4 * 6 + 2 * 6)
    assert module_parameters(module, 4, 6) == projections + (3 * 3 * 9 + 2 * 3)


def test_the_cell_of_the_published_notebook_has_its_published_size() -> None:
    conv3, conv1, pool = range(3)
    edges = {(0, 1), (0, 2), (0, 3), (0, 4), (1, 6), (2, 6), (3, 6), (4, 5), (5, 6)}
    module = Module(tuple(int(pair in edges) for pair in pairs(7)), (conv3, conv1, pool, conv3, conv3))
    assert network_parameters(module) == 2_694_282


def test_too_few_channels_are_refused() -> None:
    module = Module(edges=(1, 1, 0, 0, 1, 1), operations=(0, 0))
    with pytest.raises(UsageError, match=r"expected channels >= 2, one for each vertex that feeds the output, got 1"):
        vertex_channels(module, 1)


@pytest.mark.data
def test_widths_and_parameters_equal_the_oracles(data_root: Path) -> None:
    found = {
        (record["case"], record["metric"]): record
        for record in json.loads((data_root / "oracles" / "oracles.json").read_text())
    }
    cases = [case for case, metric in found if case.startswith("nb101:") and metric == "trainable_parameters"]
    assert len(cases) == 6
    for case in cases:
        module = module_of(found[case, "valid_spec"]["matrix"], found[case, "valid_spec"]["ops"])
        widths = [128, *vertex_channels(module, 256).values()]
        assert widths == found[case, "vertex_channels_128_to_256"]["value"], case
        assert network_parameters(module) == found[case, "trainable_parameters"]["value"], case


def assert_table_agrees(data_root: Path, rows: slice | np.ndarray) -> None:
    columns = ("num_vertices", "adj_bits", "ops", "params")
    with np.load(data_root / "nb101" / "nb101_full.npz") as table:
        cells: Iterable = zip(*(table[column][rows].tolist() for column in columns), strict=True)
    for vertices, bits, operations, parameters in cells:
        edges = tuple(bits >> bit & 1 for bit in range(len(pairs(vertices))))
        assert network_parameters(Module(edges, tuple(operations[: vertices - 2]))) == parameters


@pytest.mark.data
def test_parameters_equal_the_benchmark_table(data_root: Path) -> None:
    assert_table_agrees(data_root, np.random.default_rng(0).choice(423_624, size=10_000, replace=False))


@pytest.mark.data
@pytest.mark.slow
def test_parameters_of_all_cells_equal_the_benchmark_table(data_root: Path) -> None:
    assert_table_agrees(data_root, slice(None))
