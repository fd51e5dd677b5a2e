"""What several searches had found by when: step functions on one axis, their mean and their deviation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Trajectory(NamedTuple):
    """What some searches had found, on the average.

    Attributes:
        points: Where on the axis, ascending, shape (n,).
        mean: Over those searches that had found something, shape (n,); NaN where fewer than half of them had.
        deviation: Standard deviation over the same; NaN where there is one search only.
    """

    points: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray


def held(since: Sequence[float], values: Sequence[float], points: np.ndarray) -> np.ndarray:
    """Return the value that a step function has at some points: the last that began by then, NaN before the first.

    Example:
        >>> held([1, 4], [50.0, 70.0], np.array([0, 1, 3, 4, 9]))
        array([nan, 50., 50., 70., 70.])
    """
    number = np.searchsorted(np.asarray(since, dtype=float), points, side="right") - 1
    known = np.concatenate([np.asarray(values, dtype=float), [np.nan]])
    return known[number]


def average(curves: Sequence[tuple[Sequence[float], Sequence[float]]], points: np.ndarray) -> Trajectory:
    """Average step functions, each given as where its values begin and the values.

    Example:
        >>> average([([1], [50.0]), ([2], [60.0])], np.array([1, 2])).mean
        array([50., 55.])
    """
    return average_rows(points, np.array([held(since, values, points) for since, values in curves]))


def average_rows(points: np.ndarray, rows: np.ndarray) -> Trajectory:
    """Average what each search had at some points, shape (searches, points); NaN where it had nothing."""
    there = ~np.isnan(rows)
    count = there.sum(axis=0)
    enough = 2 * count >= len(rows)
    total = np.where(there, rows, 0).sum(axis=0)
    mean = np.where(enough, total / np.maximum(count, 1), np.nan)
    squares = np.where(there, (rows - mean) ** 2, 0).sum(axis=0)
    deviation = np.where(enough & (count > 1), np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)
    return Trajectory(points, mean, deviation)


def spread_points(first: float, last: float, count: int, whole: bool) -> np.ndarray:
    """Return points at equal ratios from the first to the last, both included.

    Args:
        first: Above 0.
        last: Not below the first.
        count: How many, at most.
        whole: Whether they are rounded to whole numbers, each once.

    Example:
        >>> spread_points(1, 1000, 4, whole=True)
        array([   1.,   10.,  100., 1000.])
    """
    points = np.geomspace(first, last, count).clip(first, last)
    points[[0, -1]] = first, last
    return np.unique(np.round(points)) if whole else np.unique(points)
