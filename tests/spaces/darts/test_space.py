from __future__ import annotations

import collections
import itertools
import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from lnas.errors import UsageError
from lnas.spaces.darts.cells import cell_class_count
from lnas.spaces.darts.genotypes import GENOTYPES
from lnas.spaces.darts.notation import EDGES, OPS
from lnas.spaces.darts.space import DartsSpace
from lnas.types import Arch, Region

SPACE = DartsSpace()
SEEDS = st.integers(0, 2**32 - 1)
quickly = settings(deadline=None, max_examples=50)
GOOD = str(GENOTYPES["DARTS_V2"])
GOOD_NORMAL = (4, 4, 4, 4, 0, 3, 4, 0, 0, 3, 0, 6, 0, 0)
GOOD_REDUCE = (1, 1, 0, 1, 3, 1, 0, 3, 0, 0, 1, 3, 0, 0)


def sampled(seed: int) -> Arch:
    return SPACE.sample(np.random.default_rng(seed))


def test_size_is_two_cells_of_two_inputs_per_node():
    assert SPACE.size == (180 * 7**8) ** 2


def test_class_count_is_that_of_two_cells():
    assert SPACE.class_count == 382_128_166**2 == cell_class_count(4, 7) ** 2


def test_genes_are_edges_by_target():
    names = SPACE.gene_names()
    assert names[:3] == ("normal edge 0->2", "normal edge 1->2", "normal edge 0->3")
    assert names[13:15] == ("normal edge 4->5", "reduce edge 0->2")
    assert len(names) == len(SPACE.region.choices) == 28
    assert set(SPACE.region.choices) == {tuple(range(8))}


def with_genes(changes: dict[int, int]) -> Arch:
    genes = GOOD_NORMAL + GOOD_REDUCE
    return Arch("darts", tuple(changes.get(k, gene) for k, gene in enumerate(genes)))


@pytest.mark.parametrize(
    ("arch", "complaint"),
    [
        (Arch("tiny", (0,) * 28), "expected an arch of 'darts'"),
        (Arch("darts", GOOD_NORMAL), "expected 28 genes"),
        (with_genes({11: 8}), "expected gene 11 (normal edge 2->5) in 0..7, got 8"),
        (with_genes({0: 0}), "expected two edges other than 0 into node 2 of the normal cell, got (0, 4)"),
        (with_genes({4: 1}), "expected two edges other than 0 into node 3 of the normal cell, got (4, 4, 1)"),
        (with_genes({27: 2}), "into node 5 of the reduction cell, got (0, 1, 3, 0, 2). The genes were (4, 4,"),
    ],
)
@pytest.mark.parametrize("use", [SPACE.validate, SPACE.format, SPACE.draw, SPACE.canonical, SPACE.encode])
def test_every_method_refuses_what_is_not_of_the_space(use, arch, complaint):
    with pytest.raises(UsageError) as caught:
        use(arch)
    assert complaint in str(caught.value)


def alphas_of(rows: dict[int, dict[str, float]]) -> np.ndarray:
    alphas = np.zeros((14, 8))
    for edge, row in rows.items():
        for op, value in row.items():
            alphas[edge, OPS.index(op)] = value
    return alphas


def test_alphas_keep_the_two_strongest_edges_by_their_softmax():
    """Into node 3, edges 2, 3, 4: the operation of edge 2 has the largest parameter, but a small share."""
    alphas = alphas_of({2: {"none": 9, "dil_conv_5x5": 3}, 3: {"sep_conv_5x5": 2}, 4: {"skip_connect": 1}})
    cell = SPACE.from_alphas(alphas, np.zeros((14, 8))).genes[:14]
    assert cell[2:5] == (0, OPS.index("sep_conv_5x5"), OPS.index("skip_connect"))


def test_alphas_never_choose_none():
    alphas = alphas_of({edge: {"none": 5, "avg_pool_3x3": 1} for edge in range(14)})
    assert set(SPACE.from_alphas(alphas, alphas).genes) == {0, OPS.index("avg_pool_3x3")}


