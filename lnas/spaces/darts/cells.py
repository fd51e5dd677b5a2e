"""Cells of DARTS as labelled graphs, and which of them are the same up to the names of their nodes.

A cell has two input nodes, 0 and 1, and intermediate nodes from 2 on. It is a tuple with a number for each possible
edge, those into node 2 first and by source within a node: 0 where the edge is absent, else a label. Each intermediate
node has two inputs, and the cell's output concatenates all of them: to permute them is to permute channels.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

INPUTS = 2

Cell = tuple[int, ...]
Ends = tuple[int, int]


class Wiring(NamedTuple):
    """Where the edges of a class of isomorphic cells are, and which symmetries their labels can break.

    Attributes:
        edges: Indices of the present edges of one of its cells.
        symmetries: For each automorphism, the cycles in which it permutes those edges.
    """

    edges: tuple[int, ...]
    symmetries: tuple[tuple[tuple[int, ...], ...], ...]

    def class_count(self, labels: int) -> int:
        """Count the labellings of the edges up to symmetry (Burnside's lemma)."""
        return sum(self.fixed(labels)) // len(self.symmetries)

    def fixed(self, labels: int) -> list[int]:
        """Count, for each symmetry, the labellings that it keeps: those constant on its cycles."""
        return [labels ** len(cycles) for cycles in self.symmetries]


@cache
def edge_ends(nodes: int) -> tuple[Ends, ...]:
    """Return (source, target) of each possible edge of a cell with so many intermediate nodes."""
    return tuple((source, target) for target in range(INPUTS, INPUTS + nodes) for source in range(target))


@cache
def edges_into(nodes: int) -> tuple[range, ...]:
    """Return, for each intermediate node, the indices of the edges that may lead to it."""
    ends = itertools.accumulate((INPUTS + node for node in range(nodes)), initial=0)
    return tuple(range(start, end) for start, end in itertools.pairwise(ends))


def canonical_cell(cell: Cell, nodes: int) -> Cell:
    """Return the smallest of the cell's twins."""
    return min(twin for twin, _ in _twins(cell, nodes))


@cache
def wirings(nodes: int) -> tuple[Wiring, ...]:
    """Return every wiring once, in a fixed order."""
    pairs = [itertools.combinations(edges, 2) for edges in edges_into(nodes)]
    cells = [_labelled(sum(chosen, ()), itertools.repeat(1), nodes) for chosen in itertools.product(*pairs)]
    return tuple(_wiring(cell, nodes) for cell in sorted({canonical_cell(cell, nodes) for cell in cells}))


@cache
def cell_class_count(nodes: int, labels: int) -> int:
    """Count the cells up to isomorphism."""
    return sum(wiring.class_count(labels) for wiring in wirings(nodes))


def cell_classes(nodes: int, labels: int) -> Iterator[Cell]:
    """Yield the canonical cell of each class once, wiring by wiring."""
    for wiring in wirings(nodes):
        for labelling in itertools.product(range(1, labels + 1), repeat=len(wiring.edges)):
            cell = _labelled(wiring.edges, labelling, nodes)
            # Among twins of this wiring, the first one stands for all.
            if cell == min(twin for twin, _ in _twins(cell, nodes) if _present(twin) == wiring.edges):
                yield canonical_cell(cell, nodes)


def sample_cell_class(nodes: int, labels: int, rng: np.random.Generator) -> Cell:
    """Draw a class exactly uniformly and return its canonical cell.

    A wiring in proportion to its classes, one of its symmetries in proportion to the labellings that it keeps, and one
    of those (Dixon and Wilf 1983).
    """
    wiring = wirings(nodes)[draw_index([wiring.class_count(labels) for wiring in wirings(nodes)], rng)]
    cycles = wiring.symmetries[draw_index(wiring.fixed(labels), rng)]
    label_of = {edge: label for cycle in cycles for label in [int(rng.integers(1, labels + 1))] for edge in cycle}
    return canonical_cell(_labelled(tuple(label_of), label_of.values(), nodes), nodes)


def draw_index(weights: Sequence[int], rng: np.random.Generator) -> int:
    """Draw an index with a probability exactly in proportion to its weight."""
    bounds = list(itertools.accumulate(weights))
    return bisect_right(bounds, int(rng.integers(bounds[-1])))


def _twins(cell: Cell, nodes: int) -> Iterator[tuple[Cell, tuple[int, ...]]]:
    """Yield the cell under each renaming of its intermediate nodes that keeps its edges forward, and the renaming."""
    present = _present(cell)
    for renaming in _renamings(nodes):
        if all(renaming[edge] >= 0 for edge in present):
            yield _labelled([renaming[edge] for edge in present], [cell[edge] for edge in present], nodes), renaming


@cache
def _renamings(nodes: int) -> tuple[tuple[int, ...], ...]:
    """Return where each permutation of the intermediate nodes takes each edge, -1 if it would point backward."""
    ends = edge_ends(nodes)
    index = {pair: edge for edge, pair in enumerate(ends)}
    inputs = tuple(range(INPUTS))
    names = [inputs + order for order in itertools.permutations(range(INPUTS, INPUTS + nodes))]
    return tuple(tuple(index.get((name[source], name[target]), -1) for source, target in ends) for name in names)


def _wiring(cell: Cell, nodes: int) -> Wiring:
    present = _present(cell)
    automorphisms = [renaming for twin, renaming in _twins(cell, nodes) if twin == cell]
    return Wiring(present, tuple(_cycles(present, renaming) for renaming in automorphisms))


def _cycles(edges: Sequence[int], renaming: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    cycles: list[tuple[int, ...]] = []
    for edge in edges:
        if not any(edge in cycle for cycle in cycles):
            cycle = [edge]
            while renaming[cycle[-1]] != edge:
                cycle.append(renaming[cycle[-1]])
            cycles.append(tuple(cycle))
    return tuple(cycles)


def _present(cell: Cell) -> tuple[int, ...]:
    return tuple(edge for edge, label in enumerate(cell) if label)


def _labelled(edges: Sequence[int], labels: Iterable[int], nodes: int) -> Cell:
    """Return the cell with these labels on these edges."""
    cell = [0] * len(edge_ends(nodes))
    for edge, label in zip(edges, labels, strict=False):
        cell[edge] = label
    return tuple(cell)
