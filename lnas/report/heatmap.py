"""A hand-drawn heatmap: numbers around 0 of rows and columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import starmap

from lnas.errors import UsageError, complaint
from lnas.spaces.drawing.svg import BASELINE, INK, MARGIN, WHITE, Svg, box, number, picture, text, text_width

_LOW, _MIDDLE, _HIGH = (192, 86, 59), (244, 244, 240), (43, 123, 186)
_DARK = 0.7
_ROW, _GAP, _PAD = 26, 1, 10
_NARROWEST, _WIDEST = 52, 100
_SLANT = 40


@dataclass(frozen=True)
class Heatmap:
    """Numbers around 0 of rows and columns.

    Attributes:
        title: What it shows.
        rows: From the top.
        columns: From the left.
        values: One row of numbers per row, NaN for none.
        reach: The colours go from -reach to reach.
        form: How a number is written.

    Raises:
        UsageError: If there are no rows or columns, not as many values, or `reach` is not above 0.
    """

    title: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float]]
    reach: float
    form: str = "{:z.2f}"

    def __post_init__(self) -> None:
        call, expected = f"Heatmap({self.title!r})", (len(self.rows), len(self.columns))
        lengths = {len(values) for values in self.values}
        if not all(expected) or len(self.values) != len(self.rows) or lengths != {len(self.columns)}:
            got = (len(self.values), sorted(lengths))
            raise UsageError(complaint(call, f"values of shape {expected}, none of them 0", got, "Leave it out."))
        if not 0 < self.reach < math.inf:
            raise UsageError(complaint(call, "a finite reach > 0", self.reach, "Take the largest absolute value."))


def draw_heatmap(heatmap: Heatmap) -> Svg:
    """Draw a box per number, which it tells with its row and column when it is pointed at; none is left blank."""
    left = MARGIN + max(map(text_width, heatmap.rows)) + _PAD
    longest = max(map(text_width, heatmap.columns))
    is_slanted = longest + _PAD > _WIDEST
    width = _NARROWEST if is_slanted else max(longest + _PAD, _NARROWEST)
    slant = math.radians(_SLANT) if is_slanted else 0.0
    top = MARGIN + (longest * math.sin(slant) + _PAD if is_slanted else 0) + 2 * BASELINE + 6
    over = longest * math.cos(slant) if is_slanted else 0
    body = "".join(
        text(left - _PAD / 2, top + _ROW * (k + 0.5) + BASELINE, name, anchor="end")
        for k, name in enumerate(heatmap.rows)
    )
    for k, name in enumerate(heatmap.columns):
        body += _heading(left + width * (k + 0.5), top - 6, name, -_SLANT if is_slanted else 0)
    for i, values in enumerate(heatmap.values):
        for j, value in enumerate(values):
            body += _cell(heatmap, i, j, value, left + width * j, top + _ROW * i, width)
    right = left + width * len(heatmap.columns) + MARGIN
    size = max(right, right - width / 2 + over), top + _ROW * len(heatmap.rows) + MARGIN
    return picture(*size, heatmap.title, body)


def _heading(x: float, y: float, name: str, turn: float) -> str:
    if not turn:
        return text(x, y, name)
    place = f"translate({number(x)} {number(y)}) rotate({turn:g})"
    return f'<g transform="{place}">{text(0, 0, name, anchor="start")}</g>'


def _cell(heatmap: Heatmap, row: int, column: int, value: float, left: float, top: float, width: float) -> str:
    if math.isnan(value):
        return ""
    share = min(max(value / heatmap.reach, -1), 1)
    end = _HIGH if share > 0 else _LOW
    mixed = starmap(lambda middle, far: round(middle + abs(share) * (far - middle)), zip(_MIDDLE, end, strict=True))
    color, written = "#" + "".join(f"{part:02x}" for part in mixed), heatmap.form.format(value)
    told = f"{heatmap.rows[row]}, {heatmap.columns[column]}: {written}"
    drawn = box(left, top, width - _GAP, _ROW - _GAP, f'fill="{color}"')
    ink = WHITE if abs(share) > _DARK else INK
    drawn += text(left + (width - _GAP) / 2, top + _ROW / 2 + BASELINE, written, ink)
    return f"<g><title>{escape(told)}</title>{drawn}</g>"
