"""Where parallel lanes run, so that what joins them crosses and bends little.

A lane is a straight line at one height; lane 0 is the spine, at height 0. Some lanes must keep a distance, and in each
of several gaps some are joined to others.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

_CROSSING = 1e6
_SWEEPS = 20


def lane_heights(distances: np.ndarray, gaps: Sequence[np.ndarray]) -> np.ndarray:
    """Return the heights of the lanes.

    A local search over the order of the lanes, each as close to the spine as it can be: every step moves the one lane
    that helps most, until none does.

    Args:
        distances: How far apart each two lanes must be, (lanes, lanes); minus infinity if they may share a height.
        gaps: For each gap, the lanes that are joined in it, (2, joints).
    """
    order = list(range(len(distances)))
    cost = np.inf
    while True:
        moves = [_moved(order, lane, rank) for lane in order for rank in range(len(order))]
        heights = _compact(np.array(moves), distances)
        costs = _costs(heights, gaps)
        best = int(costs.argmin())
        if costs[best] >= cost:
            break
        cost, order, chosen = costs[best], moves[best], heights[best]
    return _relaxed(chosen, order, distances, np.concatenate([np.empty((2, 0), dtype=int), *gaps], axis=1))


def _moved(order: Sequence[int], lane: int, rank: int) -> list[int]:
    rest = [other for other in order if other != lane]
    return [*rest[:rank], lane, *rest[rank:]]


def _compact(orders: np.ndarray, distances: np.ndarray) -> np.ndarray:
    """Return the heights of the lanes for several orders (rows), each as close to lane 0 as it can be."""
    rows, count = orders.shape
    spine = (orders == 0).argmax(axis=1)
    heights = np.zeros((rows, count))
    placed = np.zeros((rows, count), dtype=bool)
    placed[:, 0] = True
    for side in (-1, 1):
        for step in range(1, count):
            ranks = spine + side * step
            row = np.flatnonzero((ranks >= 0) & (ranks < count))
            lane = orders[row, ranks[row]]
            reach = np.where(placed[row], side * heights[row] + distances[lane], 0)
            heights[row, lane] = side * reach.max(axis=1)
            placed[row, lane] = True
    return heights


def _costs(heights: np.ndarray, gaps: Sequence[np.ndarray]) -> np.ndarray:
    """Return the cost of several drawings (rows): crossings first, then squares of what the joints rise."""
    total = np.zeros(len(heights))
    for sources, targets in gaps:
        starts, ends = heights[:, sources], heights[:, targets]
        crossed = (starts[:, :, None] - starts[:, None]) * (ends[:, :, None] - ends[:, None]) < 0
        total += _CROSSING * crossed.sum(axis=(1, 2)) + ((starts - ends) ** 2).sum(axis=1)
    return total


def _relaxed(heights: np.ndarray, order: Sequence[int], distances: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Move each lane toward the median of those it joins, as far as the lanes beside it allow; the spine stays."""
    heights = heights.copy()
    ways = np.concatenate([joints, joints[::-1]], axis=1)
    for _, rank in itertools.product(range(_SWEEPS), range(len(order))):
        lane = order[rank]
        joined = np.sort(heights[ways[1, (ways[0] == lane) & (ways[1] != lane)]])
        if lane and len(joined):
            low = (heights + distances[lane])[order[:rank]].max(initial=-np.inf)
            high = (heights - distances[lane])[order[rank + 1 :]].min(initial=np.inf)
            wish = np.clip(heights[lane], joined[(len(joined) - 1) // 2], joined[len(joined) // 2])
            heights[lane] = np.clip(wish, low, high)
    return heights