@pytest.mark.parametrize(
    ("normal", "complaint"),
    [
        (np.zeros((14, 7)), "from_alphas(normal=...): expected shape (14, 8), got (14, 7)"),
        ([[0.0] * 8] * 13 + [[0.0]], "expected an array of numbers, got 'list'"),
        (torch.zeros(14, 8, requires_grad=True), "got 'Tensor'. Example: `parameters.detach().numpy()`."),
        (np.full((14, 8), np.nan), "from_alphas(normal=...): expected finite numbers"),
    ],
)
def test_alphas_of_another_form_are_refused(normal, complaint):
    with pytest.raises(UsageError) as caught:
        SPACE.from_alphas(normal, np.zeros((14, 8)))
    assert complaint in str(caught.value)


@pytest.mark.data
def test_alphas_give_what_the_released_code_derives(data_root):
    records = json.loads((data_root / "oracles" / "oracles.json").read_text())
    value = {record["case"]: record["value"] for record in records if record["metric"] == "genotype"}
    i = np.arange(1, 14 * 8 + 1)
    waves = [np.sin(0.37 * i**2 + 0.7 * i + phase).reshape(14, 8) for phase in (0.0, 1.3)]
    fields = {
        k: [tuple(item) if isinstance(item, list) else item for item in v] for k, v in value["darts:alpha"].items()
    }
    expected = f"Genotype({', '.join(f'{name}={entries}' for name, entries in fields.items())})"
    assert SPACE.from_alphas(*waves) == SPACE.parse(expected)
    zeros = [tuple(item) for item in value["darts:alpha_zero"]]
    expected = f"Genotype(normal={zeros}, normal_concat=range(2, 6), reduce={zeros}, reduce_concat=range(2, 6))"
    assert SPACE.from_alphas(np.zeros((14, 8)), np.zeros((14, 8))) == SPACE.parse(expected)


