"""What a classifier takes for what: a matrix of shares."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnas.spaces.drawing.svg import GREY, INK, MARGIN, WHITE, Svg, box, picture, text, text_width

_SIDE = 34
_MOST = 20
_DARK = 0.55
_HUE = (63, 111, 156)


def draw_confusion(matrix: np.ndarray, names: Sequence[str], title: str = "confusion matrix") -> Svg:
    """Draw shares of each class in percent: a row is what images are, a column what they are taken for.

    Args:
        matrix: Counts, shape (k, k). Of more than 20 classes, the 20 with the lowest share of hits are drawn.
        names: Of the classes, k of them.
        title: Accessible name.
    """
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    if len(shares) > _MOST:
        worst = np.sort(np.argsort(np.diag(shares), kind="stable")[:_MOST])
        shares, names = shares[np.ix_(worst, worst)], [names[k] for k in worst]
    left = MARGIN + max(map(text_width, names)) + 6
    top = 2 * MARGIN + 22
    body = [text(left + _SIDE * len(names) / 2, MARGIN + 8, "taken for (percent of the row's class)")]
    for k, name in enumerate(names):
        body.append(text(left - 6, top + _SIDE * k + _SIDE / 2 + 4, name, anchor="end"))
        body.append(text(left + _SIDE * k + _SIDE / 2, top - 6, _short(name)))
    body += [_cell(left + _SIDE * j, top + _SIDE * i, shares[i, j], i == j) for i, j in np.ndindex(*shares.shape)]
    side = _SIDE * len(names)
    return picture(left + side + MARGIN, top + side + MARGIN, title, "".join(body))


def _cell(left: float, top: float, share: float, hit: bool) -> str:
    fill = ",".join(f"{round(255 - (255 - channel) * share)}" for channel in _HUE)
    written = text(
        left + _SIDE / 2,
        top + _SIDE / 2 + 4,
        f"{100 * share:.0f}" if hit or share >= 0.005 else "",
        WHITE if share > _DARK else INK,
        weight=700 if hit else 400,
    )
    return box(left, top, _SIDE, _SIDE, f'fill="rgb({fill})" stroke="{GREY}" stroke-opacity="0.3"') + written


def _short(name: str) -> str:
    return name if text_width(name) <= _SIDE else f"{name[:3]}."
