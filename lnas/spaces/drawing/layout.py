"""Where to put the nodes, labels and curves of a small directed graph.

The flow runs through columns, and every node stands in one. A link that passes columns between those of its ends
runs straight through them in a lane of its own, and its label lies in this lane; outside its lane it only crosses gaps
between columns. Lanes that share a column are kept apart, so no two boxes overlap and no link runs through a box,
whatever the graph. A longest path, the spine, shares one lane and is a straight line.

Columns by longest path are those of Sugiyama, Tagawa and Toda 1981. Coordinates are (along, across) the flow, so that
the caller decides whether it runs to the right or down.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lnas.spaces.drawing.lanes import lane_heights

_SPACING, _GAP, _MAX_GAP = 14, 26, 64


class Size(NamedTuple):
    """Extent of a box."""

    along: float
    across: float


class Point(NamedTuple):
    """A place in the drawing."""

    along: float
    across: float


class Link(NamedTuple):
    """An edge from a node to a later one, with the size of its label if it has one."""

    source: int
    target: int
    label: Size | None = None
    dead: bool = False


class Box(NamedTuple):
    """A rectangle, by its centre."""

    center: Point
    size: Size


class Layout(NamedTuple):
    """Where everything is.

    Attributes:
        size: Extent of the drawing, which begins at (0, 0).
        nodes: A box per node.
        labels: A box per link, None for one without a label.
        routes: An even number of points per link: straight from the first to the second, curved to the third, straight
            to the fourth, and so on. Straight parts and the ends of curves point along the flow.
    """

    size: Size
    nodes: tuple[Box, ...]
    labels: tuple[Box | None, ...]
    routes: tuple[tuple[Point, ...], ...]


class _Piece(NamedTuple):
    """The part of a link in the gap after a column, from one item (node or link) to another."""

    column: int
    source: int
    target: int


# The columns of an item: a node's only one, or those a link passes, which are empty where its label is not.
_Places = Mapping[int, Size]


def lay_out(nodes: Sequence[Size], links: Sequence[Link], margin: float = 0) -> Layout:
    """Lay out a graph whose nodes are in topological order.

    Inputs stand in the first column: the first node, and others that something flows out of and nothing into. The last
    node is the output and has the last column for itself.

    Args:
        nodes: The extents of the nodes.
        links: Links from a node to a later one.
        margin: What to leave free on all sides.
    """
    columns = _columns(len(nodes), links)
    places = _without_empty_columns(
        [{column: size} for column, size in zip(columns, nodes, strict=True)] + _passed(columns, links)
    )
    pieces = list(_pieces(places, links))
    lanes = _lanes(len(nodes), links)
    heights = lane_heights(_distances(places, lanes), _bends(pieces, lanes))[lanes].tolist()
    if next((height for height in heights[: len(nodes)] if height), 0) < 0:
        # Of a drawing and its mirror image, take the one whose first node beside the spine is below it.
        heights = [-height for height in heights]
    top = margin - min(height - _extent(place) / 2 for height, place in zip(heights, places, strict=True))
    heights = [height + top for height in heights]
    spans = _spans(places, pieces, heights, margin)
    boxes = [
        {column: Box(Point(sum(spans[column]) / 2, height), size) for column, size in place.items()}
        for height, place in zip(heights, places, strict=True)
    ]
    bottom = max(height + _extent(place) / 2 for height, place in zip(heights, places, strict=True))
    return Layout(
        size=Size(spans[-1][1] + margin, bottom + margin),
        nodes=tuple(box for place in boxes[: len(nodes)] for box in place.values()),
        labels=tuple(next((box for box in place.values() if box.size.along), None) for place in boxes[len(nodes) :]),
        routes=tuple(_route(boxes, spans, k, link) for k, link in enumerate(links, start=len(nodes))),
    )


def _columns(count: int, links: Sequence[Link]) -> list[int]:
    """Return even columns by longest path; the odd ones are left for labels."""
    into = [[link.source for link in links if link.target == node] for node in range(count)]
    outof = [[link.target for link in links if link.source == node] for node in range(count)]
    inputs = {0} | {link.source for link in links if not link.dead and not into[link.source]}
    ranks: list[int] = []
    for node in range(count):
        ranks.append(max((ranks[source] + 1 for source in into[node]), default=int(node not in inputs)))
    for node in range(1, count):
        if outof[node] and not into[node]:
            ranks[node] = max(ranks[node], min(ranks[target] for target in outof[node]) - 1)
    ranks[-1] = max([ranks[-1], *(rank + 1 for rank in ranks[:-1])])
    return [2 * rank for rank in ranks]


def _passed(columns: Sequence[int], links: Sequence[Link]) -> list[dict[int, Size]]:
    """Return the columns that each link passes, with its label in the emptiest odd one: shortest links first."""
    labels = dict.fromkeys(range(max(columns)), 0)
    center = max(columns) / 2
    passed: list[dict[int, Size]] = [{} for _ in links]
    for k in sorted(range(len(links)), key=lambda k: columns[links[k].target] - columns[links[k].source]):
        between = range(columns[links[k].source] + 1, columns[links[k].target])
        passed[k] = dict.fromkeys(between, Size(0, 0))
        if label := links[k].label:
            middle = (between[0] + between[-1]) / 2
            # Of two columns that are as good, the outer one leaves the centre to links that pass it all.
            *_, best = min((labels[c], abs(c - middle), -abs(c - center), c) for c in between[::2])
            labels[best] += 1
            passed[k][best] = label
    return passed


def _without_empty_columns(places: Sequence[_Places]) -> list[_Places]:
    filled = sorted({column for place in places for column, size in place.items() if size.along})
    return [{filled.index(column): size for column, size in place.items() if column in filled} for place in places]


def _pieces(places: Sequence[_Places], links: Sequence[Link]) -> Iterator[_Piece]:
    for k, link in enumerate(links, start=len(places) - len(links)):
        (start,) = places[link.source]
        stops = [link.source, *[k] * len(places[k]), link.target]
        for column, (source, target) in enumerate(itertools.pairwise(stops), start):
            yield _Piece(column, source, target)


def _lanes(count: int, links: Sequence[Link]) -> list[int]:
    """Return the lane of each node and each link: 0 for a longest path, live if possible, the others their own."""
    usable = [k for k, link in enumerate(links) if not link.dead] or range(len(links))
    paths: dict[int, list[int]] = {0: [0]}
    for k in sorted(usable, key=lambda k: links[k].target):
        source, target = links[k].source, links[k].target
        path = [*paths.get(source, [source]), count + k, target]
        if len(path) > len(paths.get(target, [])):
            paths[target] = path
    spine = max(paths.values(), key=len)
    others = itertools.count(1)
    return [0 if item in spine else next(others) for item in range(count + len(links))]


def _distances(places: Sequence[_Places], lanes: Sequence[int]) -> np.ndarray:
    """Return how far apart each two lanes must be: minus infinity if they share no column."""
    extents: list[dict[int, float]] = [{} for _ in range(max(lanes) + 1)]
    for lane, place in zip(lanes, places, strict=True):
        extents[lane].update({column: size.across for column, size in place.items()})
    distances = np.full((len(extents), len(extents)), -np.inf)
    for (a, one), (b, other) in itertools.permutations(enumerate(extents), 2):
        needed = [(one[column] + other[column]) / 2 + _SPACING for column in one.keys() & other.keys()]
        distances[a, b] = max(needed, default=-np.inf)
    return distances


def _bends(pieces: Sequence[_Piece], lanes: Sequence[int]) -> list[np.ndarray]:
    """Return the (lanes before, lanes after) of the pieces in each gap."""
    gaps = itertools.groupby(sorted(pieces), key=lambda piece: piece.column)
    return [np.array([[lanes[source], lanes[target]] for _, source, target in gap]).T for _, gap in gaps]


def _extent(place: _Places) -> float:
    return max((size.across for size in place.values()), default=0)


def _spans(
    places: Sequence[_Places], pieces: Sequence[_Piece], heights: Sequence[float], margin: float
) -> list[tuple[float, float]]:
    """Return where each column begins and ends; steep pieces get wide gaps."""
    spans: list[tuple[float, float]] = []
    for column in range(1 + max(column for place in places for column in place)):
        rises = [abs(heights[piece.source] - heights[piece.target]) for piece in pieces if piece.column == column - 1]
        gap = min(max([_GAP, *(round(0.6 * rise) for rise in rises)]), _MAX_GAP)
        start = spans[-1][1] + gap if spans else margin
        spans.append((start, start + max(place[column].along for place in places if column in place)))
    return spans


def _route(
    boxes: Sequence[Mapping[int, Box]], spans: Sequence[tuple[float, float]], item: int, link: Link
) -> tuple[Point, ...]:
    ((start, source),) = boxes[link.source].items()
    ((end, target),) = boxes[link.target].items()
    points = [
        Point(source.center.along + source.size.along / 2, source.center.across),
        Point(spans[start][1], source.center.across),
    ]
    if boxes[item]:
        across = boxes[item][start + 1].center.across
        points += [Point(spans[start + 1][0], across), Point(spans[end - 1][1], across)]
    return (
        *points,
        Point(spans[end][0], target.center.across),
        Point(target.center.along - target.size.along / 2, target.center.across),
    )