@pytest.mark.data
def test_genotypes_of_nas_bench_301_are_of_the_space(data_root):
    path = data_root / "nb301" / "nb301_xgb_v1_1218.json"
    rows = json.loads(path.read_text())
    archs = set()
    for cells, _ in rows[::4]:
        genes = [0] * 28
        for cell, inputs in enumerate(cells):
            for k, (source, op) in enumerate(inputs):
                genes[14 * cell + EDGES.index((source, 2 + k // 2))] = op + 1
        archs.add(Arch("darts", tuple(genes)))
    assert len(archs) > 300
    for arch in archs:
        SPACE.validate(arch)
        assert SPACE.parse(SPACE.format(arch)) == arch


def changed_genes(one: Arch, other: Arch) -> dict[int, tuple[int, int]]:
    pairs = enumerate(zip(one.genes, other.genes, strict=True))
    return {gene: (before, after) for gene, (before, after) in pairs if before != after}


@quickly
@given(SEEDS)
def test_mutated_operation_leaves_the_wiring(seed):
    arch = sampled(seed)
    mutant = SPACE.mutate_operation(arch, np.random.default_rng(seed))
    SPACE.validate(mutant)
    ((before, after),) = changed_genes(arch, mutant).values()
    assert before
    assert after


@quickly
@given(SEEDS)
def test_mutated_wiring_moves_an_operation_within_its_node(seed):
    arch = sampled(seed)
    mutant = SPACE.mutate_wiring(arch, np.random.default_rng(seed))
    SPACE.validate(mutant)
    (one, (old, new)), (other, back) = changed_genes(arch, mutant).items()
    assert 0 in (old, new)
    assert back == (new, old)
    assert EDGES[one % 14][1] == EDGES[other % 14][1] > 2
    assert one // 14 == other // 14


def test_mutations_are_of_both_kinds_at_even_odds():
    rng, arch = np.random.default_rng(0), SPACE.parse(GOOD)
    changes = collections.Counter(len(changed_genes(arch, SPACE.mutate(arch, rng))) for _ in range(2000))
    assert set(changes) == {1, 2}
    assert changes[1] == pytest.approx(1000, abs=90)


def test_mutated_operations_are_uniform():
    rng, arch = np.random.default_rng(0), SPACE.parse(GOOD)
    drawn = collections.Counter(SPACE.mutate_operation(arch, rng) for _ in range(4800))
    assert len(drawn) == 96
    assert chisquare(list(drawn.values())).pvalue > 0.001


def test_mutated_wirings_are_uniform_over_nodes_then_moves():
    rng, arch = np.random.default_rng(0), SPACE.parse(GOOD)
    drawn = collections.Counter(SPACE.mutate_wiring(arch, rng) for _ in range(3600))
    assert len(drawn) == 24
    moves = {3: 2, 4: 4, 5: 6}
    expected = [3600 / 6 / moves[EDGES[next(iter(changed_genes(arch, mutant))) % 14][1]] for mutant in drawn]
    assert chisquare(list(drawn.values()), expected).pvalue > 0.001


def test_neighbors_are_all_mutants():
    arch = SPACE.parse(GOOD)
    neighbors = list(SPACE.neighbors(arch))
    kinds = collections.Counter(len(changed_genes(arch, neighbor)) for neighbor in neighbors)
    assert kinds == {1: 2 * 8 * 6, 2: 2 * (2 * 1 + 2 * 2 + 2 * 3)}
    assert len(set(neighbors)) == len(neighbors)


def test_distance_is_the_least_number_of_mutations():
    """Breadth first over all 490 ways to feed node 5."""
    start = SPACE.parse(GOOD)
    steps, frontier = {start: 0}, [start]
    while frontier:
        arch = frontier.pop(0)
        for neighbor in SPACE.neighbors(arch):
            if neighbor not in steps and set(changed_genes(start, neighbor)) <= set(range(9, 14)):
                steps[neighbor] = steps[arch] + 1
                frontier.append(neighbor)
    assert len(steps) == 10 * 7**2
    assert max(steps.values()) == 4
    for arch, count in steps.items():
        assert SPACE.distance(start, arch) == SPACE.distance(arch, start) == count


def test_distance_is_between_architectures_of_the_space():
    arch = SPACE.parse(GOOD)
    for pair in ((arch, Arch("tiny", (0,))), (with_genes({0: 0}), arch)):
        with pytest.raises(UsageError, match="space 'darts': expected"):
            SPACE.distance(*pair)


def test_samples_of_arrays_of_choices_are_plain():
    region = Region("darts", (np.arange(8),) * 28)
    assert {type(gene) for gene in SPACE.sample_from(region, np.random.default_rng(0)).genes} == {int}


@quickly
@given(SEEDS, SEEDS)
def test_distance_adds_up_over_the_nodes(one, other):
    one, other = sampled(one), sampled(other)
    node_of = [14 * (gene >= 14) + EDGES[gene % 14][1] for gene in range(28)]
    mixed = [
        Arch(
            "darts",
            tuple(b if node_of[k] == node else a for k, (a, b) in enumerate(zip(one.genes, other.genes, strict=True))),
        )
        for node in sorted(set(node_of))
    ]
    assert SPACE.distance(one, other) == sum(SPACE.distance(one, arch) for arch in mixed)
    assert (SPACE.distance(one, other) == 0) is (one == other)


@quickly
@given(SEEDS, st.permutations(range(2, 6)), st.permutations(range(2, 6)))
def test_renaming_nodes_keeps_the_class(seed, normal, reduce):
    arch = sampled(seed)
    genes = [0] * 28
    for cell, order in enumerate((normal, reduce)):
        name = [0, 1, *order]
        for (source, target), gene in zip(EDGES, arch.genes[14 * cell : 14 * cell + 14], strict=True):
            if gene and name[source] > name[target]:
                return
            if gene:
                genes[14 * cell + EDGES.index((name[source], name[target]))] = gene
    twin = Arch("darts", tuple(genes))
    SPACE.validate(twin)
    assert SPACE.canonical(twin) == SPACE.canonical(arch)
    assert SPACE.canonical(arch).genes <= arch.genes


def test_unconnected_nodes_may_swap_places_but_cells_may_not():
    """Nodes 2 and 3 of DARTS_V2 have the same inputs, and node 5 reads node 2."""
    arch = SPACE.parse(GOOD)
    twin = with_genes({0: 4, 1: 4, 11: 0, 12: 6})
    assert twin != arch
    assert SPACE.canonical(twin) == SPACE.canonical(arch)
    swapped = Arch("darts", GOOD_REDUCE + GOOD_NORMAL)
    assert SPACE.canonical(swapped) != SPACE.canonical(arch)


def test_sampled_classes_are_canonical_and_vary_in_both_cells():
    rng = np.random.default_rng(0)
    archs = [SPACE.sample_class(rng) for _ in range(100)]
    for arch in archs:
        SPACE.validate(arch)
        assert SPACE.canonical(arch) == arch
        assert {type(gene) for gene in arch.genes} == {int}
    assert len({arch.genes[:14] for arch in archs}) == len({arch.genes[14:] for arch in archs}) == 100


def test_samples_are_uniform_over_edges_and_operations():
    rng = np.random.default_rng(0)
    genes = np.array([SPACE.sample(rng).genes for _ in range(1500)])
    for edge, (_, target) in enumerate(EDGES * 2):
        present = 1500 * 2 / target
        counts = np.bincount(genes[:, edge], minlength=8)
        assert counts[0] == pytest.approx(1500 - present, abs=90)
        assert counts[1:] == pytest.approx(present / 7, abs=65)


def pruned(choices: dict[int, tuple[int, ...]]) -> Region:
    region = Region.of(SPACE.parse(GOOD))
    for gene, allowed in choices.items():
        region = region.replaced(gene, allowed)
    return region


# Into node 3, edge 4 is always present; into node 4, edges 6 and 7 have two operations each.
PRUNED = pruned({2: (0, 4), 3: (0, 3, 4, 5), 4: (4,), 5: (0, 1), 6: (0, 2, 3), 7: (0, 2, 6), 8: (0,), 22: (0, 1, 2)})


def archs_of(region: Region) -> list[Arch]:
    found = []
    for genes in itertools.product(*region.choices):
        try:
            SPACE.validate(Arch("darts", genes))
        except UsageError:
            continue
        found.append(Arch("darts", genes))
    return found


def test_samples_of_a_region_are_uniform_over_its_architectures():
    archs = archs_of(PRUNED)
    # Node 3: 1 + 3; node 4: 2 + 2 + 4; node 4 of the reduction cell keeps edges 19 and 21, so that 22 stays absent.
    assert len(archs) == 4 * 8
    rng = np.random.default_rng(0)
    drawn = collections.Counter(SPACE.sample_from(PRUNED, rng) for _ in range(100 * len(archs)))
    assert set(drawn) == set(archs)
    assert chisquare(list(drawn.values())).pvalue > 0.001


@pytest.mark.parametrize(
    ("region", "complaint"),
    [
        (pruned({3: (0,)}), "expected two edges into node 3 of the normal cell that may be present while"),
        (
            pruned({4: (1, 2)}),
            "into node 3 of the normal cell that may be present while the others are absent, got [(4,)",
        ),
        (pruned({14: (0,)}), "into node 2 of the reduction cell"),
        (Region("tiny", ((0,),)), "expected a region of 'darts'"),
    ],
)
def test_a_region_without_architectures_is_refused(region, complaint):
    with pytest.raises(UsageError) as caught:
        SPACE.sample_from(region, np.random.default_rng(0))
    assert complaint in str(caught.value)


def test_drawing_shows_both_cells_with_all_their_operations():
    svg = ElementTree.fromstring(SPACE.draw(SPACE.parse(GOOD)))
    texts = [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")]
    counts = collections.Counter(texts)
    assert counts["normal cell"] == counts["reduction cell"] == 1
    assert all(counts[node] == 2 for node in ("c(k-2)", "c(k-1)", "0", "1", "2", "3", "out"))
    shown = {op: count for op, count in counts.items() if op in OPS}
    assert shown == collections.Counter(re.findall(r"'(\w+)', \d", GOOD))
    assert svg.findtext("{*}title") == SPACE.format(SPACE.parse(GOOD))
