"""Landscapes of searches: the ways they took on one plane, and the height of a score over it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.analysis.principal_plane import Plane, principal_plane
from lnas.errors import UsageError, complaint
from lnas.spaces import SearchSpace
from lnas.types import Arch

if TYPE_CHECKING:
    from scipy.interpolate import LinearNDInterpolator

_DIGITS = 9
_CORNERS = 3
_GRID = 60


class SearchPlane(NamedTuple):
    """The ways of some searches on the plane that shows most of how their architectures differ.

    Attributes:
        plane: Of one-hot encodings; `plane.explained` says how much of their variance is seen.
        paths: Name of each search -> where its architectures are, in order, shape (its evaluations, 2).
    """

    plane: Plane
    paths: dict[str, np.ndarray]


class Grid(NamedTuple):
    """Heights on a grid.

    Attributes:
        x: Ascending, shape (g,).
        y: Ascending, shape (g,).
        heights: Shape (g, g), a row for each y; NaN where nothing around is known.
    """

    x: np.ndarray
    y: np.ndarray
    heights: np.ndarray


@dataclass(frozen=True, eq=False)
class Surface:
    """A score over the plane: flat triangles between the points where it is known (Delaunay's).

    Attributes:
        sites: Where it is known, each once, shape (m, 2).
        heights: The mean score there, shape (m,).
        missing: How many points had no finite score, and are left out.
        interpolate: What knows the triangles.
    """

    sites: np.ndarray
    heights: np.ndarray
    missing: int
    interpolate: LinearNDInterpolator

    def at(self, points: ArrayLike) -> np.ndarray:
        """Return the height at points of shape (n, 2), shape (n,); NaN outside of all triangles."""
        return self.interpolate(np.asarray(points, dtype=float))

    def along(self, start: ArrayLike, end: ArrayLike, count: int = _GRID) -> np.ndarray:
        """Return the height at `count` points of a straight line, both ends among them, as between two children."""
        return self.at(np.linspace(np.asarray(start, dtype=float), np.asarray(end, dtype=float), count))

    def on_grid(self, size: int = _GRID) -> Grid:
        """Return the height on a grid of `size` by `size` points that spans the sites."""
        if size < 2:
            raise UsageError(complaint(f"Surface.on_grid(size={size})", "size >= 2", size, f"{_GRID} is usual."))
        x, y = np.linspace(self.sites.min(axis=0), self.sites.max(axis=0), size).T
        return Grid(x, y, self.at(np.column_stack([np.tile(x, size), np.repeat(y, size)])).reshape(size, size))


def search_plane(paths: Mapping[str, Sequence[Arch]], space: SearchSpace) -> SearchPlane:
    """Show searches on the plane of the first two principal components of all they visited.

    Each architecture counts once for the plane, however often it was visited: a search that stays where it is does not
    decide how the others are seen.

    Args:
        paths: Name of each search, such as of two children of one parent -> what it visited, in order.
        space: Theirs; its `encode` gives the vectors.

    Raises:
        UsageError: If an architecture is not of the space, or all there are lie on one line.

    Source: Chen et al. 2021 (TEG-NAS), Sec. 4.3 and Fig. 4, which does not say how architectures become vectors.

    Example:
        >>> from lnas.spaces import NatsSizeSpace
        >>> space = NatsSizeSpace()
        >>> texts = {"early": ["8:8:8:8:8", "8:8:8:8:16"], "late": ["8:8:8:8:8", "8:8:8:8:24", "8:8:8:8:16"]}
        >>> found = search_plane({name: [space.parse(text) for text in own] for name, own in texts.items()}, space)
        >>> {name: path.shape for name, path in found.paths.items()}, found.plane.explained.sum().round(6).item()
        ({'early': (2, 2), 'late': (3, 2)}, 1.0)
    """
    places: dict[Arch, int] = {}
    for arch in itertools.chain.from_iterable(paths.values()):
        places.setdefault(arch, len(places))
    if len(places) < _CORNERS:
        call, expected = f"search_plane({list(paths)}, {space.name!r})", f"at least {_CORNERS} different architectures"
        raise UsageError(complaint(call, expected, len(places), "Give longer searches."))
    vectors = np.stack([space.encode(arch) for arch in places])
    plane = principal_plane(vectors)
    shown = plane.project(vectors)
    return SearchPlane(plane, {name: shown[[places[arch] for arch in path]] for name, path in paths.items()})


def common_start(paths: Sequence[Sequence[Arch]]) -> int:
    """Return for how many evaluations searches did the same; where children part, the last of them is their parent.

    Example:
        >>> one, two, three = (Arch("tiny", (gene,)) for gene in range(3))
        >>> common_start([[one, two, two], [one, two, three]])
        2
    """
    steps = zip(*paths, strict=False)
    return sum(1 for _ in itertools.takewhile(lambda step: len(set(step)) == 1, steps))


def surface(points: ArrayLike, scores: ArrayLike) -> Surface:
    """Span a surface over the points where a score is known.

    It passes through every score, and is never above or below what is around; nothing is said outside of the points.
    Where several are in one place, as an architecture visited twice, it is their mean.

    Args:
        points: Such as all paths of a `SearchPlane`, one after the other, finite, shape (n, 2).
        scores: Of a measure, shape (n,). What has no finite one is left out and counted.

    Raises:
        UsageError: If shapes differ, a place is not finite, or those with a score do not span a plane.

    Example:
        >>> found = surface([[0, 0], [2, 0], [0, 2], [2, 2], [2, 2]], [0.0, 2.0, 2.0, 3.0, 5.0])
        >>> found.on_grid(3).heights.tolist()
        [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]
    """
    call = "surface(points, scores)"
    points, scores = np.asarray(points, dtype=float), np.asarray(scores, dtype=float)
    if points.shape != (len(scores), 2) or scores.ndim != 1 or not np.isfinite(points).all():
        got = (points.shape, scores.shape)
        raise UsageError(complaint(call, "n finite points in the plane and n scores", got, "Pair them up."))
    known = np.isfinite(scores)
    own, heights = points[known], scores[known]
    reach = np.ptp(own, axis=0).max() if len(own) else 0.0
    rounded = np.round(own / reach, _DIGITS) if reach else own
    _, first, of_each = np.unique(rounded, axis=0, return_index=True, return_inverse=True)
    if len(first) < _CORNERS:
        expected = f"scores in at least {_CORNERS} places"
        raise UsageError(complaint(call, expected, len(first), "Measure more architectures."))
    of_each = of_each.reshape(-1)  # NumPy 2.0.0 returns a column
    means = np.bincount(of_each, weights=heights) / np.bincount(of_each)
    return Surface(own[first], means, int((~known).sum()), _interpolator(own[first], means))


def _interpolator(sites: np.ndarray, heights: np.ndarray) -> LinearNDInterpolator:
    from scipy.interpolate import LinearNDInterpolator
    from scipy.spatial import QhullError

    try:
        return LinearNDInterpolator(sites, heights)
    except QhullError as error:
        got, step = f"{len(sites)} on one line", "Give more points that differ."
        raise UsageError(complaint("surface(points, scores)", "points that span a plane", got, step)) from error
