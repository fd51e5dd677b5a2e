"""All adjacency matrices of seven vertices at once: which of them are cells of NAS-Bench-101, and of a region of it."""

from __future__ import annotations

from functools import cache, lru_cache

import numpy as np

from lnas.spaces.nasbench101.graph import MAX_EDGES, VERTICES, pairs


@cache
def valid_codes() -> np.ndarray:
    """Return the valid matrices as ascending numbers, whose binary digits are the edges (`module_graph.edges_of`).

    Valid are those whose input reaches the output, with at most `MAX_EDGES` edges after pruning. Computed over all 2^21
    matrices in about a third of a second.
    """
    edges = pairs(VERTICES)
    codes = np.arange(1 << len(edges), dtype=np.int32)
    present = {pair: codes >> shift & 1 != 0 for shift, pair in enumerate(reversed(edges))}
    fed = [np.full(codes.shape, vertex == 0) for vertex in range(VERTICES)]
    used = [np.full(codes.shape, vertex == VERTICES - 1) for vertex in range(VERTICES)]
    for source, target in edges:
        fed[target] |= fed[source] & present[source, target]
    for source, target in reversed(edges):
        used[source] |= used[target] & present[source, target]
    live = np.zeros(codes.shape, dtype=np.uint8)
    for source, target in edges:
        live += present[source, target] & fed[source] & used[target]
    return codes[fed[-1] & (live <= MAX_EDGES)]


@lru_cache(maxsize=8)
def codes_within(required: int, allowed: int) -> np.ndarray:
    """Return the valid matrices that have all of the required edges and no other than the allowed ones.

    Args:
        required: Number whose binary digits are the edges that must be there.
        allowed: The same for those that may.
    """
    codes = valid_codes()
    return codes[(codes & required == required) & (codes & ~allowed == 0)]
