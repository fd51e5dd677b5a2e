"""A small directed graph as SVG text: nodes in a row, edges as arcs, operations as coloured labels."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

_COLORS = {
    "skip_connect": "#7f8c9b",
    "nor_conv_1x1": "#e08e0b",
    "nor_conv_3x3": "#d1495b",
    "avg_pool_3x3": "#2e86ab",
}
_OTHER = "#6a4c93"
_STEP, _RADIUS, _LABEL_HEIGHT, _MARGIN = 170, 20, 20, 46
_RISE = {1: 0, 2: 84, 3: 150}


class Svg(str):
    """SVG text that a notebook shows as a picture."""

    def _repr_svg_(self) -> str:
        return str(self)


class Edge(NamedTuple):
    """An operation from one node to a later one; a dead edge carries nothing to the output and is dashed."""

    source: int
    target: int
    op: str
    dead: bool = False


def draw_cell(nodes: Sequence[str], edges: Sequence[Edge], title: str) -> Svg:
    """Draw nodes from left to right and their edges: neighbours straight, longer ones as arcs above and below.

    Arcs that skip one node alternate between the two sides, so that no two labels share a place.

    Args:
        nodes: Node labels, in topological order.
        edges: Edges from a node to a later one.
        title: Accessible name of the picture.
    """
    peaks = [_peak(edge) for edge in edges]
    middle = _MARGIN - min([0, *peaks])
    width = _MARGIN * 2 + _STEP * (len(nodes) - 1)
    height = middle + max([0, *peaks]) + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12" style="max-width:{width}px;width:100%">',
        f"<title>{escape(title)}</title>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" fill="#8a94a3"/></marker></defs>',
    ]
    parts += [_edge(edge, middle) for edge in edges]
    parts += [_node(index, label, middle) for index, label in enumerate(nodes)]
    return Svg("".join([*parts, "</svg>"]))


def draw_decisions(names: Sequence[str], labels: Sequence[str], title: str) -> Svg:
    """Draw a row of boxes, one per decision, with what was chosen inside and what was decided below.

    Args:
        names: What each decision is about.
        labels: What was chosen.
        title: Accessible name of the picture.
    """
    step = 16 + max(7 * len(text) for text in (*names, *labels))
    width, height = step * len(names) + 10, 84
    boxes = "".join(
        f'<rect x="{10 + step * k}" y="10" width="{step - 10}" height="36" rx="5" fill="{_OTHER}"/>'
        f'<text x="{5 + step * (k + 0.5):.0f}" y="33" fill="#fff" text-anchor="middle">{escape(label)}</text>'
        f'<text x="{5 + step * (k + 0.5):.0f}" y="66" fill="#8a94a3" text-anchor="middle">{escape(name)}</text>'
        for k, (name, label) in enumerate(zip(names, labels, strict=True))
    )
    return Svg(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12" style="max-width:{width}px;width:100%">'
        f"<title>{escape(title)}</title>{boxes}</svg>"
    )


def _peak(edge: Edge) -> int:
    """Return how far the arc leaves the row of nodes: negative is up."""
    span = edge.target - edge.source
    side = 1 if span == 2 and edge.source % 2 else -1
    return side * _RISE.get(span, 60 * span)


def _edge(edge: Edge, middle: int) -> str:
    span = edge.target - edge.source
    peak = _peak(edge)
    side = 1 if peak > 0 else -1
    start = _MARGIN + _STEP * edge.source + (_RADIUS if span == 1 else 0)
    end = _MARGIN + _STEP * edge.target - (_RADIUS if span == 1 else 0)
    from_y = middle if span == 1 else middle + side * _RADIUS
    # A cubic curve with both handles at 4/3 of the peak touches the peak in its middle.
    handle = middle + peak * 4 / 3 - (from_y - middle) / 3
    color = _COLORS.get(edge.op, _OTHER)
    dash = ' stroke-dasharray="4 4" opacity="0.45"' if edge.dead else ""
    path = f"M{start} {from_y}C{start + span * 30} {handle:.0f} {end - span * 30} {handle:.0f} {end} {from_y}"
    label_width = 7 * len(edge.op) + 12
    label_x, label_y = (start + end) / 2 - label_width / 2, middle + peak - _LABEL_HEIGHT / 2
    return (
        f'<g{dash}><path d="{path}" fill="none" stroke="{color}" stroke-width="2" marker-end="url(#tip)"/>'
        f'<rect x="{label_x:.0f}" y="{label_y:.0f}" width="{label_width}" height="{_LABEL_HEIGHT}" rx="5" '
        f'fill="{color}"/><text x="{(start + end) / 2:.0f}" y="{label_y + 14:.0f}" fill="#fff" '
        f'text-anchor="middle">{escape(edge.op)}</text></g>'
    )


def _node(index: int, label: str, middle: int) -> str:
    x = _MARGIN + _STEP * index
    return (
        f'<circle cx="{x}" cy="{middle}" r="{_RADIUS}" fill="#f4f6f8" stroke="#8a94a3" stroke-width="2"/>'
        f'<text x="{x}" y="{middle + 4}" fill="#20262e" text-anchor="middle">{escape(label)}</text>'
    )
