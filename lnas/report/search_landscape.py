"""A hand-drawn landscape: how good architectures are over a plane, and the ways that searches took on it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from html import escape
from itertools import groupby, pairwise
from typing import Literal

import numpy as np

from lnas.analysis.landscape import Grid
from lnas.errors import UsageError, complaint
from lnas.report.axes import NAME_LINE, Frame, tight_axis
from lnas.report.legend import Entry, draw_head
from lnas.spaces.drawing.svg import GREY, MARGIN, WHITE, Svg, box, number, picture, text

Kind = Literal["shared", "one", "other", "straight"]

_BANDS = 10
_LOWEST, _HIGHEST = (243, 240, 231), (38, 104, 160)
_STYLES: dict[Kind, str] = {
    "shared": 'stroke="#20262e" stroke-opacity="0.45"',
    "one": 'stroke="#d0432f"',
    "other": 'stroke="#8e0dff"',
    "straight": 'stroke="#e08e0b" stroke-dasharray="6 4" stroke-width="2.5"',
}
_FAINT = 0.3  # a search goes to and fro hundreds of times
_WIDTH, _HEIGHT, _LEFT, _SAMPLE, _CROSS = 460, 380, 52, 22, 6


@dataclass(frozen=True)
class Way:
    """A way over the plane.

    Attributes:
        label: Its name in the legend.
        kind: What it is: the way before searches part, the way of one of the two, or a straight line between ends. A
            search's own way ends in a cross, the shared one in a star.
        points: In order, at least one, shape (n, 2).
    """

    label: str
    kind: Kind
    points: np.ndarray


@dataclass(frozen=True)
class Landscape:
    """Heights over a plane, and ways on it.

    Attributes:
        title: Accessible name of the picture.
        across: Name of the first axis.
        up: Name of the second.
        grid: Heights in [0, 100], NaN where there is none.
        height: What the heights are.
        ways: In the order in which they are drawn.

    Raises:
        UsageError: If a height is outside of [0, 100], or all are NaN.
    """

    title: str
    across: str
    up: str
    grid: Grid
    height: str
    ways: Sequence[Way]

    def __post_init__(self) -> None:
        known = self.grid.heights[~np.isnan(self.grid.heights)]
        if not len(known) or known.min() < 0 or known.max() > 100:
            got = (float(known.min()), float(known.max())) if len(known) else "none"
            raise UsageError(complaint(f"Landscape({self.title!r})", "heights in [0, 100]", got, "Scale them."))

    @cached_property
    def frame(self) -> tuple[np.ndarray, np.ndarray]:
        """The lower left and the upper right end of all that is drawn."""
        corners = np.column_stack([self.grid.x[[0, -1]], self.grid.y[[0, -1]]])
        points = np.concatenate([corners, *(way.points for way in self.ways)])
        room = 0.02 * np.ptp(points, axis=0)
        return points.min(axis=0) - room, points.max(axis=0) + room


def draw_landscape(landscape: Landscape) -> Svg:
    """Draw the heights as ten bands of colour, the ways as lines, and where they part and end as marks."""
    (left, low), (right, high) = landscape.frame
    entries = [Entry(way.label, partial(_sample, way.kind), _SAMPLE) for way in landscape.ways]
    head = draw_head(landscape.up, entries, _LEFT, _WIDTH)
    frame = Frame(_LEFT, head.height, _WIDTH, _HEIGHT, tight_axis(left, right), tight_axis(low, high))
    body = "".join(_bands(landscape.grid, frame)) + frame.rulings() + head.name + "".join(head.legend)
    body += "".join(_line(way, frame) for way in landscape.ways)
    body += "".join(_end(way, frame) for way in landscape.ways)
    body += text(_LEFT + _WIDTH / 2, frame.bottom + NAME_LINE, landscape.across)
    key = frame.bottom + NAME_LINE + 14
    body += _key(landscape.height, key)
    return picture(_LEFT + _WIDTH + 2 * MARGIN, key + 22 + MARGIN, landscape.title, body)


def _bands(grid: Grid, frame: Frame) -> Iterator[str]:
    """Draw the boxes around the points of the grid, those of one band as one shape; neighbours in a row are one box."""
    known = ~np.isnan(grid.heights)
    bands = np.where(known, np.clip(np.nan_to_num(grid.heights) // (100 / _BANDS), 0, _BANDS - 1), -1).astype(int)
    columns = [frame.x(edge) for edge in _edges(grid.x)]
    rows = [frame.y(edge) for edge in _edges(grid.y)]
    shapes = [""] * _BANDS
    for row, (bottom, top) in zip(bands.tolist(), pairwise(rows), strict=True):
        for band, run in groupby(range(len(row)), key=row.__getitem__):
            places = list(run)
            if band >= 0:
                start, end = columns[places[0]], columns[places[-1] + 1]
                height, width = number(bottom - top), number(end - start)
                shapes[band] += f"M{number(start)} {number(top)}h{width}v{height}h-{width}z"
    for band, shape in enumerate(shapes):
        if shape:
            color = _color(band)
            yield f'<path d="{shape}" fill="{color}" stroke="{color}" stroke-width="0.5"/>'


def _edges(centers: np.ndarray) -> list[float]:
    half = (centers[1] - centers[0]) / 2
    return [float(centers[0] - half), *(float(center + half) for center in centers)]


def _color(band: int) -> str:
    share = band / (_BANDS - 1)
    mixed = (round(low + share * (high - low)) for low, high in zip(_LOWEST, _HIGHEST, strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _line(way: Way, frame: Frame) -> str:
    line = "M" + "L".join(f"{number(frame.x(x))} {number(frame.y(y))}" for x, y in way.points)
    faint = "" if way.kind == "straight" else f' opacity="{_FAINT}"'
    drawn = f'<path d="{line}" fill="none" stroke-linejoin="round" {_STYLES[way.kind]}{faint}/>'
    return f"<g><title>{escape(way.label)}</title>{drawn}</g>"


def _end(way: Way, frame: Frame) -> str:
    x, y = way.points[-1]
    return f"<g><title>{escape(way.label)}</title>{_mark(way.kind, frame.x(x), frame.y(y))}</g>"


def _sample(kind: Kind, left: float, middle: float) -> str:
    line = f'<path d="M{number(left)} {number(middle)}h{_SAMPLE}" fill="none" {_STYLES[kind]}/>'
    return line + _mark(kind, left + _SAMPLE / 2, middle)


def _mark(kind: Kind, x: float, y: float) -> str:
    """Draw what stands at the end of a way: a star where searches part, a cross where they end."""
    if kind == "straight":
        return ""
    if kind == "shared":
        tips = [(math.tau * k / 10, _CROSS + 3 if k % 2 == 0 else 4) for k in range(10)]
        corners = (f"{number(x + far * math.sin(turn))} {number(y - far * math.cos(turn))}" for turn, far in tips)
        return f'<path d="M{"L".join(corners)}z" fill="#d0432f" stroke="#ffffff"/>'
    start, side = f"{number(x - _CROSS)} {number(y - _CROSS)}", 2 * _CROSS
    cross = f"M{start}l{side} {side}m{-side} 0l{side} {-side}"
    halo = f'<path d="{cross}" fill="none" stroke="{WHITE}" stroke-width="6.5"/>'
    return f'{halo}<path d="{cross}" fill="none" stroke-width="3.5" {_STYLES[kind]}/>'


def _key(name: str, top: float) -> str:
    """Explain the colours."""
    side = 16
    boxes = "".join(
        box(_LEFT + side * band, top, side, 10, f'fill="{_color(band)}" stroke="{GREY}" stroke-opacity="0.3"')
        for band in range(_BANDS)
    )
    return boxes + text(_LEFT + side * _BANDS + 8, top + 9, name, anchor="start")
