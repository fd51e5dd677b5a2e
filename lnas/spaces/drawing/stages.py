"""A network as a picture: a row of stages, their widths and depths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from lnas.spaces.drawing.svg import GREY, LINE, MARGIN, PLAIN, TIP, Svg, arrow, box, number, picture, text, text_width

_TALLEST, _LAYER, _BAR, _BAR_GAP, _BETWEEN = 96, 30, 6, 3, 34
_AXIS = MARGIN + _TALLEST / 2


class Stage(NamedTuple):
    """A stage of a network.

    Attributes:
        name: What to call it.
        width: Channels.
        depth: Blocks, or None where depth is not decided.
        notes: What else is to be said, a line each.
    """

    name: str
    width: int
    depth: int | None = None
    notes: tuple[str, ...] = ()


def draw_stages(stages: Sequence[Stage], title: str, widest: int | None = None) -> Svg:
    """Draw a network as a row of stages: the more channels, the taller; one bar per block.

    Args:
        stages: From input to output.
        title: Accessible name of the picture.
        widest: The width that is as tall as the picture, that of the widest stage by default. Give the largest of the
            space, and pictures of different architectures compare.
    """
    scale = _TALLEST / (widest or max(stage.width for stage in stages))
    left, body = 2.0 * MARGIN, ""
    for stage in stages:
        lines = [stage.name, *_stage_lines(stage)]
        width = max(_bars_width(stage), *(text_width(line) for line in lines))
        body += _bars(stage, left + width / 2, scale * stage.width)
        for row, line in enumerate(lines, start=1):
            bold = 600 if row == 1 else 400
            body += text(left + width / 2, MARGIN + _TALLEST + LINE * row, line, weight=bold)
        left += width + _BETWEEN
    end = left - _BETWEEN + 2 * MARGIN
    rows = 1 + max(len(_stage_lines(stage)) for stage in stages)
    tip = end - MARGIN / 2
    axis = arrow(f"M{number(MARGIN / 2)} {number(_AXIS)}H{number(tip - TIP + 1)}", tip, _AXIS, GREY)
    return picture(end, MARGIN + _TALLEST + LINE * rows + MARGIN, title, axis + body)


def _stage_lines(stage: Stage) -> list[str]:
    depth = [] if stage.depth is None else [f"depth {stage.depth}"]
    return [*depth, f"width {stage.width}", *stage.notes]


def _bars_width(stage: Stage) -> float:
    return _LAYER if stage.depth is None else (_BAR + _BAR_GAP) * stage.depth - _BAR_GAP


def _bars(stage: Stage, center: float, height: float) -> str:
    """Draw one bar per block, or a thick one for a layer, in the middle of the axis."""
    left, width = center - _bars_width(stage) / 2, _LAYER if stage.depth is None else _BAR
    return "".join(
        box(left + (_BAR + _BAR_GAP) * k, _AXIS - height / 2, width, height, f'rx="1.5" fill="{PLAIN}"')
        for k in range(stage.depth or 1)
    )
