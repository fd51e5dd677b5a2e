from __future__ import annotations

import collections
import itertools
import json
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from lnas.errors import UsageError
from lnas.spaces.nasbench101.space import NasBench101Space
from lnas.types import Arch, Region

SPACE = NasBench101Space()
quickly = settings(deadline=None, max_examples=50)

CONV3, CONV1, POOL = "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"
LABELS = ("input", CONV3, CONV1, POOL, CONV3, CONV3, "output")
NOTEBOOK = [
    [0, 1, 1, 1, 1, 0, 0],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 1, 0],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0],
]
INCEPTION = [
    [0, 1, 1, 1, 0, 1, 0],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 1, 0, 0],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0],
]
TEN_EDGES = [
    [0, 1, 1, 0, 0, 1, 1],
    [0, 0, 1, 0, 0, 0, 0],
    [0, 0, 0, 1, 0, 0, 1],
    [0, 0, 0, 0, 1, 0, 0],
    [0, 0, 0, 0, 0, 1, 0],
    [0, 0, 0, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0, 0],
]
EDGES = [(source, target) for target in range(7) for source in range(target)]
SEEDS = st.integers(0, 2**32 - 1)


def arch_of(edges: set[tuple[int, int]], *operations: int) -> Arch:
    genes = [int(edge in edges) for edge in EDGES]
    return Arch("nasbench101", (*genes, *operations, *[0] * (5 - len(operations))))


def sampled(seed: int) -> Arch:
    return SPACE.sample(np.random.default_rng(seed))


def written(matrix, operations) -> str:
    return json.dumps({"module_adjacency": matrix, "module_operations": operations})


