from __future__ import annotations

import bisect
import collections
import functools
import itertools
import json
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from lnas.errors import UsageError
from lnas.spaces.nasbench101.graph import Module, canonical, graph_hash, pairs, prune
from lnas.spaces.nasbench101.oneshot import NasBench1Shot1Space
from lnas.spaces.nasbench101.space import NasBench101Space
from lnas.types import Arch

SPACES = {number: NasBench1Shot1Space(number) for number in (1, 2, 3)}
WHOLE = NasBench101Space()
CONV3, CONV1, POOL = "conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"
quickly = settings(deadline=None, max_examples=50)
SEEDS = st.integers(0, 2**32 - 1)
GOOD = {
    "parents": {"1": [0], "2": [0, 1], "3": [0, 2], "4": [1, 3], "5": [2, 4]},
    "operations": [CONV3, CONV1, POOL, CONV3],
}
ARCH = Arch("nasbench1shot1_1", (1, 4, 8, 0, 1, 2, 0))


def sampled(number: int, seed: int) -> Arch:
    return SPACES[number].sample(np.random.default_rng(seed))


def test_names_are_those_of_the_regions():
    assert [space.name for space in SPACES.values()] == [f"nasbench1shot1_{number}" for number in (1, 2, 3)]


@pytest.mark.parametrize("number", [0, 4, "1", True, 1.0, [1]])
def test_there_are_three_sub_spaces(number):
    with pytest.raises(UsageError) as caught:
        NasBench1Shot1Space(number)
    assert f"(subspace={number!r}): expected a sub-space of 1, 2, 3, got {number!r}" in str(caught.value)


def test_genes_are_parents_where_there_is_a_choice_then_operations():
    assert SPACES[1].parse(json.dumps(GOOD)) == ARCH
    assert SPACES[1].parents(ARCH) == ((), (0,), (0, 1), (0, 2), (1, 3), (2, 4))
    assert SPACES[1].operations(ARCH) == (CONV3, CONV1, POOL, CONV3)
    names = {number: space.gene_names() for number, space in SPACES.items()}
    assert names[1] == (
        *(f"parents of vertex {vertex}" for vertex in (3, 4, 5)),
        *(f"operation of vertex {vertex}" for vertex in (1, 2, 3, 4)),
    )
    assert names[2][0] == names[3][0] == "parents of vertex 2"
    assert [len(names[number]) for number in (1, 2, 3)] == [7, 8, 10]


def test_choices_are_in_lexicographic_order():
    assert SPACES[3].decisions[1].choices == ("0", "1", "2")
    assert SPACES[1].decisions[1].choices == ("0,1", "0,2", "0,3", "1,2", "1,3", "2,3")


@pytest.mark.parametrize("number", SPACES)
@quickly
@given(seed=SEEDS)
def test_parse_undoes_format(number, seed):
    arch = sampled(number, seed)
    assert SPACES[number].parse(SPACES[number].format(arch)) == arch


def replaced(**parents):
    return {"parents": GOOD["parents"] | parents, "operations": GOOD["operations"]}


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        ([], "expected a JSON object with parents and operations, got '[]'"),
        ({"parents": {}}, "expected a JSON object with parents and operations"),
        (GOOD | {"parents": [[0]]}, "expected the parents of vertices 1, 2, 3, 4, 5, got [[0]]"),
        (GOOD | {"parents": {"1": [0]}}, "expected the parents of vertices 1, 2, 3, 4, 5, got {'1': [0]}"),
        (replaced(**{"6": [0]}), "expected the parents of vertices 1, 2, 3, 4, 5, got {'1': [0],"),
        (replaced(**{"3": [0, 1, 2]}), "2 ascending vertices below 3 as parents of vertex 3, got [0, 1, 2]"),
        (replaced(**{"3": [2, 0]}), "2 ascending vertices below 3 as parents of vertex 3, got [2, 0]"),
        (replaced(**{"3": [2, 3]}), "2 ascending vertices below 3 as parents of vertex 3, got [2, 3]"),
        (replaced(**{"1": []}), "1 ascending vertices below 1 as parents of vertex 1, got []"),
        (replaced(**{"1": [False]}), "1 ascending vertices below 1 as parents of vertex 1, got [False]"),
        (GOOD | {"more": 1}, "expected no key but parents, operations, got 'more'"),
        (replaced(**{"1": 0}), "1 ascending vertices below 1 as parents of vertex 1, got 0"),
        (GOOD | {"operations": [CONV3] * 5}, f"4 operations, one per inner vertex, got {[CONV3] * 5}"),
        (GOOD | {"operations": CONV3}, f"4 operations, one per inner vertex, got '{CONV3}'"),
        (
            GOOD | {"operations": [CONV3, CONV3, "skip", CONV3]},
            f"an operation of {CONV3}, {CONV1}, {POOL} at vertex 3, got 'skip'",
        ),
    ],
)
def test_parse_names_what_is_wrong(record, complaint):
    text = json.dumps(record)
    with pytest.raises(UsageError) as caught:
        SPACES[1].parse(text)
    assert complaint in str(caught.value)
    assert f"NasBench1Shot1Space(subspace=1).parse({text!r})" in str(caught.value)
    if "Example: " in str(caught.value):
        SPACES[1].parse(str(caught.value).split("Example: ")[1].removesuffix("."))


