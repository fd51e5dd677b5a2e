from __future__ import annotations

import collections
import itertools
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nats_bench.genotype_utils import topology_str2structure

from lnas.errors import UsageError
from lnas.spaces import NatsTopologySpace
from lnas.spaces.nats_topology import EDGES, OPS, live_edges
from lnas.types import Arch

SPACE = NatsTopologySpace()
GENES = st.tuples(*[st.integers(0, 4)] * 6)
SENSES = ("isomorphic", "functional", "computational")
OUTPUT_NEVER_REACHED = 341
quickly = settings(deadline=None, max_examples=50)
GOOD = "|nor_conv_3x3~0|+|nor_conv_1x1~0|none~1|+|avg_pool_3x3~0|skip_connect~1|nor_conv_3x3~2|"


def arch_of(*genes: int) -> Arch:
    return Arch("nats_topology", genes)


def all_genes():
    return itertools.product(range(5), repeat=6)


def test_notation_lists_the_edges_by_their_target():
    assert SPACE.parse(GOOD) == arch_of(3, 2, 0, 4, 1, 3)
    assert SPACE.format(arch_of(3, 2, 0, 4, 1, 3)) == GOOD


@quickly
@given(GENES)
def test_parse_undoes_format(genes):
    assert SPACE.parse(SPACE.format(arch_of(*genes))) == arch_of(*genes)


def test_notation_is_unambiguous():
    assert len({SPACE.format(arch_of(*genes)) for genes in all_genes()}) == SPACE.size == 15_625


def test_space_around_the_notation_is_ignored():
    assert SPACE.parse(f"  {GOOD}\n") == SPACE.parse(GOOD)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "expected three nodes joined by '+', got ''"),
        ("|none~0|+|none~0|none~1|", "three nodes joined by '+', got '|none~0|+|none~0|none~1|'"),
        (GOOD + "+|none~0|", "three nodes joined by '+'"),
        (GOOD.replace("none~1", "conv~1"), f"expected an operation of {', '.join(OPS)}, got 'conv'"),
        (GOOD.replace("none~1", "none~0"), "expected source 1 into node 2, got '0'"),
        (GOOD.replace("|none~1|", "|"), "expected 2 edge(s) `|op~source|` into node 2, got '|nor_conv_1x1~0|'"),
        (GOOD.replace("|none~1|", "|none~1|none~2|"), "2 edge(s) `|op~source|` into node 2"),
        (GOOD.replace("|none~1|", "|none|"), "into node 2, got '|nor_conv_1x1~0|none|'"),
        (GOOD.replace("|none~1|", "|none~1"), "into node 2, got '|nor_conv_1x1~0|none~1'"),
        (GOOD.replace("|none~1|", "||none~1|"), "into node 2, got '|nor_conv_1x1~0||none~1|'"),
        (GOOD.replace("|none~1|", "|none~-1|"), "into node 2, got '|nor_conv_1x1~0|none~-1|'"),
        (GOOD.replace("none~1", "none~01"), "expected source 1 into node 2, got '01'"),
        (GOOD.replace("none~1", "none~\N{ARABIC-INDIC DIGIT ONE}"), "into node 2, got '|nor_conv_1x1~0|none~"),
        (GOOD.replace("none~1", "none~" + "1" * 5000), "expected source 1 into node 2, got '111"),
        ("x" + GOOD, "into node 1, got 'x|nor_conv_3x3~0|'"),
    ],
)
def test_parse_names_what_is_wrong(text, complaint):
    with pytest.raises(UsageError) as caught:
        SPACE.parse(text)
    assert complaint in str(caught.value)
    assert str(caught.value).startswith(f"NatsTopologySpace.parse({text!r})"[:150])
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize(
    ("arch", "complaint"),
    [
        (Arch("tiny", (0,) * 6), "expected an arch of 'nats_topology', got 'tiny:0-0-0-0-0-0'"),
        (arch_of(0, 0, 0), "expected 6 genes, got (0, 0, 0). They stand for ('edge 0->1', 'edge 0->2'"),
        (arch_of(0, 3, 9, 1, 2, 2), "expected gene 2 (edge 1->2) in 0..4, got 9. The genes were (0, 3, 9, 1, 2, 2)."),
        (arch_of(0, 0, 0, 0, 0, -1), "expected gene 5 (edge 2->3) in 0..4, got -1."),
        (arch_of(0, 0, 0, 5, 0, 0), "expected gene 3 (edge 0->3) in 0..4, got 5."),
    ],
)
@pytest.mark.parametrize("use", [SPACE.validate, SPACE.format, SPACE.encode, SPACE.draw, SPACE.canonical])
def test_every_method_refuses_what_is_not_of_the_space(use, arch, complaint):
    with pytest.raises(UsageError) as caught:
        use(arch)
    assert complaint in str(caught.value)


