"""A cell as a picture: a graph whose operations have colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lnas.errors import UsageError, complaint
from lnas.spaces.drawing.layout import Box, Link, Point, Size, lay_out
from lnas.spaces.drawing.svg import (
    BASELINE,
    GREY,
    INK,
    MARGIN,
    PAPER,
    PLAIN,
    TIP,
    WHITE,
    Svg,
    arrow,
    box,
    number,
    picture,
    text,
    text_width,
)

# One colour per kind of operation. All carry white text at a contrast of 4.5 or more, and colour-blind readers can tell
# them apart.
_COLORS = {
    "skip_connect": "#6b7480",
    "nor_conv_1x1": "#a56905",
    "conv1x1-bn-relu": "#a56905",
    "nor_conv_3x3": "#b8312b",
    "sep_conv_3x3": "#b8312b",
    "conv3x3-bn-relu": "#b8312b",
    "sep_conv_5x5": "#9d1f8e",
    "dil_conv_3x3": "#8a2cf2",
    "dil_conv_5x5": "#4b3fb5",
    "avg_pool_3x3": "#1c73d0",
    "max_pool_3x3": "#0e834a",
    "maxpool3x3": "#0e834a",
}
_DASHED = ' stroke-dasharray="4 3"'
_NODE, _LABEL = 32, 20


class Edge(NamedTuple):
    """An edge from one node to a later one, with its operation if it has one.

    A dead edge carries nothing from the input to the output.
    """

    source: int
    target: int
    op: str = ""
    dead: bool = False


def draw_cell(nodes: Sequence[str], edges: Sequence[Edge], title: str) -> Svg:
    """Draw a cell as a graph without overlaps: its longest path in a straight line, the rest above and below.

    The flow runs to the right, or down if nodes carry operations. Nodes and edges that carry an operation have its
    colour; what is dead is dashed.

    Args:
        nodes: Node labels in topological order: the input first, the output last.
        edges: Edges from a node to a later one.
        title: Accessible name of the picture.

    Raises:
        UsageError: An edge does not lead from a node to a later one.
    """
    for edge in edges:
        if not 0 <= edge.source < edge.target < len(nodes):
            expected = f"edges from a node to a later one, of nodes 0 to {len(nodes) - 1}"
            raise UsageError(complaint("draw_cell", expected, edge, "Order the nodes topologically."))
    down = any(node in _COLORS for node in nodes)
    sizes = [Size(_NODE, _node_width(node)) if down else Size(_node_width(node), _NODE) for node in nodes]
    links = [
        Link(edge.source, edge.target, Size(text_width(edge.op) + 14, _LABEL) if edge.op else None, edge.dead)
        for edge in edges
    ]
    layout = lay_out(sizes, links, MARGIN)
    alive = {0, len(nodes) - 1} | {node for edge in edges if not edge.dead for node in (edge.source, edge.target)}
    drawn_edges = [
        _edge(edge, route, label, down) for edge, route, label in zip(edges, layout.routes, layout.labels, strict=True)
    ]
    drawn_nodes = [
        _node(label, place, down, dead=node not in alive)
        for node, (label, place) in enumerate(zip(nodes, layout.nodes, strict=True))
    ]
    width, height = _turned(layout.size, down)
    return picture(width, height, title, "".join(drawn_edges + drawn_nodes))


def _node_width(label: str) -> int:
    return max(_NODE, text_width(label) + 18)


def _edge(edge: Edge, route: Sequence[Point], label: Box | None, down: bool) -> str:
    color = _COLORS.get(edge.op, PLAIN) if edge.op else GREY
    end = route[-1]
    short = [*route[:-1], Point(end.along - TIP + 1, end.across)]
    drawn = arrow(_path(short, down, label), *_turned(end, down), color, down)
    if label:
        drawn += _operation(edge.op, label, down, edge.dead)
    return f"<g{_DASHED if edge.dead else ''}>{drawn}</g>"


def _node(label: str, place: Box, down: bool, dead: bool) -> str:
    if label in _COLORS:
        return _operation(label, place, down, dead)
    style = f'rx="{_NODE // 2}" stroke="{GREY}" stroke-width="1.5"'
    if dead:
        return _labelled(label, place, down, f'{style} fill="none"{_DASHED}', GREY)
    return _labelled(label, place, down, f'{style} fill="{PAPER}"', INK)


def _operation(op: str, place: Box, down: bool, dead: bool) -> str:
    """Draw an operation: in white on its colour, or hollow if it is dead."""
    color = _COLORS.get(op, PLAIN)
    if dead:
        return _labelled(op, place, down, f'rx="5" fill="none" stroke="{color}" stroke-width="1.5"{_DASHED}', GREY)
    return _labelled(op, place, down, f'rx="5" fill="{color}"', WHITE)


def _labelled(label: str, place: Box, down: bool, style: str, ink: str) -> str:
    (x, y), (width, height) = _turned(place.center, down), _turned(place.size, down)
    return box(x - width / 2, y - height / 2, width, height, style) + text(x, y + BASELINE, label, ink)


def _path(route: Sequence[Point], down: bool, label: Box | None) -> str:
    """Return the path along a route, interrupted by its label."""
    path = f"M{_point(route[0], down)}L{_point(route[1], down)}"
    for before, start, end in zip(route[1::2], route[2::2], route[3::2], strict=False):
        middle = (before.along + start.along) / 2
        handles = Point(middle, before.across), Point(middle, start.across)
        path += "C" + " ".join(_point(point, down) for point in (*handles, start))
        if label and start.along < label.center.along < end.along:
            left, right = (label.center.along + side * label.size.along / 2 for side in (-1, 1))
            path += f"L{_point(Point(left, start.across), down)}M{_point(Point(right, start.across), down)}"
        path += f"L{_point(end, down)}"
    return path


def _point(point: Point, down: bool) -> str:
    x, y = _turned(point, down)
    return f"{number(x)} {number(y)}"


def _turned(pair: Point | Size, down: bool) -> tuple[float, float]:
    """Return (along, across) as (x, y)."""
    return (pair.across, pair.along) if down else (pair.along, pair.across)
