"""What stands above a hand-drawn chart: the name of its axis upwards, and its legend."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lnas.spaces.drawing.svg import BASELINE, LINE, MARGIN, text, text_width

_NAME, _LEGEND, _CHART = 16, 30, 46
_MARK_GAP, _ENTRY_GAP = 6, 18


class Entry(NamedTuple):
    """An entry of a legend.

    Attributes:
        label: What it says.
        mark: Draws what it explains, given the left end and the middle of its height.
        mark_width: In pixels.
    """

    label: str
    mark: Callable[[float, float], str]
    mark_width: float


class Head(NamedTuple):
    """What stands above a chart, drawn.

    Attributes:
        name: The name of the axis upwards.
        legend: Its entries.
        height: Where the chart may begin.
    """

    name: str
    legend: list[str]
    height: float


def draw_head(name: str, entries: Sequence[Entry], left: float, width: float) -> Head:
    """Draw the name of the axis upwards and a legend of as many rows as it takes; what is too long goes on below.

    Args:
        name: Of the axis upwards.
        entries: At least one.
        left: Where the legend begins.
        width: Of the legend.
    """
    lines = wrapped(name, left + width - MARGIN)
    drop = LINE * (len(lines) - 1)
    drawn, row, rows, x = [], 0, 0, left
    for entry in entries:
        indent = entry.mark_width + _MARK_GAP
        label = wrapped(entry.label, width - indent)
        needed = indent + max(map(text_width, label))
        if x > left and x + needed > left + width:
            x, row = left, rows
        middle = _LEGEND + drop + LINE * row
        drawn.append(entry.mark(x, middle) + _lines(x + indent, middle + BASELINE, label))
        x, rows = x + needed + _ENTRY_GAP, max(rows, row + len(label))
    return Head(_lines(MARGIN, _NAME, lines), drawn, _CHART + drop + LINE * (rows - 1))


def wrapped(content: str, width: float) -> list[str]:
    """Break a text into lines of at most a width, at least one of them.

    Example:
        >>> wrapped("Accuracy on the validation images", 140)
        ['Accuracy on the', 'validation images']
    """
    return textwrap.wrap(content, int(width // text_width(" "))) or [""]


def _lines(left: float, baseline: float, lines: Sequence[str]) -> str:
    return "".join(text(left, baseline + LINE * k, line, anchor="start") for k, line in enumerate(lines))
