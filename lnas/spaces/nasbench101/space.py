"""NAS-Bench-101: 423,624 cells, as graphs of at most seven vertices with operations on the vertices."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.reading import read_json_object
from lnas.spaces.base import SearchSpace
from lnas.spaces.drawing import Edge, Svg, draw_cell
from lnas.spaces.nasbench101.classes import module_at, module_count, modules
from lnas.spaces.nasbench101.graph import (
    MAX_EDGES,
    OPS,
    VERTICES,
    Matrix,
    Module,
    canonical,
    clear_dead,
    edges_of,
    embed,
    graph_hash,
    live_vertices,
    pairs,
    prune,
)
from lnas.spaces.nasbench101.specs import codes_within, valid_codes
from lnas.types import Arch, Region

INPUT, OUTPUT = "input", "output"

_NAME = "nasbench101"
_EDGES = len(pairs(VERTICES))
_INNER = VERTICES - 2
_REGION = Region(_NAME, ((0, 1),) * _EDGES + (tuple(range(len(OPS))),) * _INNER)
_ADJACENCY, _OPERATIONS = "module_adjacency", "module_operations"
_EXAMPLE = (
    f'Example: {{"{_ADJACENCY}": [[0, 1, 1], [0, 0, 1], [0, 0, 0]], '
    f'"{_OPERATIONS}": ["{INPUT}", "{OPS[0]}", "{OUTPUT}"]}}.'
)


class NasBench101Space(SearchSpace):
    """Cells of seven vertices, of which those off every path from input to output are pruned.

    Genes 0 to 20 are the edges, 0 or 1, in the order (0,1) (0,2) (1,2) (0,3) ...; genes 21 to 25 the operations of
    vertices 1 to 5, as an index into `conv3x3-bn-relu, conv1x1-bn-relu, maxpool3x3`. Vertex 0 is the input, vertex 6
    the output. An architecture is valid if its input reaches its output and at most nine edges are left after pruning.
    Smaller cells are those whose other vertices are dead; `parse` takes them as they are, and calls their output
    vertex 6.

    The notation is JSON with the names of the released data: `module_adjacency`, the upper triangular matrix, and
    `module_operations`, the vertices' labels.

    Source: Ying et al. 2019 (NAS-Bench-101).

    Example:
        >>> space = NasBench101Space()
        >>> arch = space.from_matrix([[0, 1, 1], [0, 0, 1], [0, 0, 0]], ["input", "maxpool3x3", "output"])
        >>> [name for name, gene in zip(space.gene_names(), arch.genes) if gene]
        ['edge 0->1', 'edge 0->6', 'edge 1->6', 'operation of vertex 1']
        >>> space.pruned(arch)
        (((0, 1, 1), (0, 0, 1), (0, 0, 0)), ('input', 'maxpool3x3', 'output'))
    """

    @property
    def name(self) -> str:
        return _NAME

    @property
    def size(self) -> int:
        """373,754,169, counted over all matrices once (about a third of a second, then remembered)."""
        return len(valid_codes()) * len(OPS) ** _INNER

    @property
    def class_count(self) -> int:
        """423,624, as published: counted by walking all classes once (one to two seconds, then remembered)."""
        return module_count()

    @property
    def region(self) -> Region:
        return _REGION

    def gene_names(self) -> tuple[str, ...]:
        edges = (f"edge {source}->{target}" for source, target in pairs(VERTICES))
        return (*edges, *(f"operation of vertex {vertex}" for vertex in range(1, VERTICES - 1)))

    def parse(self, text: str) -> Arch:
        """Read the notation; cells of 2 to 7 vertices.

        Raises:
            UsageError: If the text is no such JSON or has more keys, a label is unknown, the matrix is not square, not
                of 0 and 1 or not upper triangular, the input does not reach the output, or more than nine edges are
                left after pruning.
        """
        call = f"NasBench101Space.parse({text!r})"
        record = read_json_object(call, text, (_ADJACENCY, _OPERATIONS), _EXAMPLE)
        return _arch(_read(call, record[_ADJACENCY], record[_OPERATIONS]))

    def from_matrix(self, matrix: Sequence[Sequence[int]] | np.ndarray, operations: Sequence[str]) -> Arch:
        """Return the architecture of an adjacency matrix and its vertices' labels.

        Args:
            matrix: Upper triangular, of 0 and 1, for 2 to 7 vertices.
            operations: `input`, one of `OPS` per inner vertex, `output`.

        Raises:
            UsageError: As `parse` does.
        """
        rows, labels = _listed(matrix), _listed(operations)
        return _arch(_read(f"NasBench101Space.from_matrix({rows}, {labels})", rows, labels))

    def format(self, arch: Arch) -> str:
        return json.dumps({_ADJACENCY: self.matrix(arch), _OPERATIONS: self.operations(arch)})

    def matrix(self, arch: Arch) -> Matrix:
        """Return the adjacency matrix of all seven vertices."""
        return self._module(arch).matrix

    def operations(self, arch: Arch) -> tuple[str, ...]:
        """Return the labels of all seven vertices."""
        return _labels(self._module(arch))

    def pruned(self, arch: Arch) -> tuple[Matrix, tuple[str, ...]]:
        """Return the matrix and the labels of the vertices that lie on a path from the input to the output."""
        module = prune(self._module(arch))
        return module.matrix, _labels(module)

    def module_hash(self, arch: Arch) -> str:
        """Return the hash of the pruned cell, under which the published table lists it."""
        return graph_hash(prune(self._module(arch)))

    def validate(self, arch: Arch) -> None:
        self.require_genes(arch)
        _require_valid(f"space {_NAME!r}", _raw_module(arch.genes))

    def sample_from(self, region: Region, rng: np.random.Generator) -> Arch:
        self.require_region(region)
        edges, operations = region.choices[:_EDGES], region.choices[_EDGES:]
        required = _number([allowed == (1,) for allowed in edges])
        codes = codes_within(required, _number([1 in allowed for allowed in edges]))
        if not len(codes):
            expected = f"a matrix that joins input and output with at most {MAX_EDGES} edges after pruning"
            call = "NasBench101Space.sample_from(region, rng)"
            raise UsageError(complaint(call, expected, str(region), "Allow or forbid fewer edges."))
        drawn = edges_of(int(codes[rng.integers(len(codes))]), VERTICES)
        return Arch(_NAME, (*drawn, *(allowed[rng.integers(len(allowed))] for allowed in operations)))

    def sample_class(self, rng: np.random.Generator) -> Arch:
        return _arch(embed(module_at(int(rng.integers(self.class_count)))))

    def mutate(self, arch: Arch, rng: np.random.Generator) -> Arch:
        neighbors = list(self.neighbors(arch))
        return neighbors[rng.integers(len(neighbors))]

    def neighbors(self, arch: Arch) -> Iterator[Arch]:
        """Yield every valid architecture with one edge more or less, or one operation changed, of dead vertices too."""
        self.validate(arch)
        for other in self.with_one_gene_changed(arch):
            if 0 < _live_edges(_raw_module(other.genes)) <= MAX_EDGES:
                yield other

    def canonical(self, arch: Arch) -> Arch:
        """Return the pruned cell with its inner vertices in the order that gives the smallest edges, then operations.

        Exact isomorphism of labelled graphs. It separates the same cells as the published hash.
        """
        return _arch(embed(canonical(prune(self._module(arch)))))

    def classes(self) -> Iterator[Arch]:
        for module in modules():
            yield _arch(embed(module))

    def draw(self, arch: Arch) -> Svg:
        return draw_module(self._module(arch), title=self.format(arch))

    def _module(self, arch: Arch) -> Module:
        self.validate(arch)
        return _raw_module(arch.genes)


def draw_module(module: Module, title: str) -> Svg:
    """Draw the vertices with their operations; what is pruned is dashed."""
    live = live_vertices(module)
    edges = [Edge(source, target, dead=not {source, target} <= {*live}) for source, target in module.present]
    return draw_cell(_labels(module), edges, title)


def _arch(module: Module) -> Arch:
    return Arch(_NAME, (*module.edges, *module.operations))


def _raw_module(genes: tuple[int, ...]) -> Module:
    return Module(genes[:_EDGES], genes[_EDGES:])


def _labels(module: Module) -> tuple[str, ...]:
    return (INPUT, *(OPS[operation] for operation in module.operations), OUTPUT)


def _number(bits: Sequence[bool]) -> int:
    """Return the number whose binary digits these are, as `edges_of` reads it."""
    return sum(1 << exponent for exponent, bit in enumerate(reversed(bits)) if bit)


def _live_edges(module: Module) -> int:
    return sum(clear_dead(module).edges)


def _require_valid(call: str, module: Module) -> None:
    live = _live_edges(module)
    if not live:
        expected = "a path from the input to the output"
        raise UsageError(complaint(call, expected, module.matrix, "Add an edge to the first row or the last column."))
    if live > MAX_EDGES:
        expected = f"at most {MAX_EDGES} edges after pruning"
        step = "Take out edges that lie on a path from the input to the output; others are not counted."
        raise UsageError(complaint(call, expected, live, step))


def _listed(values: Any) -> Any:
    """Return nested tuples and arrays as lists, and anything else as it is."""
    values = values.tolist() if hasattr(values, "tolist") else values
    return [_listed(value) for value in values] if isinstance(values, list | tuple) else values


def _read(call: str, matrix: Any, operations: Any) -> Module:
    rows = _read_matrix(call, matrix)
    vertices = len(rows)
    edges = tuple(int(rows[source][target]) for source, target in pairs(vertices))
    module = Module(edges, _read_operations(call, operations, vertices))
    _require_valid(call, module)
    return embed(module)


def _read_matrix(call: str, matrix: Any) -> list[list[int]]:
    if not isinstance(matrix, list) or not 2 <= len(matrix) <= VERTICES:
        raise UsageError(complaint(call, f"an adjacency matrix of 2 to {VERTICES} rows", matrix, _EXAMPLE))
    vertices = len(matrix)
    for source, row in enumerate(matrix):
        if not isinstance(row, list) or len(row) != vertices:
            raise UsageError(complaint(call, f"row {source} with {vertices} entries, one per row", row, _EXAMPLE))
        for target, entry in enumerate(row):
            if entry not in (0, 1) or isinstance(entry, bool):
                raise UsageError(complaint(call, f"0 or 1 in row {source}, column {target}", entry, _EXAMPLE))
            if entry and target <= source:
                expected = f"an upper triangular matrix, so 0 in row {source}, column {target}"
                raise UsageError(complaint(call, expected, entry, f"Edges lead to later vertices only. {_EXAMPLE}"))
    return matrix


def _read_operations(call: str, operations: Any, vertices: int) -> tuple[int, ...]:
    if not isinstance(operations, list) or len(operations) != vertices:
        raise UsageError(complaint(call, f"{vertices} operations, one per row of the matrix", operations, _EXAMPLE))
    for label, expected, place in ((operations[0], INPUT, "first"), (operations[-1], OUTPUT, "last")):
        if label != expected:
            raise UsageError(complaint(call, f"{expected!r} as the {place} operation", label, _EXAMPLE))
    for vertex, label in enumerate(operations[1:-1], start=1):
        if label not in OPS:
            expected = f"an operation of {', '.join(OPS)} at vertex {vertex}"
            raise UsageError(complaint(call, expected, label, _EXAMPLE))
    return tuple(OPS.index(label) for label in operations[1:-1])