def test_neighbors_are_all_architectures_at_distance_one():
    arch = arch_of(3, 2, 0, 4, 1, 3)
    expected = {g for g in all_genes() if sum(a != b for a, b in zip(g, arch.genes, strict=True)) == 1}
    assert {neighbor.genes for neighbor in SPACE.neighbors(arch)} == expected


@quickly
@given(GENES, st.integers(0, 2**32 - 1))
def test_mutation_changes_exactly_one_edge(genes, seed):
    mutant = SPACE.mutate(arch_of(*genes), np.random.default_rng(seed))
    SPACE.validate(mutant)
    assert sum(a != b for a, b in zip(genes, mutant.genes, strict=True)) == 1


def test_mutation_is_uniform_over_the_neighbors():
    rng = np.random.default_rng(0)
    drawn = collections.Counter(SPACE.mutate(arch_of(3, 2, 0, 4, 1, 3), rng) for _ in range(4800))
    assert len(drawn) == 24
    assert 140 < min(drawn.values()) < 200 < max(drawn.values()) < 260


def test_samples_are_uniform_on_every_edge():
    rng = np.random.default_rng(0)
    genes = np.array([SPACE.sample(rng).genes for _ in range(2000)])
    for edge in range(6):
        assert np.bincount(genes[:, edge], minlength=5) == pytest.approx(400, abs=90)


def test_samples_are_plain_integers():
    assert {type(gene) for gene in SPACE.sample(np.random.default_rng(0)).genes} == {int}


@pytest.mark.parametrize(("sense", "count"), [("isomorphic", 6466), ("functional", 4930)])
def test_number_of_classes_is_the_published_one(sense, count):
    representatives = list(SPACE.classes(sense))
    assert len(set(representatives)) == len(representatives) == count


def test_computational_classes_are_parts_of_functional_ones():
    parts = [(SPACE.canonical(arch, "functional"), live_convolutions(arch)) for arch in SPACE.classes("computational")]
    assert len(set(parts)) == len(parts) == 5260
    assert len({whole for whole, _ in parts}) == 4930


def live_convolutions(arch):
    live = live_edges(arch.genes)
    names = [OPS[gene] for edge, gene in zip(EDGES, arch.genes, strict=True) if edge in live]
    return tuple(sorted(name for name in names if name.startswith("nor_conv")))


def test_class_count_is_that_of_isomorphism():
    assert SPACE.class_count == 6466


@pytest.mark.parametrize("sense", SENSES)
@quickly
@given(genes=GENES)
def test_canonical_is_idempotent_and_the_smallest_of_its_class(sense, genes):
    representative = SPACE.canonical(arch_of(*genes), sense)
    assert SPACE.canonical(representative, sense) == representative
    assert representative.genes <= genes


def test_isomorphism_is_that_of_the_benchmarks_own_code():
    archs = [arch_of(*genes) for genes in all_genes()]
    theirs = [topology_str2structure(SPACE.format(arch)).to_unique_str(consider_zero=True) for arch in archs]
    ours = [SPACE.canonical(arch) for arch in archs]
    assert len(set(zip(ours, theirs, strict=True))) == len(set(ours)) == len(set(theirs))


@quickly
@given(GENES)
def test_swapping_unconnected_nodes_keeps_the_function(genes):
    e01, e02, _, e03, e13, e23 = genes
    one, other = arch_of(e01, e02, 0, e03, e13, e23), arch_of(e02, e01, 0, e03, e23, e13)
    assert SPACE.canonical(one, "functional") == SPACE.canonical(other, "functional")


@quickly
@given(GENES)
def test_dead_edges_do_not_change_the_function(genes):
    live = live_edges(genes)
    pruned = [gene if edge in live else 0 for edge, gene in zip(EDGES, genes, strict=True)]
    assert SPACE.canonical(arch_of(*pruned), "functional") == SPACE.canonical(arch_of(*genes), "functional")


@quickly
@given(GENES)
def test_isomorphic_cells_have_one_function(genes):
    arch = arch_of(*genes)
    assert SPACE.canonical(SPACE.canonical(arch), "functional") == SPACE.canonical(arch, "functional")


