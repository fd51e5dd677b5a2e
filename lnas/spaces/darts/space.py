"""The search space of DARTS, which is that of NAS-Bench-301: a normal cell and a reduction cell."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.spaces.base import SearchSpace
from lnas.spaces.darts.cells import (
    INPUTS,
    Cell,
    canonical_cell,
    cell_class_count,
    cell_classes,
    draw_index,
    edges_into,
    sample_cell_class,
)
from lnas.spaces.darts.notation import (
    CELLS,
    EDGES,
    NODES,
    OPS,
    OUTPUTS,
    Input,
    format_genotype,
    inputs_of,
    parse_genotype,
    split_cells,
)
from lnas.spaces.drawing import Edge, Svg, draw_cell, draw_stacked
from lnas.types import Arch, Region

_NAME = "darts"
_INTO = edges_into(NODES)
_LABELS = len(OPS) - 1
_NODE_NAMES = ("c(k-2)", "c(k-1)", *map(str, range(NODES)), "out")
_CELL_NAMES = ("normal cell", "reduction cell")


class DartsSpace(SearchSpace):
    """Pairs of cells whose four intermediate nodes sum two inputs each, (180 * 7^8)^2 = 1.1e18 of them.

    Genes 0 to 13 are the edges of the normal cell, 14 to 27 those of the reduction cell: (0,2) (1,2) (0,3) (1,3) (2,3)
    ..., 0 where the edge is absent, else its operation in DARTS' order, `max_pool_3x3, avg_pool_3x3, skip_connect,
    sep_conv_3x3, sep_conv_5x5, dil_conv_3x3, dil_conv_5x5`. Nodes 0 and 1 are the outputs of the cell before the last
    one and of the last one; an intermediate node has exactly two present edges; the cell's output concatenates all
    four. The notation is that of the released code, with each node's inputs by source.

    Cells are isomorphic when their intermediate nodes can be renamed into each other, the two cells independently.

    Source: Liu et al. 2019 (DARTS), `cnn/genotypes.py`; Zela et al. 2022 (NAS-Bench-301).

    Example:
        >>> from lnas.spaces.darts.genotypes import published_genotype
        >>> space, arch = DartsSpace(), published_genotype("DARTS_V2")
        >>> arch.genes[:14]
        (4, 4, 4, 4, 0, 3, 4, 0, 0, 3, 0, 6, 0, 0)
        >>> space.format(arch)[:80]
        "Genotype(normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), "
        >>> space.parse(space.format(arch)) == arch
        True
    """

    @property
    def name(self) -> str:
        return _NAME

    @property
    def size(self) -> int:
        return math.prod(math.comb(len(node), 2) * _LABELS**2 for node in _nodes())

    @property
    def class_count(self) -> int:
        """Counted with Burnside's lemma."""
        return cell_class_count(NODES, _LABELS) ** len(CELLS)

    @property
    def region(self) -> Region:
        """All eight choices of all 28 edges, as in DARTS' supernet, though the edges into node 2 are never absent."""
        return Region(_NAME, (tuple(range(len(OPS))),) * (len(CELLS) * len(EDGES)))

    @property
    def edges_by_node(self) -> list[range]:
        """The genes of the edges into each intermediate node of both cells."""
        return _nodes()

    def gene_names(self) -> tuple[str, ...]:
        return tuple(f"{cell} edge {source}->{target}" for cell in CELLS for source, target in EDGES)

    def choice_name(self, decision: int, choice: int) -> str:
        return OPS[choice]

    def parse(self, text: str) -> Arch:
        """Read a genotype as the released code prints it; the inputs of a node in either order."""
        normal, reduce = parse_genotype(text, call=f"DartsSpace.parse({text!r})")
        return Arch(_NAME, normal + reduce)

    def format(self, arch: Arch) -> str:
        self.validate(arch)
        return format_genotype(*split_cells(arch.genes))

    def from_alphas(self, normal: np.ndarray, reduce: np.ndarray) -> Arch:
        """Derive an architecture from DARTS' architecture parameters, as DARTS does.

        Each node keeps the two edges whose softmax weights have the largest maximum but for `none`, and each edge its
        operation of largest weight but for `none`; the first of equal ones.

        Args:
            normal: Parameters of the normal cell before the softmax, (14, 8); columns in the order of `OPS`.
            reduce: Those of the reduction cell.

        Raises:
            UsageError: If an array has another shape, holds a number that is not finite, or is none but a parameter
                that requires a gradient.

        Source: quark0/darts, `cnn/model_search.py`, `genotype`.
        """
        return Arch(_NAME, (*_derive(normal, "normal"), *_derive(reduce, "reduce")))

    def validate(self, arch: Arch) -> None:
        self.require_genes(arch)
        for k, node in enumerate(_nodes()):
            genes = tuple(arch.genes[gene] for gene in node)
            if sum(gene > 0 for gene in genes) != 2:
                expected = f"two edges other than 0 into {_node_name(k)}"
                raise UsageError(complaint(f"space {_NAME!r}", expected, genes, f"The genes were {arch.genes}."))

    def sample_from(self, region: Region, rng: np.random.Generator) -> Arch:
        self.require_region(region)
        genes = [0] * len(region.choices)
        for k, node in enumerate(_nodes()):
            pairs = list(itertools.combinations(node, 2))
            weights = [_pair_weight(pair, node, region) for pair in pairs]
            if not any(weights):
                call = f"DartsSpace.sample_from({str(region)!r})"
                expected = f"two edges into {_node_name(k)} that may be present while the others are absent"
                got = [region.choices[gene] for gene in node]
                raise UsageError(complaint(call, expected, got, "Allow 0 on all but two, and operations on two."))
            for gene in pairs[draw_index(weights, rng)]:
                operations = [op for op in region.choices[gene] if op]
                genes[gene] = operations[rng.integers(len(operations))]
        return Arch(_NAME, tuple(genes))

    def sample_class(self, rng: np.random.Generator) -> Arch:
        cells = [sample_cell_class(NODES, _LABELS, rng) for _ in CELLS]
        return Arch(_NAME, sum(cells, ()))

    def mutate(self, arch: Arch, rng: np.random.Generator) -> Arch:
        """Mutate an operation or the wiring at even odds, as the released TEG-NAS does.

        Source: VITA-Group/TEGNAS, `R_EA.py`. There a moved input may stay where it is, or come to lie on the node's
        other one; here it always moves, and to a free source.
        """
        return self.mutate_operation(arch, rng) if rng.integers(2) else self.mutate_wiring(arch, rng)

    def mutate_operation(self, arch: Arch, rng: np.random.Generator) -> Arch:
        """Give one present edge another operation, uniformly."""
        self.validate(arch)
        present = [k for k, gene in enumerate(arch.genes) if gene]
        gene = present[rng.integers(len(present))]
        others = [op for op in range(1, len(OPS)) if op != arch.genes[gene]]
        return _changed(arch, {gene: others[rng.integers(len(others))]})

    def mutate_wiring(self, arch: Arch, rng: np.random.Generator) -> Arch:
        """Move an input of a node to another source, with its operation.

        The node is drawn first, from those that have a choice, then one of its moves.
        """
        self.validate(arch)
        nodes = [node for node in _nodes() if len(node) > 2]
        moves = list(_moves(arch.genes, nodes[rng.integers(len(nodes))]))
        return _changed(arch, moves[rng.integers(len(moves))])

    def neighbors(self, arch: Arch) -> Iterator[Arch]:
        """Yield all mutants: 96 by an operation, 24 by the wiring."""
        self.validate(arch)
        for gene, op in itertools.product(range(len(arch.genes)), range(1, len(OPS))):
            if arch.genes[gene] not in (0, op):
                yield _changed(arch, {gene: op})
        for node in _nodes():
            for move in _moves(arch.genes, node):
                yield _changed(arch, move)

    def distance(self, arch: Arch, other: Arch) -> int:
        """Count the mutations it takes at least: a changed operation is one, an operation moved to a free edge one.

        They are found node by node, by pairing a node's two inputs in the one architecture with those in the other: a
        pair costs one if the operations differ and one if the sources do.
        """
        self.validate(arch)
        self.validate(other)
        pairs = zip(split_cells(arch.genes), split_cells(other.genes), strict=True)
        return sum(
            _node_distance(node, twin)
            for cell, other_cell in pairs
            for node, twin in zip(inputs_of(cell), inputs_of(other_cell), strict=True)
        )

    def canonical(self, arch: Arch) -> Arch:
        """Return the smallest genes that renaming the intermediate nodes of each cell can give."""
        self.validate(arch)
        return Arch(_NAME, sum((canonical_cell(cell, NODES) for cell in split_cells(arch.genes)), ()))

    def classes(self) -> Iterator[Arch]:
        for normal in cell_classes(NODES, _LABELS):
            for reduce in cell_classes(NODES, _LABELS):
                yield Arch(_NAME, normal + reduce)

    def draw(self, arch: Arch) -> Svg:
        title = self.format(arch)
        out = len(_NODE_NAMES) - 1
        pictures = []
        for name, cell in zip(_CELL_NAMES, split_cells(arch.genes), strict=True):
            edges = [Edge(source, target, OPS[op]) for (source, target), op in zip(EDGES, cell, strict=True) if op]
            edges += [Edge(node, out, "") for node in OUTPUTS]
            pictures.append((name, draw_cell(_NODE_NAMES, edges, name)))
        return draw_stacked(pictures, title)


def _nodes() -> list[range]:
    """Return the genes of each intermediate node of both cells."""
    return [range(first + edges.start, first + edges.stop) for first in (0, len(EDGES)) for edges in _INTO]


def _node_name(k: int) -> str:
    cell, node = divmod(k, NODES)
    return f"node {INPUTS + node} of the {_CELL_NAMES[cell]}"


def _changed(arch: Arch, changes: dict[int, int]) -> Arch:
    return Arch(_NAME, tuple(changes.get(k, gene) for k, gene in enumerate(arch.genes)))


def _moves(genes: Sequence[int], node: range) -> Iterator[dict[int, int]]:
    """Yield the changes that move one present edge of a node to an absent one."""
    for start, end in itertools.product(node, repeat=2):
        if genes[start] and not genes[end]:
            yield {start: 0, end: genes[start]}


def _node_distance(one: Sequence[Input], other: Sequence[Input]) -> int:
    # Moves that would need a third source to swap two operations are never cheaper than to change both.
    pairings = (zip(one, twins, strict=True) for twins in (other, other[::-1]))
    return min(sum(x != y for pair in pairing for x, y in zip(*pair, strict=True)) for pairing in pairings)


def _pair_weight(pair: tuple[int, int], node: range, region: Region) -> int:
    """Count the ways to choose operations on a pair of edges while the others are absent."""
    if any(0 not in region.choices[gene] for gene in node if gene not in pair):
        return 0
    return math.prod(sum(op != 0 for op in region.choices[gene]) for gene in pair)


def _derive(alphas: np.ndarray, cell: str) -> Cell:
    call = f"DartsSpace.from_alphas({cell}=...)"
    try:
        alphas = np.asarray(alphas, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:  # a tensor that requires grad: RuntimeError
        step = "Example: `parameters.detach().numpy()`."
        raise UsageError(complaint(call, "an array of numbers", type(alphas).__name__, step)) from error
    if alphas.shape != (len(EDGES), len(OPS)):
        raise UsageError(complaint(call, f"shape {(len(EDGES), len(OPS))}", alphas.shape, "A row is an edge."))
    if not np.isfinite(alphas).all():
        raise UsageError(complaint(call, "finite numbers", alphas.tolist(), "A search that diverged has no result."))
    from scipy.special import softmax

    weights = softmax(alphas, axis=1)[:, 1:]
    genes = [0] * len(EDGES)
    for edges in _INTO:
        strongest = np.argsort(-weights[edges].max(axis=1), kind="stable")[:2]
        for edge in (edges[k] for k in strongest):
            genes[edge] = int(weights[edge].argmax()) + 1
    return tuple(genes)
