"""Longest paths through many cells of the same nodes at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def longest_paths(lengths: np.ndarray, edges: Sequence[tuple[int, int]], inputs: Sequence[int]) -> np.ndarray:
    """Return the length of the longest path from an input to each node.

    Args:
        lengths: Of each edge of n cells, shape (n, edges); -inf where a cell has no such edge.
        edges: Source and target of each, source < target, by target in ascending order.
        inputs: Where paths begin.

    Returns:
        Shape (n, nodes); -inf where no path leads.

    Example:
        >>> longest_paths(np.array([[2.0, 1.0, 5.0], [2.0, 1.0, -np.inf]]), [(0, 1), (0, 2), (1, 2)], [0]).tolist()
        [[0.0, 2.0, 7.0], [0.0, 2.0, 1.0]]
    """
    nodes = 1 + max(target for _, target in edges)
    reached = np.full((len(lengths), nodes), -np.inf)
    reached[:, list(inputs)] = 0
    for edge, (source, target) in enumerate(edges):
        reached[:, target] = np.maximum(reached[:, target], reached[:, source] + lengths[:, edge])
    return reached
