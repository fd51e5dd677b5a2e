"""Pictures of decisions as boxes, and of several pictures as one."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lnas.errors import UsageError, complaint
from lnas.spaces.drawing.svg import BASELINE, LINE, MARGIN, PLAIN, WHITE, Svg, box, number, picture, text, text_width

_ROW_WIDTH, _ROW_HEIGHT = 900, 64


def draw_stacked(pictures: Sequence[tuple[str, Svg]], title: str) -> Svg:
    """Draw pictures below one another, each under its caption and all at one scale.

    Args:
        pictures: Captions and what the other functions of this module returned.
        title: Accessible name of the whole.
    """
    body, bottom, widest = "", 0.0, 0.0
    for caption, inner in pictures:
        width, height, content = _opened(inner)
        body += text(MARGIN, bottom + LINE + 3, caption, anchor="start")
        body += f'<g transform="translate(0 {number(bottom + LINE)})">{content}</g>'
        bottom, widest = bottom + LINE + height, max(widest, width, text_width(caption) + 2 * MARGIN)
    return picture(widest, bottom, title, body)


def draw_decisions(names: Sequence[str], labels: Sequence[str], title: str) -> Svg:
    """Draw a box per decision, in rows, with what was decided above and what was chosen inside.

    Args:
        names: What each decision is about.
        labels: What was chosen.
        title: Accessible name of the picture.
    """
    step = 28 + max(text_width(content) for content in (*names, *labels))
    columns = max(1, min(len(names), _ROW_WIDTH // step))
    body = ""
    for k, (name, label) in enumerate(zip(names, labels, strict=True)):
        row, column = divmod(k, columns)
        center, top = MARGIN / 2 + step * (column + 0.5), MARGIN / 2 + _ROW_HEIGHT * row
        body += text(center, top + 14, name)
        body += box(center - step / 2 + 6, top + 20, step - 12, 30, f'rx="5" fill="{PLAIN}"')
        body += text(center, top + 35 + BASELINE, label, WHITE)
    rows = -(-len(names) // columns)
    return picture(step * columns + MARGIN, _ROW_HEIGHT * rows + MARGIN - 8, title, body)


def _opened(drawing: Svg) -> tuple[float, float, str]:
    """Return the width, height and content of a picture."""
    found = re.fullmatch(r'<svg [^>]*viewBox="0 0 (\S+) (\S+)"[^>]*>(.*)</svg>', drawing, re.DOTALL)
    if found is None:
        raise UsageError(complaint("draw_stacked", "pictures of this module", str(drawing)[:40], "Draw a cell first."))
    return float(found[1]), float(found[2]), found[3]
