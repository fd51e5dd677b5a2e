"""The plane that shows most of how vectors differ."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.errors import UsageError, complaint

_ROUNDING = 1e-9
_ALIKE = 1e-6


class Plane(NamedTuple):
    """A plane in a space of d numbers.

    Attributes:
        center: The point that is shown at (0, 0), shape (d,).
        axes: Two unit vectors at right angles, shape (2, d).
        explained: Share of the variance along each axis, in [0, 1], the larger first, shape (2,).
    """

    center: np.ndarray
    axes: np.ndarray
    explained: np.ndarray

    def project(self, vectors: ArrayLike) -> np.ndarray:
        """Return where vectors of shape (n, d) are shown, shape (n, 2)."""
        return (np.asarray(vectors, dtype=float) - self.center) @ self.axes.T


def principal_plane(vectors: ArrayLike) -> Plane:
    """Find the first two principal components.

    Either end of an axis could be called positive: it is the one at which the largest of the axis' numbers is positive,
    the first of those that are largest but for rounding. Where two components explain the same, how they are turned is
    chance, and depends on the order of the vectors.

    Args:
        vectors: Finite, shape (n, d), not all on one line.

    Raises:
        UsageError: If they are not so.

    Source: Pearson 1901, "On lines and planes of closest fit to systems of points in space".

    Example:
        >>> plane = principal_plane([[0, 0, 5], [0, 4, 5], [2, 0, 5], [2, 4, 5]])
        >>> plane.center.tolist(), plane.axes.round(6).tolist(), plane.explained.round(6).tolist()
        ([1.0, 2.0, 5.0], [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], [0.8, 0.2])
    """
    call = "principal_plane(vectors)"
    points = np.asarray(vectors, dtype=float)
    if points.ndim != 2 or not points.size or not np.isfinite(points).all():
        raise UsageError(complaint(call, "a matrix of finite numbers", points.shape, "A row is a vector."))
    center = points.mean(axis=0)
    _, lengths, axes = np.linalg.svd(points - center, full_matrices=False)
    spread = lengths[1] if len(lengths) > 1 else 0.0
    if spread <= _ROUNDING * max(lengths[0], np.abs(points).max()):
        got = f"{len(np.unique(points, axis=0))} different ones on one line"
        raise UsageError(complaint(call, "vectors that span a plane", got, "Give more that differ."))
    return Plane(center, _signed(axes[:2]), lengths[:2] ** 2 / (lengths**2).sum())


def _signed(axes: np.ndarray) -> np.ndarray:
    sizes = np.abs(axes)
    leading = (sizes >= (1 - _ALIKE) * sizes.max(axis=1, keepdims=True)).argmax(axis=1)
    return axes * np.sign(np.take_along_axis(axes, leading[:, None], axis=1)) + 0.0  # no negative zeros
