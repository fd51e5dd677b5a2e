"""A hand-drawn scatter plot: places in a ranking against accuracy, trivial cells marked, the winner's cell below."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

from lnas.spaces.drawing import Svg
from lnas.spaces.drawing.svg import GREY, MARGIN, PLAIN, number, picture, text, text_width

_TRIVIAL, _WINNER = "#e08e0b", "#2a9d5c"
_WIDTH, _HEIGHT, _DRAWING = 620, 280, 150
_LEFT, _TOP, _BOTTOM = 52, 46, 72
_RADIUS, _RING = 4, 8
_TICKS = 6


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
    axes = _Axes.around(plot.points)
    marks = [_dot(point, axes) for point in sorted(plot.points, key=lambda point: point.is_trivial)]
    first = min(plot.points, key=lambda point: point.place)
    marks.append(_ring(first, axes, _WINNER, ""))
    if plot.followed:
        marks += [_ring(point, axes, _TRIVIAL, "4 3") for point in plot.points if point.label == plot.followed[0]]
    body = _frame(axes, plot) + "".join(marks) + _legend(plot) + _below(plot.winner, f"First by {plot.rank}:")
    height = _TOP + _HEIGHT + _BOTTOM + _DRAWING + MARGIN
    return picture(_LEFT + _WIDTH + MARGIN, height, _title(plot), body)


class _Axes(NamedTuple):
    last: int
    low: float
    high: float
    step: float

    @classmethod
    def around(cls, points: Sequence[Ranked]) -> _Axes:
        low, high = (bound(point.accuracy for point in points) for bound in (min, max))
        step = _round_step((high - low) / _TICKS or 1)
        top = step * math.ceil(high / step) if high > low else low + step
        return cls(max(point.place for point in points), step * math.floor(low / step), top, step)

    def x(self, place: float) -> float:
        return _LEFT + _WIDTH * (place - 0.5) / self.last

    def y(self, accuracy: float) -> float:
        return _TOP + _HEIGHT * (self.high - accuracy) / (self.high - self.low)


def _round_step(rough: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def _frame(axes: _Axes, plot: RankScatter) -> str:
    lines = ""
    for k in range(round((axes.high - axes.low) / axes.step) + 1):
        value = axes.low + k * axes.step
        height = axes.y(value)
        lines += _rule(height) + text(_LEFT - 6, height + 4, f"{value:g}", anchor="end")
    places = range(0, axes.last + 1, max(1, round(_round_step(axes.last / _TICKS))))
    for place in sorted({1, *places} - {0}):
        lines += text(axes.x(place), _TOP + _HEIGHT + 16, str(place))
    across = text(_LEFT + _WIDTH / 2, _TOP + _HEIGHT + 36, f"Place by {plot.rank} (1 is the best)")
    return lines + across + text(MARGIN, 16, f"{plot.truth} (%)", anchor="start")


def _legend(plot: RankScatter) -> str:
    entries = [(f'fill="{PLAIN}"', "cells")]
    if any(point.is_trivial for point in plot.points):
        entries.append((f'fill="{_TRIVIAL}"', "trivial cells"))
    entries.append((f'fill="none" stroke="{_WINNER}" stroke-width="2"', f"first by {plot.rank}"))
    if plot.followed:
        entries.append((f'fill="none" stroke="{_TRIVIAL}" stroke-width="2" stroke-dasharray="4 3"', plot.followed[1]))
    drawn, left = "", float(_LEFT)
    for style, label in entries:
        drawn += f'<circle cx="{number(left + 5)}" cy="30" r="5" {style}/>' + text(left + 16, 34, label, anchor="start")
        left += text_width(label) + 34
    return drawn


def _below(drawing: Svg, caption: str) -> str:
    """Place a picture under the plot, as large as it may be."""
    top = _TOP + _HEIGHT + _BOTTOM
    place = f'<svg x="{_LEFT}" y="{top}" width="{_WIDTH}" height="{_DRAWING}">{drawing}</svg>'
    return text(MARGIN, top - 6, caption, anchor="start") + place


def _dot(point: Ranked, axes: _Axes) -> str:
    color = _TRIVIAL if point.is_trivial else PLAIN
    return (
        f'<circle cx="{number(axes.x(point.place))}" cy="{number(axes.y(point.accuracy))}" r="{_RADIUS}" '
        f'fill="{color}" fill-opacity="0.85"><title>{escape(f"{point.place}. {point.label}, {point.accuracy:.2f} %")}'
        f"</title></circle>"
    )


def _ring(point: Ranked, axes: _Axes, color: str, dashes: str) -> str:
    return (
        f'<circle cx="{number(axes.x(point.place))}" cy="{number(axes.y(point.accuracy))}" r="{_RING}" fill="none" '
        f'stroke="{color}" stroke-width="2" stroke-dasharray="{dashes or "none"}" pointer-events="none"/>'
    )


def _rule(height: float) -> str:
    return f'<path d="M{_LEFT} {number(height)}h{_WIDTH}" stroke="{GREY}" stroke-opacity="0.3"/>'


def _title(plot: RankScatter) -> str:
    return f"Place by {plot.rank} against {plot.truth}, {len(plot.points)} architectures"
