"""A hand-drawn scatter plot: places in a ranking against accuracy, trivial cells marked, the winner's cell below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import NamedTuple

from lnas.report.axes import NAME_LINE, Axis, Frame, Tick, round_step, rounded_axis
from lnas.report.legend import Entry, draw_head
from lnas.spaces.drawing import Svg
from lnas.spaces.drawing.svg import MARGIN, PLAIN, number, picture, text

_TRIVIAL, _WINNER = "#e08e0b", "#2a9d5c"
_WIDTH, _HEIGHT, _DRAWING = 620, 280, 150
_LEFT, _BETWEEN = 52, 72
_RADIUS, _RING, _SAMPLE = 4, 8, 5
_PLACES = 6


class Ranked(NamedTuple):
    """A point of the plot.

    Attributes:
        place: In the ranking, 1 is the best.
        accuracy: In percent.
        label: What pointing at it shows.
        is_trivial: Whether its cell computes without a convolution.
    """

    place: int
    accuracy: float
    label: str
    is_trivial: bool


@dataclass(frozen=True)
class RankScatter:
    """A ranking of architectures whose accuracy is known.

    Attributes:
        rank: By which expression.
        truth: Which accuracy.
        points: At least one.
        winner: Drawing of the first of the ranking.
        followed: The label of a point that is marked besides the winner, and why, such as "first by angle".
    """

    rank: str
    truth: str
    points: Sequence[Ranked]
    winner: Svg
    followed: tuple[str, str] | None = None


def draw_rank_scatter(plot: RankScatter) -> Svg:
    """Draw the plot as a picture of its own; every point tells its architecture when it is pointed at."""
    head = draw_head(f"{plot.truth} (%)", _legend(plot), _LEFT, _WIDTH)
    frame = _around(plot.points, head.height)
    marks = [_dot(point, frame) for point in sorted(plot.points, key=lambda point: point.is_trivial)]
    first = min(plot.points, key=lambda point: point.place)
    marks.append(_ring(first, frame, _WINNER, ""))
    if plot.followed:
        marks += [_ring(point, frame, _TRIVIAL, "4 3") for point in plot.points if point.label == plot.followed[0]]
    across = text(frame.left + frame.width / 2, frame.bottom + NAME_LINE, f"Place by {plot.rank} (1 is the best)")
    drawn = [frame.rulings(), across, head.name, *marks, *head.legend]
    top = frame.bottom + _BETWEEN
    body = "".join(drawn) + _below(plot.winner, f"First by {plot.rank}:", top)
    return picture(_LEFT + _WIDTH + MARGIN, top + _DRAWING + MARGIN, _title(plot), body)


def _around(points: Sequence[Ranked], top: float) -> Frame:
    """Return a frame that holds all points, the best place half a place from its left."""
    last = max(point.place for point in points)
    places = range(0, last + 1, max(1, round(round_step(last / _PLACES))))
    across = Axis(0.5, last + 0.5, [Tick(place, str(place)) for place in sorted({1, *places} - {0})])
    low, high = (bound(point.accuracy for point in points) for bound in (min, max))
    return Frame(_LEFT, top, _WIDTH, _HEIGHT, across, rounded_axis(low, high))


def _legend(plot: RankScatter) -> list[Entry]:
    styles = [("cells", f'fill="{PLAIN}"')]
    if any(point.is_trivial for point in plot.points):
        styles.append(("trivial cells", f'fill="{_TRIVIAL}"'))
    styles.append((f"first by {plot.rank}", f'fill="none" stroke="{_WINNER}" stroke-width="2"'))
    if plot.followed:
        styles.append((plot.followed[1], f'fill="none" stroke="{_TRIVIAL}" stroke-width="2" stroke-dasharray="4 3"'))
    return [Entry(label, partial(_sample, style), 2 * _SAMPLE) for label, style in styles]


def _sample(style: str, left: float, middle: float) -> str:
    return f'<circle cx="{number(left + _SAMPLE)}" cy="{number(middle)}" r="{_SAMPLE}" {style}/>'


def _below(drawing: Svg, caption: str, top: float) -> str:
    """Place a picture under the plot, as large as it may be."""
    place = f'<svg x="{_LEFT}" y="{number(top)}" width="{_WIDTH}" height="{_DRAWING}">{drawing}</svg>'
    return text(MARGIN, top - 6, caption, anchor="start") + place


def _dot(point: Ranked, frame: Frame) -> str:
    color = _TRIVIAL if point.is_trivial else PLAIN
    return (
        f'<circle cx="{number(frame.x(point.place))}" cy="{number(frame.y(point.accuracy))}" r="{_RADIUS}" '
        f'fill="{color}" fill-opacity="0.85"><title>{escape(f"{point.place}. {point.label}, {point.accuracy:.2f} %")}'
        f"</title></circle>"
    )


def _ring(point: Ranked, frame: Frame, color: str, dashes: str) -> str:
    return (
        f'<circle cx="{number(frame.x(point.place))}" cy="{number(frame.y(point.accuracy))}" r="{_RING}" fill="none" '
        f'stroke="{color}" stroke-width="2" stroke-dasharray="{dashes or "none"}" pointer-events="none"/>'
    )


def _title(plot: RankScatter) -> str:
    return f"Place by {plot.rank} against {plot.truth}, {len(plot.points)} architectures"