@pytest.mark.parametrize("text", [None, b"{}", "[" * 3000])
def test_parse_refuses_what_no_reader_takes(text):
    with pytest.raises(UsageError, match=r"expected .*, got .* Example: "):
        SPACES[1].parse(text)


def test_another_kind_of_loose_ends_is_refused():
    with pytest.raises(UsageError, match=r"unknown kind of loose ends 'prune'\. Did you mean 'pruned'"):
        next(SPACES[1].cells("prune"))


def test_every_cell_has_nine_edges_of_the_large_space():
    for number in SPACES:
        for seed in range(20):
            arch = SPACES[number].to_nasbench101(sampled(number, seed))
            WHOLE.validate(arch)
            assert sum(arch.genes[:21]) == 9


def test_cell_of_the_large_space_worked_by_hand():
    """Six vertices: the output becomes vertex 6, and vertex 5 is dead."""
    arch = SPACES[1].to_nasbench101(ARCH)
    joined = [pair for pair, bit in zip(pairs(7), arch.genes[:21], strict=True) if bit]
    assert joined == [(0, 1), (0, 2), (1, 2), (0, 3), (2, 3), (1, 4), (3, 4), (2, 6), (4, 6)]
    assert arch.genes[21:] == (0, 1, 2, 0, 0)


@pytest.mark.parametrize(
    ("number", "loose_ends", "connectivities", "architectures"),
    [
        (1, "kept", 180, 14_580),
        (2, "kept", 360, 29_160),
        (1, "pruned", 66, 3_702),
        (2, "pruned", 190, 12_474),
        (3, "pruned", 876, 135_900),
    ],
)
def test_numbers_of_cells_are_those_of_the_released_check(number, loose_ends, connectivities, architectures):
    space = SPACES[number]
    cells = list(space.cells(loose_ends))
    parents = len(space.decisions) - (space.vertices - 2)
    assert len({arch.genes[:parents] for arch in cells}) == connectivities
    assert len(cells) == len(set(cells)) == architectures
    assert cells == sorted(cells)


@pytest.mark.parametrize(("number", "size"), [(1, 180 * 3**4), (2, 360 * 3**4), (3, 5_400 * 3**5)])
def test_size_counts_loose_ends(number, size):
    assert SPACES[number].size == size
    assert size in (14_580, 29_160, 1_312_200)


@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_cells_without_loose_ends_are_those_that_differ_once_pruned(number):
    def left(arch: Arch) -> tuple[object, ...]:
        """What feeds the output, found backwards from it."""
        parents, operations = SPACES[number].parents(arch), SPACES[number].operations(arch)
        used = {len(parents) - 1}
        for vertex in reversed(range(len(parents))):
            used |= {*parents[vertex]} if vertex in used else set()
        return tuple((v, parents[v], operations[v - 1 : v]) for v in sorted(used - {0}))

    firsts: dict[object, Arch] = {}
    for arch in SPACES[number].cells():
        firsts.setdefault(left(arch), arch)
    assert sorted(firsts.values()) == list(SPACES[number].cells("pruned"))


@pytest.mark.parametrize(("number", "published"), [(1, 2_685), (2, 7_773)])
def test_classes_are_as_many_as_published_hashes(number, published):
    space = SPACES[number]
    assert space.class_count == published
    hashes = {WHOLE.module_hash(space.to_nasbench101(arch)) for arch in space.classes()}
    assert len(hashes) == published


def test_number_of_classes_of_the_largest_sub_space():
    """Counted from the cells without loose ends by the canonical form of the large space; see the slow test."""
    assert SPACES[3].class_count == len(set(SPACES[3].classes())) == 55_854


@pytest.mark.slow
def test_classes_of_the_largest_sub_space_one_by_one():
    space = SPACES[3]
    pruned = {WHOLE.canonical(space.to_nasbench101(arch)) for arch in space.cells("pruned")}
    assert pruned == {WHOLE.canonical(space.to_nasbench101(arch)) for arch in space.classes()}
    assert len(pruned) == 55_854


