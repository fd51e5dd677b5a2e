"""The cells of NAS-Bench-101 as labelled graphs, one at a time: prune, embed, hash, bring to canonical form."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from functools import cache
from hashlib import md5
from typing import NamedTuple

import numpy as np

OPS = ("conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3")
VERTICES = 7
MAX_EDGES = 9

Matrix = tuple[tuple[int, ...], ...]

_INPUT, _OUTPUT = -1, -2


class Module(NamedTuple):
    """A directed graph without cycles: vertex 0 is the input, the last one the output, the others carry operations.

    Attributes:
        edges: 0 or 1 for each pair of vertices x < y, in the order of `pairs`.
        operations: An index into `OPS` for each inner vertex.

    Example:
        >>> chain = Module(edges=(1, 0, 1), operations=(2,))
        >>> chain.vertices, chain.matrix
        (3, ((0, 1, 0), (0, 0, 1), (0, 0, 0)))
    """

    edges: tuple[int, ...]
    operations: tuple[int, ...]

    @property
    def vertices(self) -> int:
        """Number of vertices, input and output included."""
        return len(self.operations) + 2

    @property
    def present(self) -> tuple[tuple[int, int], ...]:
        """The pairs of vertices that are joined."""
        return tuple(itertools.compress(pairs(self.vertices), self.edges))

    @property
    def matrix(self) -> Matrix:
        """The adjacency matrix: row x has a 1 in column y where vertex x feeds vertex y."""
        present, vertices = set(self.present), range(self.vertices)
        return tuple(tuple(int((source, target) in present) for target in vertices) for source in vertices)


@cache
def pairs(vertices: int) -> tuple[tuple[int, int], ...]:
    """List the edges that a graph can have, by target.

    Example:
        >>> pairs(4)
        ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))
    """
    return tuple((source, target) for target in range(vertices) for source in range(target))


def live_vertices(module: Module) -> tuple[int, ...]:
    """Return the vertices that lie on a path from the input to the output, none where there is no such path."""
    fed, used = {0}, {module.vertices - 1}
    for source, target in module.present:
        if source in fed:
            fed.add(target)
    for source, target in reversed(module.present):
        if target in used:
            used.add(source)
    return tuple(sorted(fed & used))


def prune(module: Module) -> Module:
    """Drop the vertices that do not lie on a path from the input to the output; there must be such a path."""
    live = {*live_vertices(module)}
    edges = (edge for pair, edge in zip(pairs(module.vertices), module.edges, strict=True) if {*pair} <= live)
    operations = enumerate(module.operations, start=1)
    return Module(tuple(edges), tuple(operation for vertex, operation in operations if vertex in live))


def clear_dead(module: Module) -> Module:
    """Keep all vertices in place, without the edges and operations (0 instead) of those that `prune` would drop.

    Example:
        >>> clear_dead(Module(edges=(1, 1, 0), operations=(2,)))
        Module(edges=(0, 1, 0), operations=(0,))
    """
    live = {*live_vertices(module)}
    edges = tuple(
        edge if {*pair} <= live else 0 for pair, edge in zip(pairs(module.vertices), module.edges, strict=True)
    )
    operations = enumerate(module.operations, start=1)
    return Module(edges, tuple(operation if vertex in live else 0 for vertex, operation in operations))


def embed(module: Module) -> Module:
    """Pad to `VERTICES` vertices: the output becomes the last one, and the vertices before it are dead.

    Example:
        >>> embed(Module(edges=(1, 0, 1), operations=(2,))).operations
        (2, 0, 0, 0, 0)
    """
    unused = VERTICES - module.vertices
    before = len(pairs(module.vertices - 1))
    within = (*module.edges[:before], *[0] * (len(pairs(VERTICES - 1)) - before))
    into_output = (*module.edges[before:], *[0] * unused)
    return Module(within + into_output, (*module.operations, *[0] * unused))


def graph_hash(module: Module) -> str:
    """Return the benchmark's hash of a graph, which is equal for isomorphic ones.

    Each vertex starts from its degrees and label; in as many rounds as there are vertices it takes in the sorted hashes
    of those before and behind it. Prune first, as the benchmark does.

    Source: `hash_module` of google-research/nasbench (`nasbench/lib/graph_util.py`), after Ying 2019.
    """
    before: list[list[int]] = [[] for _ in range(module.vertices)]
    behind: list[list[int]] = [[] for _ in range(module.vertices)]
    for source, target in module.present:
        before[target].append(source)
        behind[source].append(target)
    labels = (_INPUT, *module.operations, _OUTPUT)
    hashes = [_digest((len(behind[vertex]), len(before[vertex]), label)) for vertex, label in enumerate(labels)]
    for _ in range(module.vertices):
        hashes = [
            _digest(f"{_joined(hashes, before[vertex])}|{_joined(hashes, behind[vertex])}|{own}")
            for vertex, own in enumerate(hashes)
        ]
    return _digest(sorted(hashes))


def canonical(module: Module) -> Module:
    """Return the smallest graph that differs in the order of its inner vertices only: first by edges, then operations.

    Two graphs are isomorphic, labels included, if and only if theirs are equal.

    Example:
        >>> one = Module(edges=(1, 1, 0, 0, 1, 1), operations=(2, 0))
        >>> canonical(one) == canonical(Module(one.edges, (0, 2))) == Module(one.edges, (0, 2))
        True
    """
    code, numbers = canonical_numbers(module.edges, np.array([module.operations], dtype=np.int64))
    return Module(edges_of(code, module.vertices), operations_of(int(numbers[0]), module.vertices))


def canonical_numbers(edges: tuple[int, ...], labelings: np.ndarray) -> tuple[int, np.ndarray]:
    """Bring one graph to canonical form under many labelings at once.

    Args:
        edges: The graph, as in `Module.edges`.
        labelings: Operations, of shape (labelings, inner vertices).

    Returns:
        The number of the smallest order's edges (see `edges_of`), and per labeling that of the smallest operations
        among all orders that give these edges (see `operations_of`).
    """
    vertices = labelings.shape[1] + 2
    codes = place_values(vertices) @ np.array(edges)
    smallest = codes.min()
    digits = len(OPS) ** np.arange(vertices - 3, -1, -1)
    numbers = labelings[:, _orders(vertices)[codes == smallest]] @ digits
    return int(smallest), numbers.min(axis=1)


def edges_of(code: int, vertices: int) -> tuple[int, ...]:
    """Return the edges whose digits, read as a binary number, are `code`."""
    count = len(pairs(vertices))
    return tuple(code >> shift & 1 for shift in reversed(range(count)))


def operations_of(number: int, vertices: int) -> tuple[int, ...]:
    """Return the operations whose digits, read as a number of base three, are `number`."""
    return tuple(number // len(OPS) ** place % len(OPS) for place in reversed(range(vertices - 2)))


@cache
def place_values(vertices: int) -> np.ndarray:
    """Return, for each order of the inner vertices, what each edge adds to the number of the reordered graph.

    An edge that would point backwards adds more than all edges of any graph that stays in order.

    Returns:
        Of shape (orders, edges).
    """
    place = {pair: 1 << exponent for exponent, pair in enumerate(reversed(pairs(vertices)))}
    backwards = 1 << len(place)
    rows = []
    for order in _orders(vertices).tolist():
        position = {0: 0, vertices - 1: vertices - 1} | {inner + 1: k + 1 for k, inner in enumerate(order)}
        rows.append([place.get((position[source], position[target]), backwards) for source, target in pairs(vertices)])
    return np.array(rows)


@cache
def _orders(vertices: int) -> np.ndarray:
    """Return every order of the inner vertices, counted from 0, of shape (orders, inner vertices)."""
    return np.array(list(itertools.permutations(range(vertices - 2))), dtype=np.int64)


def _joined(hashes: list[str], vertices: Iterable[int]) -> str:
    return "".join(sorted(hashes[vertex] for vertex in vertices))


def _digest(value: object) -> str:
    return md5(str(value).encode(), usedforsecurity=False).hexdigest()