@pytest.mark.parametrize(
    ("one", "other", "isomorphic", "functional"),
    [
        # Node 1 is the input again, through a skip: a convolution may start from either.
        ((1, 0, 0, 3, 0, 0), (1, 0, 0, 0, 3, 0), True, True),
        # Edge 0 -> 2 leads nowhere: its operation changes nothing.
        ((3, 1, 0, 0, 1, 0), (3, 2, 0, 0, 1, 0), True, True),
        # conv(x) through node 1 or node 2: one function, but the published rule counts one missing edge more.
        ((3, 0, 0, 0, 1, 0), (0, 3, 0, 0, 0, 1), False, True),
        # Which sums within sums are one cell depends on how the operations sort by name: conv before pool.
        ((2, 4, 1, 1, 4, 1), (2, 4, 4, 1, 1, 1), True, True),
        ((1, 2, 0, 3, 4, 1), (3, 2, 1, 4, 0, 1), False, True),
        ((3, 0, 0, 0, 1, 0), (2, 0, 0, 0, 1, 0), False, False),
        # x + x through one skip more is another function than x.
        ((0, 0, 0, 1, 0, 0), (1, 0, 0, 1, 1, 0), False, False),
    ],
)
def test_twins_worked_by_hand(one, other, isomorphic, functional):
    for sense, same in (("isomorphic", isomorphic), ("functional", functional)):
        assert (SPACE.canonical(arch_of(*one), sense) == SPACE.canonical(arch_of(*other), sense)) == same


def test_another_sense_is_refused():
    arch = arch_of(0, 0, 0, 0, 0, 0)
    for use in (lambda: SPACE.canonical(arch, "function"), lambda: next(SPACE.classes("function"))):
        with pytest.raises(UsageError, match=r"unknown sense 'function'\. Did you mean 'functional'"):
            use()


def test_parse_wants_text():
    with pytest.raises(UsageError, match=r"expected text, got None\. Example: "):
        SPACE.parse(None)


def test_live_edges_are_those_on_a_path_from_input_to_output():
    paths = [(0, 3), (0, 1, 3), (0, 2, 3), (0, 1, 2, 3)]
    for genes in all_genes():
        present = {edge for edge, gene in zip(EDGES, genes, strict=True) if gene}
        walks = [set(itertools.pairwise(path)) for path in paths]
        assert live_edges(genes) == set().union(*(walk for walk in walks if walk <= present))


def test_cells_without_a_path_are_one_function():
    nothing = SPACE.canonical(arch_of(0, 0, 0, 0, 0, 0), "functional")
    cut = [genes for genes in all_genes() if not live_edges(genes)]
    assert len(cut) == OUTPUT_NEVER_REACHED
    assert {SPACE.canonical(arch_of(*genes), "functional") for genes in cut} == {nothing}


def test_encoding_is_one_hot_per_edge():
    code = SPACE.encode(arch_of(3, 2, 0, 4, 1, 3)).reshape(6, 5)
    assert code.argmax(axis=1).tolist() == [3, 2, 0, 4, 1, 3]
    assert code.sum() == 6


def test_drawing_shows_the_operations_and_dashes_dead_edges():
    svg = ElementTree.fromstring(SPACE.draw(SPACE.parse(GOOD.replace("nor_conv_3x3~2", "none~2"))))
    groups = [group for group in svg if group.tag.endswith("}g")]
    shown = {"".join(group.itertext()): group.get("stroke-dasharray") is not None for group in groups}
    assert shown == {"nor_conv_3x3": False, "nor_conv_1x1": True, "avg_pool_3x3": False, "skip_connect": False}


def test_drawing_is_titled_with_the_notation():
    svg = ElementTree.fromstring(SPACE.draw(SPACE.parse(GOOD)))
    assert svg.findtext("{*}title") == GOOD


@pytest.fixture(scope="module")
def table(data_root):
    """The published table of all cells, as a list of values per column."""
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = ["arch_str", "e01", "e02", "e12", "e03", "e13", "e23", "iso_class", "func_class"]
    path = data_root / "nb201" / "nb201_accuracy.parquet"
    if not path.is_file():
        pytest.skip(f"no {path.name} in the data folder")
    return parquet.read_table(path, columns=columns).to_pydict()


@pytest.mark.data
def test_notation_of_every_published_cell(table):
    edges = zip(*(table[name] for name in ("e01", "e02", "e12", "e03", "e13", "e23")), strict=True)
    cells = dict(zip(table["arch_str"], edges, strict=True))
    assert len(cells) == 15_625
    for text, genes in cells.items():
        assert SPACE.parse(text).genes == genes
        assert SPACE.format(arch_of(*genes)) == text


@pytest.mark.data
@pytest.mark.parametrize(("sense", "column"), [("isomorphic", "iso_class"), ("functional", "func_class")])
def test_classes_are_the_published_partition(table, sense, column):
    ours = [SPACE.canonical(SPACE.parse(text), sense) for text in table["arch_str"]]
    pairs = set(zip(ours, table[column], strict=True))
    assert len(pairs) == len(set(ours)) == len(set(table[column]))
