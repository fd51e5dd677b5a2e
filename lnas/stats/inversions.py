"""How many pairs of numbers are out of order, in many resamples at once."""

from __future__ import annotations

import numpy as np


def resampled_inversions(numbers: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Count the pairs i < j with numbers[i] > numbers[j], each as often as its two members are drawn together.

    Positions, and places in the order of the numbers, are cut into about sqrt(n) blocks each. A pair shares the block
    of positions, or only that of places, or neither: the first two kinds are products of small matrices, the third is
    counted block by block. That is n^1.5 steps per resample, at the speed of matrix products.

    Args:
        numbers: Shape (n,), n >= 1.
        counts: How often each is drawn, shape (resamples, n), of sums below 2**24 among any sqrt(2 n).

    Returns:
        float64, whole numbers, shape (resamples,).
    """
    n = len(numbers)
    size = 1 << (n.bit_length() // 2)
    positions = np.arange(-(-n // size) * size)
    by_place = np.append(np.argsort(numbers, kind="stable"), positions[n:])
    places = np.argsort(by_place)
    drawn = np.zeros((len(positions), len(counts)), dtype=np.float32)  # twice as fast, and exact for sums of a block
    drawn[:n] = counts.T
    in_position_blocks = _in_blocks(positions, places, positions, drawn, size)
    only_in_place_blocks = _in_blocks(by_place, positions, by_place // size, drawn[by_place], size)
    return in_position_blocks + only_in_place_blocks + _between_blocks(places // size, drawn, size)


def _in_blocks(
    positions: np.ndarray, places: np.ndarray, parts: np.ndarray, drawn: np.ndarray, size: int
) -> np.ndarray:
    """Count the inverted pairs in each run of `size`, but not those of one part."""
    position, place, part = (values.reshape(-1, size) for values in (positions, places, parts))
    inverted = (position[:, :, None] < position[:, None]) & (place[:, :, None] > place[:, None])
    inverted &= part[:, :, None] != part[:, None]
    drawn = drawn.reshape(len(position), size, -1)
    return np.einsum("bir,bir->r", drawn, inverted.astype(np.float32) @ drawn, dtype=np.float64)


def _between_blocks(place_blocks: np.ndarray, drawn: np.ndarray, size: int) -> np.ndarray:
    """Count the inverted pairs that share neither block, from how many are drawn in each cell of a grid of blocks."""
    blocks = len(place_blocks) // size
    cells = np.arange(len(place_blocks)) // size * blocks + place_blocks
    order = np.argsort(cells)
    filled, starts = np.unique(cells[order], return_index=True)
    grid = np.zeros((blocks, blocks, drawn.shape[1]))
    grid[np.divmod(filled, blocks)] = np.add.reduceat(drawn[order], starts, axis=0)
    earlier = np.cumsum(grid, axis=0) - grid
    earlier_and_larger = np.cumsum(earlier[:, ::-1], axis=1)[:, ::-1] - earlier
    return np.einsum("xyr,xyr->r", grid, earlier_and_larger)
