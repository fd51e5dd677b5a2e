"""Small images side by side, each with a line below it."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence

import numpy as np

from lnas.spaces.drawing.svg import MARGIN, Svg, picture, text

_SIDE, _GAP, _LINES = 64, 44, 15


def draw_images(images: np.ndarray, captions: Sequence[Sequence[str]], title: str, columns: int = 8) -> Svg:
    """Draw images in rows, with the lines of their captions below.

    Args:
        images: uint8, (n, 3, H, W); shown at 64 pixels, not smoothed.
        captions: n of them, one line or more each.
        title: Accessible name.
        columns: Images in a row.
    """
    rows = -(-len(images) // columns)
    height = _SIDE + _LINES * max((len(lines) for lines in captions), default=0) + MARGIN
    body = []
    for k, (image, lines) in enumerate(zip(images, captions, strict=True)):
        left, top = MARGIN + (_SIDE + _GAP) * (k % columns) + _GAP / 2, MARGIN + height * (k // columns)
        body.append(
            f'<image x="{left:g}" y="{top:g}" width="{_SIDE}" height="{_SIDE}" style="image-rendering:pixelated" '
            f'href="data:image/png;base64,{_png(image)}"/>'
        )
        for n, line in enumerate(lines, start=1):
            body.append(text(left + _SIDE / 2, top + _SIDE + _LINES * n, line))
    return picture(
        2 * MARGIN + (_SIDE + _GAP) * min(columns, len(images)), MARGIN + height * rows, title, "".join(body)
    )


def _png(image: np.ndarray) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image.transpose(1, 2, 0))).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()