def test_representatives_are_the_first_of_their_class():
    """Every architecture of sub-space 1, by the canonical form of its graph."""
    space = SPACES[1]
    firsts: dict[Module, Arch] = {}
    for arch in space.cells():
        genes = space.to_nasbench101(arch).genes
        first = firsts.setdefault(canonical(prune(Module(genes[:21], genes[21:]))), arch)
        assert space.canonical(arch) == first
    assert list(space.classes()) == list(firsts.values())


@pytest.mark.parametrize("number", [2, 3])
@quickly
@given(seed=SEEDS)
def test_canonical_is_isomorphic_and_not_larger(number, seed):
    space, arch = SPACES[number], sampled(number, seed)
    representative = space.canonical(arch)
    assert representative <= arch
    assert space.canonical(representative) == representative
    hashes = {WHOLE.module_hash(space.to_nasbench101(member)) for member in (arch, representative)}
    assert len(hashes) == 1


def test_operations_of_loose_ends_change_nothing():
    """Vertices 2, 3 and 4 do not reach the output."""
    arch = Arch("nasbench1shot1_1", (0, 0, 0, 1, 0, 0, 0))
    assert SPACES[1].parents(arch)[-1] == (0, 1)
    for operations in itertools.product(range(3), repeat=3):
        twin = Arch(arch.space, (*arch.genes[:4], *operations))
        assert SPACES[1].canonical(twin) == arch


def test_class_samples_are_uniform():
    rng = np.random.default_rng(0)
    drawn = collections.Counter(SPACES[1].sample_class(rng) for _ in range(10 * 2_685))
    assert set(drawn) <= set(SPACES[1].classes())
    counts = [*drawn.values(), *[0] * (2_685 - len(drawn))]
    assert chisquare(counts).pvalue > 1e-3


def test_samples_are_uniform_on_every_gene():
    rng = np.random.default_rng(0)
    genes = np.array([SPACES[2].sample(rng).genes for _ in range(2000)])
    for column, decision in zip(genes.T, SPACES[2].decisions, strict=True):
        assert chisquare(np.bincount(column, minlength=len(decision.choices))).pvalue > 1e-4


@pytest.mark.parametrize("use", ["format", "parents", "operations", "to_nasbench101", "canonical", "draw"])
def test_every_method_refuses_what_is_not_of_the_space(use):
    with pytest.raises(UsageError, match=r"expected gene 2 \(parents of vertex 5\) in 0..9, got 10"):
        getattr(SPACES[1], use)(Arch("nasbench1shot1_1", (0, 0, 10, 0, 0, 0, 0)))
    with pytest.raises(UsageError, match="expected an arch of 'nasbench1shot1_2', got 'nasbench1shot1_1:"):
        getattr(SPACES[2], use)(ARCH)


def test_drawing_names_the_operations():
    svg = ElementTree.fromstring(SPACES[1].draw(ARCH))
    texts = [element.text for element in svg.findall(".//{*}text")]
    assert [texts.count(label) for label in ("input", CONV3, CONV1, POOL, "output")] == [1, 2, 1, 1, 1]


@pytest.fixture(scope="module")
def listed(data_root):
    """Tells whether the released table, which is sorted by hash, has a row of this hash."""
    path = data_root / "nb101" / "nb101_full.npz"
    if not path.is_file():
        pytest.skip(f"no {path.name} in the data folder")
    with np.load(path) as data:
        vertices, bits, ops = (data[name] for name in ("num_vertices", "adj_bits", "ops"))

    @functools.cache
    def row_hash(row: int) -> str:
        count, number = int(vertices[row]), int(bits[row])
        edges = tuple(number >> place & 1 for place in range(len(pairs(count))))
        return graph_hash(Module(edges, tuple(ops[row, : count - 2].tolist())))

    def contains(wanted: str) -> bool:
        row = bisect.bisect_left(range(len(bits)), wanted, key=row_hash)
        return row < len(bits) and row_hash(row) == wanted

    return contains


@pytest.mark.data
@pytest.mark.parametrize("number", SPACES)
def test_sampled_cells_are_in_the_table(listed, number):
    space = SPACES[number]
    for seed in range(100):
        assert listed(WHOLE.module_hash(space.to_nasbench101(sampled(number, seed))))
    assert not listed("0" * 32)
    assert not listed("f" * 32)


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize("number", SPACES)
def test_all_classes_are_in_the_table(listed, number):
    space = SPACES[number]
    hashes = {WHOLE.module_hash(space.to_nasbench101(arch)) for arch in space.classes()}
    assert len(hashes) == space.class_count
    assert all(listed(module_hash) for module_hash in hashes)
