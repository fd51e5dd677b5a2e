from __future__ import annotations

import re

import numpy as np
import pytest

from lnas.analysis.landscape import Grid
from lnas.errors import UsageError
from lnas.report.search_landscape import Landscape, Way, draw_landscape

AXIS = np.array([0.0, 1.0])
WAYS = [
    Way("before", "shared", np.array([[0.0, 0.0], [0.5, 0.5]])),
    Way("child <1>", "one", np.array([[0.5, 0.5], [1.0, 0.0]])),
    Way("line", "straight", np.array([[1.0, 0.0], [0.0, 1.0]])),
]


def test_each_band_is_one_shape_and_what_is_unknown_is_left_blank() -> None:
    heights = np.array([[0.0, 4.0], [100.0, np.nan]])
    drawing = draw_landscape(Landscape("T", "a", "b", Grid(AXIS, AXIS, heights), "worse", WAYS))
    shapes = re.findall(r'<path d="([^"]*)" fill="(#[0-9a-f]{6})" stroke="\2"', drawing)
    assert [color for _, color in shapes] == ["#f3f0e7", "#2668a0"]
    assert [shape.count("M") for shape, _ in shapes] == [1, 1]  # two neighbours of one band are one box
    assert drawing.count("<title>child &lt;1&gt;</title>") == 2
    assert drawing.count("stroke-dasharray") == 2  # the line, and its sample in the legend


@pytest.mark.parametrize("height", [np.nan, -1.0, 101.0])
def test_heights_are_percents(height: float) -> None:
    with pytest.raises(UsageError, match=r"heights in \[0, 100\]"):
        Landscape("T", "a", "b", Grid(AXIS, AXIS, np.full((2, 2), height)), "worse", WAYS)
