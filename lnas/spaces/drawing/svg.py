"""SVG text, piece by piece: a picture and the few shapes that drawings are made of.

Pictures need no ids, style sheets or fonts, so that any number of them fits on one page. They read well on light and
dark pages: text is grey or stands on a box of its own.
"""

from __future__ import annotations

from html import escape

GREY, PAPER, INK, WHITE = "#757f8b", "#f4f6f8", "#20262e", "#ffffff"
PLAIN = "#3f6f9c"
MARGIN, LINE, BASELINE, TIP = 12, 17, 4, 7
_CHARACTER = 7


class Svg(str):
    """SVG text that a notebook shows as a picture."""

    def _repr_svg_(self) -> str:
        return str(self)


def picture(width: float, height: float, title: str, body: str) -> Svg:
    """Return a picture that shrinks with the page and whose title is its accessible name."""
    return Svg(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12" style="max-width:{number(width)}px;width:100%">'
        f"<title>{escape(title)}</title>{body}</svg>"
    )


def text_width(content: str) -> int:
    """Return the width that a text needs in common fonts, at font size 12."""
    return _CHARACTER * len(content)


def text(x: float, y: float, content: str, color: str = GREY, anchor: str = "middle", weight: int = 400) -> str:
    """Return a line of text whose baseline is at `y`."""
    bold = f' font-weight="{weight}"' if weight != 400 else ""
    return f'<text x="{number(x)}" y="{number(y)}" fill="{color}" text-anchor="{anchor}"{bold}>{escape(content)}</text>'


def box(left: float, top: float, width: float, height: float, style: str) -> str:
    """Return a rectangle; `style` holds further attributes."""
    return f'<rect x="{number(left)}" y="{number(top)}" width="{number(width)}" height="{number(height)}" {style}/>'


def arrow(path: str, x: float, y: float, color: str, down: bool = False) -> str:
    """Return a line along a path that ends `TIP` - 1 before (x, y), and its tip there; it points right or down.

    The tip is a shape of its own: a marker needs an id.
    """
    back = [(x - 4, y - TIP), (x + 4, y - TIP)] if down else [(x - TIP, y - 4), (x - TIP, y + 4)]
    tip = "L".join(f"{number(x)} {number(y)}" for x, y in [(x, y), *back])
    return f'<path d="{path}" fill="none" stroke="{color}" stroke-width="2"/><path d="M{tip}z" fill="{color}"/>'


def number(value: float) -> str:
    """Write a coordinate to a tenth, which is finer than a screen."""
    return f"{round(value, 1):g}"
