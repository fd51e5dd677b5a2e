"""Every cell of NAS-Bench-101 once: graphs without labels first, then their labelings up to symmetry."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from lnas.spaces.nasbench101.graph import (
    MAX_EDGES,
    OPS,
    VERTICES,
    Module,
    canonical_numbers,
    edges_of,
    operations_of,
    pairs,
    place_values,
)


class Shape(NamedTuple):
    """A graph without labels, in canonical form, and the smallest of each set of labelings that its symmetries join."""

    edges: tuple[int, ...]
    labelings: tuple[tuple[int, ...], ...]


def modules() -> Iterator[Module]:
    """Yield every pruned module of 2 to `VERTICES` vertices and at most `MAX_EDGES` edges, one per isomorphism class.

    The first ones come at once; all shapes together take one to two seconds, and are then remembered.
    """
    for vertices in range(2, VERTICES + 1):
        for shape in shapes(vertices):
            for operations in shape.labelings:
                yield Module(shape.edges, operations)


def module_count() -> int:
    """Return how many modules there are: 423,624, as published."""
    return _ends()[-1]


def module_at(index: int) -> Module:
    """Return the module that `modules()` yields after `index` others."""
    number = bisect.bisect_right(_ends(), index)
    shape = _all_shapes()[number]
    left = _ends()[number] - index
    return Module(shape.edges, shape.labelings[-left])


@cache
def shapes(vertices: int) -> tuple[Shape, ...]:
    """List the graphs of so many vertices, all of them on a path from input to output, without isomorphic ones."""
    labelings = all_labelings(vertices)
    found = []
    for code in _canonical_codes(vertices):
        edges = edges_of(code, vertices)
        smallest = np.unique(canonical_numbers(edges, labelings)[1]).tolist()
        found.append(Shape(edges, tuple(operations_of(number, vertices) for number in smallest)))
    return tuple(found)


@cache
def all_labelings(vertices: int) -> np.ndarray:
    """Return all operations of the inner vertices in the order of their numbers: shape (labelings, inner vertices)."""
    return np.array(list(itertools.product(range(len(OPS)), repeat=vertices - 2)), dtype=np.int64)


def _canonical_codes(vertices: int) -> list[int]:
    edges = pairs(vertices)
    places = place_values(vertices)
    # The first order changes nothing.
    values = places[0]
    codes = np.arange(1 << len(edges))
    for vertex in range(vertices):
        leaving = values[[source == vertex for source, _ in edges]].sum()
        entering = values[[target == vertex for _, target in edges]].sum()
        used = (codes & leaving != 0) | (vertex == vertices - 1)
        fed = (codes & entering != 0) | (vertex == 0)
        codes = codes[used & fed]
    bits = (codes[:, None] & values != 0).astype(np.int64)
    small = bits.sum(axis=1) <= MAX_EDGES
    codes, bits = codes[small], bits[small]
    return codes[(bits @ places.T).min(axis=1) == codes].tolist()


@cache
def _all_shapes() -> tuple[Shape, ...]:
    return tuple(shape for vertices in range(2, VERTICES + 1) for shape in shapes(vertices))


@cache
def _ends() -> tuple[int, ...]:
    """Return how many modules there are up to and with each shape."""
    return tuple(itertools.accumulate(len(shape.labelings) for shape in _all_shapes()))
