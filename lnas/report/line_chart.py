"""A hand-drawn line chart: what grows over evaluations, seconds or epochs, with bands of its deviation."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from html import escape
from itertools import chain, groupby, pairwise
from typing import Literal, NamedTuple, NoReturn

from lnas.errors import UsageError, complaint
from lnas.report.axes import NAME_LINE, Axis, Frame, Scale, log_axis, rounded_axis, tight_axis
from lnas.report.legend import Entry, draw_head, wrapped
from lnas.spaces.drawing import Svg
from lnas.spaces.drawing.svg import GREY, LINE, MARGIN, PLAIN, number, picture, text, text_width

Line = Literal["linear", "steps"]

# Told apart by colour-blind readers, at a contrast of 2.5 or more on light and dark pages; each comes once more with
# every row of dashes.
_COLORS = (PLAIN, "#e08e0b", "#8e0dff", "#09b591", "#b23e2d", "#d073ff")
_DASHES = ("", "7 4", "2 3", "9 3 2 3")
_REFERENCE_DASHES = ("6 4", "2 4", "10 3 2 3")
_WIDTH, _HEIGHT = 620, 300
_LEFT, _RIGHT = 52, 40
_SAMPLE, _THICKNESS, _DOT = 22, 2, 6
_TICK_GAP, _FAR = 6, 1e5
# How many points all series have together, and one at most and at least, before it is thinned out.
_POINTS, _MOST, _FEWEST = 3600, 600, 20


@dataclass(frozen=True)
class Series:
    """A line of the chart.

    Attributes:
        label: Its name in the legend.
        xs: Finite, ascending.
        means: One for each x, NaN where there is none: the line has a gap there.
        deviations: How far the band around each mean reaches up and down; NaN, or None for all, for no band.
        line: Whether a value leads straight to the next, or holds until the next.

    Raises:
        UsageError: If lengths differ, or a number is none of those.
    """

    label: str
    xs: Sequence[float]
    means: Sequence[float]
    deviations: Sequence[float] | None = None
    line: Line = "linear"

    def __post_init__(self) -> None:
        lengths = {"xs": len(self.xs), "means": len(self.means), "deviations": len(self._reaches)}
        self._expect(len(set(lengths.values())) == 1, "as many means and deviations as xs", lengths)
        for x, mean, deviation in zip(self.xs, self.means, self._reaches, strict=True):
            self._expect(math.isfinite(x), "finite xs", float(x))
            self._expect(not math.isinf(mean), "means that are finite or NaN", float(mean))
            self._expect(not (deviation < 0 or math.isinf(deviation)), "deviations of 0 or more", float(deviation))
        for one, other in pairwise(self.xs):
            self._expect(one <= other, "ascending xs", (float(one), float(other)))

    def _expect(self, fulfilled: bool, expected: str, got: object) -> None:
        if not fulfilled:
            raise UsageError(complaint(f"Series({self.label!r})", expected, got, "Mend what is to be drawn."))

    @property
    def _reaches(self) -> Sequence[float]:
        return [math.nan] * len(self.xs) if self.deviations is None else self.deviations

    @cached_property
    def points(self) -> list[Point]:
        """The points that there are."""
        every = enumerate(zip(self.xs, self.means, self._reaches, strict=True))
        there = ((place, numbers) for place, numbers in every if not math.isnan(numbers[1]))
        return [Point(place - k, *map(float, numbers)) for k, (place, numbers) in enumerate(there)]


class Point(NamedTuple):
    """A point of a series.

    Attributes:
        gaps: How many means are lacking before it: points that follow each other without a gap agree in it.
        x: Where it lies across.
        mean: Where it lies upwards.
        deviation: How far its band reaches, NaN where it has none.
    """

    gaps: int
    x: float
    mean: float
    deviation: float

    @property
    def has_band(self) -> bool:
        return not math.isnan(self.deviation)

    @property
    def ends(self) -> tuple[float, float]:
        """The lower and the upper end of its band; the mean twice if it has none."""
        reach = self.deviation if self.has_band else 0
        return self.mean - reach, self.mean + reach


class Reference(NamedTuple):
    """A line across, such as the best of a benchmark.

    Attributes:
        label: Its name in the legend, where its value is added.
        value: Finite.
    """

    label: str
    value: float


@dataclass(frozen=True)
class LineChart:
    """Series over a common axis.

    Attributes:
        title: Accessible name of the picture.
        across: Name of the axis of the xs.
        up: Name of the axis of the means.
        series: Together of at least one point. More than 24 begin to look alike.
        scale: Of the axis across; a logarithm needs xs above 0.
        references: Lines across.
        up_from: The axis upwards begins at the tick at or below this, and what lies below is cut off: the first steps
            of a search are often so bad that they hide the rest. None for all that there is.
        form: How a mean, a deviation or a reference is written.

    Raises:
        UsageError: If there is nothing to draw, or an axis cannot hold what there is.
    """

    title: str
    across: str
    up: str
    series: Sequence[Series]
    scale: Scale = "linear"
    references: Sequence[Reference] = ()
    up_from: float | None = None
    form: str = "{:.2f}"

    def __post_init__(self) -> None:
        if not self.points:
            self._refuse("a mean that is a number", [series.label for series in self.series], "Leave the chart out.")
        least = min(point.x for point in self.points)
        if self.scale == "log" and least <= 0:
            self._refuse("xs > 0 on a log scale", least, "Leave them out, or take scale='linear'.")
        for label, value in self.references:
            if not math.isfinite(value):
                self._refuse(f"a finite reference {label!r}", value, "Leave it out.")
        if self.up_from is not None and not -math.inf < self.up_from < max(self._heights):
            expected = f"a finite up_from < {max(self._heights):g}, the highest value"
            self._refuse(expected, self.up_from, "Take less, or None for all that there is.")

    def _refuse(self, expected: str, got: object, next_step: str) -> NoReturn:
        raise UsageError(complaint(f"LineChart({self.title!r})", expected, got, next_step))

    @cached_property
    def points(self) -> list[Point]:
        """The points of all series."""
        return [point for series in self.series for point in series.points]

    @cached_property
    def _heights(self) -> list[float]:
        """What the axis upwards must reach."""
        return [end for point in self.points for end in point.ends] + [value for _, value in self.references]

    def axes(self, width: float) -> tuple[Axis, Axis]:
        """Return the axis across, of a width in pixels, and the axis upwards."""
        low, high = (bound(point.x for point in self.points) for bound in (min, max))
        across = log_axis(low, high, width) if self.scale == "log" else tight_axis(low, high)
        return across, rounded_axis(min(self._heights) if self.up_from is None else self.up_from, max(self._heights))


def draw_line_chart(chart: LineChart) -> Svg:
    """Draw the chart; each series tells its last mean and deviation when it is pointed at.

    Series of many points are thinned out, to the first, the last, and the least and the greatest mean in each of some
    equal parts of the axis across: a chart of a dozen series stays below 200 kB.
    """
    across, up = chart.axes(_WIDTH)
    left = max(_LEFT, MARGIN + _TICK_GAP + max(text_width(tick.label) for tick in up.ticks))
    marks = [*_curves(chart), *_rulers(chart)]
    head = draw_head(chart.up, [Entry(mark.label, mark.pen.sample, _SAMPLE) for mark in marks], left, _WIDTH)
    frame = Frame(left, head.height, _WIDTH, _HEIGHT, across, up)
    bands = "".join(_telling(mark.told, mark.band(frame)) for mark in marks)  # below all lines
    lines = "".join(_telling(mark.told, mark.line(frame)) for mark in marks)
    legend = "".join(_telling(mark.told, entry) for mark, entry in zip(marks, head.legend, strict=True))
    name = wrapped(chart.across, _WIDTH)
    names = "".join(text(left + _WIDTH / 2, frame.bottom + NAME_LINE + LINE * k, line) for k, line in enumerate(name))
    height = frame.bottom + NAME_LINE + LINE * (len(name) - 1) + MARGIN
    body = frame.rulings() + head.name + names + _cut(bands + lines, frame) + legend
    return picture(left + _WIDTH + _RIGHT, height, chart.title, body)


class _Pen(NamedTuple):
    """How a line looks."""

    color: str
    dashes: str
    thickness: float = _THICKNESS

    @property
    def style(self) -> str:
        dashes = f' stroke-dasharray="{self.dashes}"' if self.dashes else ""
        return f'fill="none" stroke="{self.color}" stroke-width="{self.thickness:g}" stroke-linejoin="round"{dashes}'

    def sample(self, left: float, middle: float) -> str:
        """Draw a piece of the line, for the legend."""
        return f'<path d="M{number(left)} {number(middle)}h{_SAMPLE}" {self.style}/>'


class _Mark(NamedTuple):
    """A thing of the chart: its label in the legend, what it tells when it is pointed at, and how it is drawn."""

    label: str
    told: str
    pen: _Pen
    line: Callable[[Frame], str]
    band: Callable[[Frame], str]


def _curves(chart: LineChart) -> Iterator[_Mark]:
    most = min(max(_POINTS // len(chart.series), _FEWEST), _MOST)
    for k, series in enumerate(chart.series):
        row, column = divmod(k, len(_COLORS))
        pen = _Pen(_COLORS[column], _DASHES[row % len(_DASHES)])
        line, band = (partial(draw, series, most, pen) for draw in (_line, _band))
        yield _Mark(series.label, _last(series, chart.form), pen, line, band)


def _rulers(chart: LineChart) -> Iterator[_Mark]:
    for k, (label, value) in enumerate(chart.references):
        pen = _Pen(GREY, _REFERENCE_DASHES[k % len(_REFERENCE_DASHES)], 1.5)
        named = f"{label} {chart.form.format(value)}"
        yield _Mark(named, named, pen, partial(_ruler, value, pen), lambda _: "")


def _last(series: Series, form: str) -> str:
    if not series.points:
        return f"{series.label}: no point"
    last = series.points[-1]
    reach = f" ± {form.format(last.deviation)}" if last.has_band else ""
    return f"{series.label}: {form.format(last.mean)}{reach}"


def _ruler(value: float, pen: _Pen, frame: Frame) -> str:
    return f'<path d="M{number(frame.left)} {number(_height(value, frame))}h{number(frame.width)}" {pen.style}/>'


def _line(series: Series, most: int, pen: _Pen, frame: Frame) -> str:
    """Draw the line; a point between two gaps, of which there is no line, is a dot."""
    runs = [list(run) for _, run in groupby(_thinned(series.points, most, frame), key=lambda point: point.gaps)]
    paths = [_path(_corners([(point.x, point.mean) for point in run], series.line, frame)) for run in runs]
    line = "".join(path for path, run in zip(paths, runs, strict=True) if len(run) > 1)
    dots = "".join(f"{path}h0" for path, run in zip(paths, runs, strict=True) if len(run) == 1)
    round_dots = f'stroke="{pen.color}" stroke-width="{_DOT}" stroke-linecap="round"'
    return _shape(line, pen.style) + _shape(dots, round_dots)


def _band(series: Series, most: int, pen: _Pen, frame: Frame) -> str:
    points = _thinned(series.points, most, frame)
    runs = [list(run) for (_, has), run in groupby(points, key=lambda point: (point.gaps, point.has_band)) if has]
    style = f'fill="{pen.color}" fill-opacity="0.14" stroke="{pen.color}" stroke-opacity="0.3"'
    return _shape("".join(_outline(run, series.line, frame) for run in runs), style)


def _outline(points: Sequence[Point], line: Line, frame: Frame) -> str:
    lower, upper = (_corners([(point.x, point.ends[k]) for point in points], line, frame) for k in (0, 1))
    return f"{_path([*upper, *reversed(lower)])}z"


def _thinned(points: Sequence[Point], most: int, frame: Frame) -> Sequence[Point]:
    """Leave of many points the first, the last, and the least and the greatest of each equal part of the axis."""
    if len(points) <= most:
        return points
    parts = (most - 2) // 2
    order = range(len(points))
    kept = {0, len(points) - 1}
    for _, part in groupby(order, key=lambda k: int(parts * (frame.x(points[k].x) - frame.left) / frame.width)):
        places = list(part)
        kept |= {pick(places, key=lambda k: points[k].mean) for pick in (min, max)}
    return [points[k] for k in sorted(kept)]


def _corners(values: Iterable[tuple[float, float]], line: Line, frame: Frame) -> list[tuple[float, float]]:
    """Return where a line through some values turns, in pixels."""
    places = [(frame.x(x), _height(y, frame)) for x, y in values]
    if line == "linear":
        return places
    held = ([(x, before), (x, y)] for (_, before), (x, y) in pairwise(places))
    return [places[0], *chain.from_iterable(held)]


def _height(value: float, frame: Frame) -> float:
    """Return where a value lies upwards; what is far outside, no further than a picture can tell."""
    return min(max(frame.y(value), -_FAR), _FAR)


def _path(corners: Iterable[tuple[float, float]]) -> str:
    """Write the line through some places in few letters: upright and level pieces need but one number."""
    (x, y), *others = ((number(x), number(y)) for x, y in corners)
    written = f"M{x} {y}"
    for to_x, to_y in others:
        if to_x != x and to_y != y:
            written += f"L{to_x} {to_y}"
        elif (to_x, to_y) != (x, y):
            written += f"H{to_x}" if to_x != x else f"V{to_y}"
        x, y = to_x, to_y
    return written


def _shape(path: str, style: str) -> str:
    return f'<path d="{path}" {style}/>' if path else ""


def _telling(title: str, drawn: str) -> str:
    """Let what is drawn tell a title when it is pointed at."""
    return f"<g><title>{escape(title)}</title>{drawn}</g>" if drawn else ""


def _cut(drawn: str, frame: Frame) -> str:
    """Cut off what lies below the frame or, but for the thickness of a line, beside it: a clip path needs an id."""
    left, top, width, height = (
        number(side)
        for side in (frame.left - _DOT, frame.top - _DOT, frame.width + 2 * _DOT, frame.height + _DOT + _THICKNESS)
    )
    sides = f'x="{left}" y="{top}" width="{width}" height="{height}"'
    return f'<svg {sides} viewBox="{left} {top} {width} {height}">{drawn}</svg>'