SMALL = [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
CHAIN = arch_of({(0, 1), (1, 6)}, 2)


def test_genes_are_edges_by_target_then_operations():
    arch = SPACE.parse(written(NOTEBOOK, LABELS))
    assert arch == arch_of({(0, 1), (0, 2), (0, 3), (0, 4), (1, 6), (2, 6), (3, 6), (4, 5), (5, 6)}, 0, 1, 2, 0, 0)
    assert SPACE.gene_names()[:4] == ("edge 0->1", "edge 0->2", "edge 1->2", "edge 0->3")
    assert SPACE.gene_names()[20:22] == ("edge 5->6", "operation of vertex 1")
    assert len(SPACE.gene_names()) == 26


def test_notation_is_that_of_the_released_data():
    assert json.loads(SPACE.format(SPACE.parse(written(NOTEBOOK, LABELS)))) == {
        "module_adjacency": NOTEBOOK,
        "module_operations": list(LABELS),
    }


@quickly
@given(SEEDS)
def test_parse_undoes_format(seed):
    assert SPACE.parse(SPACE.format(sampled(seed))) == sampled(seed)


def test_smaller_cells_end_in_vertex_six():
    assert SPACE.parse(written([[0, 1], [0, 0]], ["input", "output"])) == arch_of({(0, 6)})
    assert SPACE.parse(written(SMALL, ["input", POOL, "output"])) == arch_of({(0, 1), (0, 6), (1, 6)}, 2)


@pytest.mark.parametrize(
    "matrix",
    [NOTEBOOK, tuple(map(tuple, NOTEBOOK)), np.array(NOTEBOOK, dtype=np.int8), [np.array(row) for row in NOTEBOOK]],
)
def test_matrices_come_in_any_form(matrix):
    arch = SPACE.from_matrix(matrix, LABELS)
    assert arch == SPACE.parse(written(NOTEBOOK, LABELS))
    assert {type(gene) for gene in arch.genes} == {int}
    assert SPACE.matrix(arch) == tuple(map(tuple, NOTEBOOK))
    assert SPACE.operations(arch) == LABELS


def test_pruned_cell_is_without_dead_vertices():
    arch = arch_of({(0, 2), (2, 6), (0, 1), (3, 6), (0, 6)}, 1, 2, 1)
    assert SPACE.pruned(arch) == (((0, 1, 1), (0, 0, 1), (0, 0, 0)), ("input", POOL, "output"))


def changed(matrix, source, target, entry):
    rows = [list(row) for row in matrix]
    rows[source][target] = entry
    return rows


@pytest.mark.parametrize(
    ("matrix", "labels", "complaint"),
    [
        (SMALL, ["input", "conv5x5", "output"], f"an operation of {CONV3}, {CONV1}, {POOL} at vertex 1, got 'conv5x5'"),
        (SMALL, ["input", ["x"], "output"], "at vertex 1, got ['x']"),
        (SMALL, ["input", "output"], "expected 3 operations, one per row of the matrix, got ['input', 'output']"),
        (SMALL, ["in", POOL, "output"], "expected 'input' as the first operation, got 'in'"),
        (SMALL, ["input", POOL, POOL], f"expected 'output' as the last operation, got '{POOL}'"),
        ([[0, 1], [0, 0], [0, 0]], LABELS[:3], "row 0 with 3 entries, one per row, got [0, 1]"),
        ([[0, 1, 1], [0, 0], [0, 0, 0]], LABELS[:3], "row 1 with 3 entries, one per row, got [0, 0]"),
        (changed(SMALL, 0, 1, 2), LABELS[:3], "expected 0 or 1 in row 0, column 1, got 2"),
        (changed(SMALL, 0, 1, -1), LABELS[:3], "expected 0 or 1 in row 0, column 1, got -1"),
        (changed(SMALL, 0, 1, True), LABELS[:3], "expected 0 or 1 in row 0, column 1, got True"),
        (changed(SMALL, 0, 1, "1"), LABELS[:3], "expected 0 or 1 in row 0, column 1, got '1'"),
        (changed(SMALL, 2, 1, 1), LABELS[:3], "an upper triangular matrix, so 0 in row 2, column 1, got 1"),
        (changed(SMALL, 1, 1, 1), LABELS[:3], "an upper triangular matrix, so 0 in row 1, column 1, got 1"),
        ([[0] * 8] * 8, (*LABELS, "output"), "an adjacency matrix of 2 to 7 rows, got [[0, 0, 0, 0, 0, 0, 0, 0],"),
        ([[0, 1], 3], LABELS[:2], "row 1 with 2 entries, one per row, got 3"),
        (SMALL, None, "expected 3 operations, one per row of the matrix, got None"),
        ([[0]], ["input"], "an adjacency matrix of 2 to 7 rows, got [[0]]"),
        ([[0, 1, 0], [0, 0, 0], [0, 0, 0]], ["input", POOL, "output"], "expected a path from the input to the output"),
        (TEN_EDGES, LABELS, "expected at most 9 edges after pruning, got 10. Take out edges"),
    ],
)
def test_parse_names_what_is_wrong(matrix, labels, complaint):
    for read, call in (
        (lambda: SPACE.parse(written(matrix, labels)), f"NasBench101Space.parse({written(matrix, labels)!r}): "[:150]),
        (lambda: SPACE.from_matrix(matrix, labels), "NasBench101Space.from_matrix(["),
    ):
        with pytest.raises(UsageError) as caught:
            read()
        assert complaint in str(caught.value)
        assert str(caught.value).startswith(call)


def test_no_other_key_is_taken():
    with pytest.raises(UsageError, match="no key but module_adjacency, module_operations, got 'more'"):
        SPACE.parse(json.dumps({"module_adjacency": SMALL, "module_operations": LABELS[:3], "more": 1}))


@pytest.mark.parametrize("text", [None, b"{}", "[" * 3000])
def test_parse_refuses_what_no_reader_takes(text):
    with pytest.raises(UsageError, match=r"NasBench101Space.parse\(.*Example: "):
        SPACE.parse(text)


@pytest.mark.parametrize("text", ["", "?", "[]", "3", "{}", '{"module_adjacency": [[0, 1], [0, 0]]}'])
def test_parse_wants_both_fields(text):
    with pytest.raises(UsageError) as caught:
        SPACE.parse(text)
    assert f"expected a JSON object with module_adjacency and module_operations, got {text!r}" in str(caught.value)


@pytest.mark.parametrize("fields", [{"module_adjacency": 3}, {"module_operations": 3}, {"module_adjacency": [3, 4]}])
def test_parse_wants_lists(fields):
    record = {"module_adjacency": SMALL, "module_operations": ["input", POOL, "output"]}
    SPACE.parse(json.dumps(record))
    with pytest.raises(UsageError, match="got 3"):
        SPACE.parse(json.dumps(record | fields))


def test_the_example_of_an_error_can_be_parsed():
    with pytest.raises(UsageError) as caught:
        SPACE.parse("?")
    example = str(caught.value).split("Example: ")[1].removesuffix(".")
    assert SPACE.parse(example) == arch_of({(0, 1), (0, 6), (1, 6)}, 0)


def test_edges_beyond_nine_may_be_dead():
    """Vertex 5 is off every path: its edges are not counted."""
    nine = {(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3), (0, 6), (2, 6), (3, 6)}
    SPACE.validate(arch_of(nine | {(0, 5), (1, 5), (2, 5), (3, 5)}))
    with pytest.raises(UsageError, match="at most 9 edges after pruning, got 14"):
        SPACE.validate(arch_of(nine | {(0, 5), (1, 5), (2, 5), (3, 5), (5, 6)}))


@pytest.mark.parametrize(
    ("arch", "complaint"),
    [
        (Arch("tiny", CHAIN.genes), "expected an arch of 'nasbench101', got 'tiny:"),
        (Arch("nasbench101", CHAIN.genes[:-1]), "expected 26 genes"),
        (Arch("nasbench101", (2, *CHAIN.genes[1:])), "expected gene 0 (edge 0->1) in 0..1, got 2"),
        (Arch("nasbench101", (*CHAIN.genes[:-1], 3)), "expected gene 25 (operation of vertex 5) in 0..2, got 3"),
        (arch_of({(0, 1), (2, 6)}), "space 'nasbench101': expected a path from the input to the output"),
    ],
)
@pytest.mark.parametrize(
    "use", [SPACE.validate, SPACE.format, SPACE.encode, SPACE.draw, SPACE.canonical, SPACE.module_hash, SPACE.pruned]
)
def test_every_method_refuses_what_is_not_of_the_space(use, arch, complaint):
    with pytest.raises(UsageError) as caught:
        use(arch)
    assert complaint in str(caught.value)


def test_size_counts_valid_matrices_times_operations():
    assert SPACE.size == 1_538_083 * 3**5 == 373_754_169


def test_class_count_is_the_published_one():
    assert SPACE.class_count == 423_624


def test_hash_is_that_of_the_pruned_cell():
    """As the released notebook prints it, for two ways to write the cell and with a dead vertex's edge added."""
    labels = ("input", CONV1, CONV3, CONV3, CONV3, POOL, "output")
    inception = SPACE.from_matrix(INCEPTION, labels)
    assert SPACE.module_hash(inception) == "28cfc7874f6d200472e1a9dcd8650aa0"
    assert SPACE.module_hash(SPACE.from_matrix(NOTEBOOK, LABELS)) == "28cfc7874f6d200472e1a9dcd8650aa0"
    assert SPACE.module_hash(arch_of({(0, 6), (0, 1), (2, 6)}, 1, 1)) == "043721b9c7fe8c5fad811d47d83132ec"


@quickly
@given(SEEDS)
def test_canonical_cell_has_the_hash_and_no_dead_edge(seed):
    arch = sampled(seed)
    representative = SPACE.canonical(arch)
    assert SPACE.canonical(representative) == representative
    assert SPACE.module_hash(representative) == SPACE.module_hash(arch)
    assert SPACE.parse(written(*SPACE.pruned(representative))) == representative


def test_twins_worked_by_hand():
    """A pool beside a convolution: in either order, at any vertices, and with whatever leads nowhere."""
    twins = [
        arch_of({(0, 1), (0, 2), (1, 6), (2, 6)}, 2, 0),
        arch_of({(0, 1), (0, 2), (1, 6), (2, 6)}, 0, 2),
        arch_of({(0, 3), (0, 5), (3, 6), (5, 6)}, 0, 0, 2, 0, 0),
        arch_of({(0, 1), (0, 2), (1, 6), (2, 6), (0, 4), (5, 6)}, 0, 2, 1, 1, 1),
    ]
    assert {SPACE.canonical(twin) for twin in twins} == {twins[1]}
    assert SPACE.canonical(arch_of({(0, 1), (1, 2), (2, 6)}, 2, 0)) != SPACE.canonical(
        arch_of({(0, 1), (1, 2), (2, 6)}, 0, 2)
    )


def test_classes_are_canonical():
    for arch in itertools.islice(SPACE.classes(), 0, 20_000, 100):
        assert SPACE.canonical(arch) == arch


def test_neighbors_are_the_valid_changes_of_one_gene():
    """The chain has no edge to spare; every other edge can be added, every operation changed."""
    neighbors = set(SPACE.neighbors(CHAIN))
    assert arch_of({(0, 1), (1, 6), (4, 5)}, 2) in neighbors
    assert arch_of({(0, 1)}, 2) not in neighbors
    assert len(neighbors) == 21 - 2 + 5 * 2


def test_neighbors_have_at_most_nine_edges():
    """A complete graph of four vertices at places 0, 1, 2, 6, and one chain: nine edges, to which none can be added."""
    full = {(0, 1), (0, 2), (1, 2), (0, 6), (1, 6), (2, 6), (0, 3), (3, 4), (4, 6)}
    arch = arch_of(full)
    added = {neighbor for neighbor in SPACE.neighbors(arch) if sum(neighbor.genes[:21]) == 10}
    assert added == {arch_of(full | {edge}) for edge in ((0, 5), (1, 5), (2, 5), (3, 5), (4, 5), (5, 6))}


def test_mutation_is_uniform_over_the_neighbors():
    rng = np.random.default_rng(0)
    drawn = collections.Counter(SPACE.mutate(CHAIN, rng) for _ in range(1450))
    assert set(drawn) == set(SPACE.neighbors(CHAIN))
    assert chisquare(list(drawn.values())).pvalue > 1e-3


def limited(free: set[tuple[int, int]], required: set[tuple[int, int]] = frozenset(), operations=()) -> Region:
    """The region of some free and some required edges, and convolutions everywhere but at the first vertices."""
    edges = [(0, 1) if edge in free else (int(edge in required),) for edge in EDGES]
    return Region("nasbench101", (*edges, *operations, *[(0,)] * (5 - len(operations))))


def test_samples_of_a_region_are_uniform():
    """Free edges between three vertices and the output, and three operations at one of them."""
    free = {(0, 1), (0, 2), (1, 2), (0, 6), (1, 6), (2, 6)}
    region = limited(free, operations=[(0, 2), (1,)])
    valid = []
    for genes in itertools.product(*region.choices):
        arch = Arch("nasbench101", genes)
        try:
            SPACE.validate(arch)
        except UsageError:
            continue
        valid.append(arch)
    rng = np.random.default_rng(0)
    drawn = collections.Counter(SPACE.sample_from(region, rng) for _ in range(50 * len(valid)))
    assert set(drawn) == set(valid)
    assert chisquare(list(drawn.values())).pvalue > 1e-3


def test_samples_of_arrays_of_choices_are_plain():
    region = Region("nasbench101", tuple(np.arange(len(allowed)) for allowed in SPACE.region.choices))
    assert {type(gene) for gene in SPACE.sample_from(region, np.random.default_rng(0)).genes} == {int}


def test_samples_of_a_single_cell():
    assert SPACE.sample_from(Region.of(CHAIN), np.random.default_rng(0)) == CHAIN


@pytest.mark.parametrize(
    "region",
    [
        limited({(0, 1), (1, 2)}),
        limited(set(), {(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3), (0, 6), (1, 6), (2, 6), (3, 6)}),
    ],
)
def test_region_without_a_cell_is_refused(region):
    with pytest.raises(UsageError, match="expected a matrix that joins input and output with at most 9 edges"):
        SPACE.sample_from(region, np.random.default_rng(0))


def test_region_of_another_space_is_refused():
    with pytest.raises(UsageError, match="expected a region of 'nasbench101', got 'tiny:"):
        SPACE.sample_from(Region("tiny", ((0, 1),)), np.random.default_rng(0))


def test_samples_have_each_edge_as_often_as_valid_matrices():
    rng = np.random.default_rng(0)
    genes = np.array([SPACE.sample(rng).genes for _ in range(4000)])
    # Of the matrices drawn at random and thrown away where not valid, which is the definition, but never ours.
    tried = [Arch("nasbench101", (*bits, 0, 0, 0, 0, 0)) for bits in rng.integers(2, size=(6000, 21)).tolist()]
    kept = np.array([arch.genes[:21] for arch in tried if is_valid(arch)])
    assert genes[:, :21].mean(axis=0) == pytest.approx(kept.mean(axis=0), abs=0.04)
    for vertex in range(21, 26):
        assert chisquare(np.bincount(genes[:, vertex])).pvalue > 1e-3


def is_valid(arch: Arch) -> bool:
    try:
        SPACE.validate(arch)
    except UsageError:
        return False
    return True


def test_class_samples_are_classes_in_proportion_to_their_size():
    """Graphs of seven vertices are 359,082 of the 423,624; of six 62,010."""
    rng = np.random.default_rng(0)
    drawn = [SPACE.sample_class(rng) for _ in range(4000)]
    vertices = collections.Counter(len(SPACE.pruned(arch)[1]) for arch in drawn)
    expected = np.array([359_082, 62_010, 2_532]) / 423_624 * 4000
    counted = [vertices[7], vertices[6], 4000 - vertices[7] - vertices[6]]
    assert chisquare(counted, expected).pvalue > 1e-3
    assert len(set(drawn)) > 3950
    for arch in drawn[:100]:
        assert SPACE.canonical(arch) == arch


def test_encoding_is_one_hot_per_gene():
    code = SPACE.encode(CHAIN)
    assert code.shape == (2 * 21 + 3 * 5,)
    assert code[:42].reshape(21, 2).argmax(axis=1).tolist() == list(CHAIN.genes[:21])
    assert code[42:].reshape(5, 3).argmax(axis=1).tolist() == [2, 0, 0, 0, 0]


def test_drawing_names_the_operations_and_dashes_what_is_dead():
    dead = arch_of({(0, 1), (1, 6), (0, 2), (3, 6)}, 2, 1, 0)
    svg = ElementTree.fromstring(SPACE.draw(dead))
    texts = [element.text for element in svg.findall(".//{*}text")]
    assert [texts.count(label) for label in ("input", CONV3, CONV1, POOL, "output")] == [1, 3, 1, 1, 1]
    assert svg.findtext("{*}title") == SPACE.format(dead)
    without = arch_of({(0, 1), (1, 6)}, 2, 1, 0)
    assert SPACE.draw(dead).count("stroke-dasharray") == SPACE.draw(without).count("stroke-dasharray") + 2
    assert "stroke-dasharray" not in SPACE.draw(SPACE.parse(written(NOTEBOOK, LABELS)))
