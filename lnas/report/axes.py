"""The axes of hand-drawn charts: where on a picture a value lies, and which round numbers stand beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple

from lnas.spaces.drawing.svg import GREY, number, text, text_width

Scale = Literal["linear", "log"]

NAME_LINE = 36
"""How far below its frame the name of the axis across has its baseline."""
_TICK_LINE = 16
_TICKS = 6
_LABEL_GAP = 8
_GENERAL_DIGITS, _MOST_DIGITS = 6, 12
_SLACK = 1e-9


class Tick(NamedTuple):
    """A value that is written beside its axis, and how."""

    value: float
    label: str


@dataclass(frozen=True)
class Axis:
    """A range of values.

    Attributes:
        low: Where it begins.
        high: Where it ends, above `low`.
        ticks: Values in between that are written out, ascending.
        scale: Whether equal distances are equal differences or equal ratios.
    """

    low: float
    high: float
    ticks: Sequence[Tick]
    scale: Scale = "linear"

    @property
    def length(self) -> float:
        """How far its ends are apart, in its values or, on a log scale, in decades."""
        return self.distance(self.low, self.high)

    def distance(self, start: float, end: float) -> float:
        """Return how far two values are apart, in the unit of `length`."""
        return end - start if self.scale == "linear" else math.log10(end) - math.log10(start)


@dataclass(frozen=True)
class Frame:
    """A rectangle of a picture, in pixels, and the axes that span it: values grow to the right and upwards."""

    left: float
    top: float
    width: float
    height: float
    across: Axis
    up: Axis

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def x(self, value: float) -> float:
        """Return where a value of the axis across lies."""
        return self.left + self.width * self.across.distance(self.across.low, value) / self.across.length

    def y(self, value: float) -> float:
        """Return where a value of the axis upwards lies."""
        return self.top + self.height * self.up.distance(value, self.up.high) / self.up.length

    def rulings(self) -> str:
        """Draw a line across at each tick upwards, and write the labels of both axes."""
        drawn = ""
        for value, label in self.up.ticks:
            drawn += f'<path d="M{number(self.left)} {number(self.y(value))}h{number(self.width)}" stroke="{GREY}" '
            drawn += f'stroke-opacity="0.3"/>{text(self.left - 6, self.y(value) + 4, label, anchor="end")}'
        return drawn + "".join(
            text(self.x(value), self.bottom + _TICK_LINE, label) for value, label in self.across.ticks
        )


def round_step(rough: float) -> float:
    """Return the next 1, 2 or 5 times a power of ten.

    Example:
        >>> [round_step(rough) for rough in (0.3, 1, 21)]
        [0.5, 1.0, 50.0]
    """
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - _SLACK))


def rounded_axis(low: float, high: float) -> Axis:
    """Return a linear axis around some values that begins and ends at a tick.

    Example:
        >>> [tick.label for tick in rounded_axis(93.1, 94.37).ticks]
        ['93', '93.5', '94', '94.5']
    """
    step = _step(low, high)
    first = math.floor(low / step)
    last = max(math.ceil(high / step), first + 1)
    ticks = list(_multiples(step, range(first, last + 1)))
    return Axis(ticks[0].value, ticks[-1].value, ticks)


def tight_axis(low: float, high: float) -> Axis:
    """Return a linear axis that begins and ends with some values, whose ticks are the round ones among them.

    Example:
        >>> [tick.label for tick in tight_axis(1, 1000).ticks]
        ['200', '400', '600', '800', '1,000']
    """
    if _same(low, high):
        around = abs(low) / 2 or 0.5
        return Axis(low - around, high + around, [Tick(low, _written(low))])
    step = _step(low, high)
    inside = range(math.ceil(low / step - _SLACK), math.floor(high / step + _SLACK) + 1)
    return Axis(low, high, list(_multiples(step, inside)))


def log_axis(low: float, high: float, width: float) -> Axis:
    """Return a logarithmic axis that begins and ends with some values, all positive.

    Its ticks are 1, 2 and 5 times the powers of ten where their labels have room, else every power, every second, and
    so on; the round numbers of a linear axis where the range holds too few powers.

    Args:
        low: The smallest value.
        high: The largest.
        width: Its length in pixels, if it lies across.

    Example:
        >>> [tick.label for tick in log_axis(1, 100, 620).ticks]
        ['1', '2', '5', '10', '20', '50', '100']
        >>> [tick.label for tick in log_axis(1, 30000, 620).ticks]
        ['1', '10', '100', '1,000', '10,000']
    """
    if _same(low, high):
        return Axis(low / 2, high * 2, [Tick(low, _written(low))], "log")
    for values in _log_values(low, high):
        axis = Axis(low, high, [Tick(value, _written(value)) for value in values], "log")
        if len(axis.ticks) < 2:
            break
        if _have_room(axis, width):
            return axis
    return Axis(low, high, tight_axis(low, high).ticks, "log")


def _same(low: float, high: float) -> bool:
    """Whether two values are the same but for the noise of floats."""
    return math.isclose(low, high, abs_tol=1e-300)


def _step(low: float, high: float) -> float:
    size = max(abs(low), abs(high))
    return round_step(max(1, _SLACK * size) if _same(low, high) else (high - low) / _TICKS)


def _multiples(step: float, factors: Iterable[int]) -> Iterator[Tick]:
    return (Tick(step * factor, _written(step * factor, step)) for factor in factors)


def _log_values(low: float, high: float) -> Iterator[list[float]]:
    """Yield round numbers within a range, ever fewer."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors, every in [((1, 2, 5), 1), *(((1,), every) for every in range(1, len(powers)))]:
        values = [float(f"{factor}e{power}") for power in powers if power % every == 0 for factor in factors]
        yield [value for value in values if low * (1 - _SLACK) <= value <= high * (1 + _SLACK)]


def _have_room(axis: Axis, width: float) -> bool:
    """Whether labels side by side do not touch."""
    return all(
        width * axis.distance(one.value, other.value) / axis.length
        >= (text_width(one.label) + text_width(other.label)) / 2 + _LABEL_GAP
        for one, other in pairwise(axis.ticks)
    )


def _written(value: float, step: float | None = None) -> str:
    """Write a value with as many digits as tell it from its neighbours a step away."""
    if value == 0:
        return "0"
    finer = 0 if step is None else math.floor(math.log10(abs(value))) - math.floor(math.log10(step)) + 1
    return f"{value:,.{min(max(finer, _GENERAL_DIGITS), _MOST_DIGITS)}g}"
