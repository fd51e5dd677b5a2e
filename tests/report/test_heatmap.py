from __future__ import annotations

import re

import pytest

from lnas.errors import UsageError
from lnas.report.heatmap import Heatmap, draw_heatmap

NAN = float("nan")


def test_every_number_is_told_and_coloured_by_its_share_of_the_reach() -> None:
    drawing = draw_heatmap(Heatmap("T & U", ["a<b"], ["x", "y", "z"], [[2.0, -9.0, NAN]], reach=2.0, form="{:+.1f}"))
    assert "<title>T &amp; U</title>" in drawing
    assert "<title>a&lt;b, x: +2.0</title>" in drawing
    assert re.findall(r'fill="(#[0-9a-f]{6})"/>', drawing) == ["#2b7bba", "#c0563b"]  # no third one
    assert "nan" not in drawing


def test_what_is_0_when_rounded_has_no_sign() -> None:
    assert "<title>a, x: 0.00</title>" in draw_heatmap(Heatmap("T", ["a"], ["x"], [[-0.001]], reach=1.0))


def test_long_names_of_columns_are_slanted_and_stay_inside() -> None:
    short, long = (draw_heatmap(Heatmap("T", ["a"], [name], [[0.0]], 1.0)) for name in ("x", "x" * 30))
    assert "rotate" not in short
    assert "rotate(-40)" in long
    assert float(re.search(r'viewBox="0 0 (\S+)', long)[1]) > 160  # type: ignore[index]


@pytest.mark.parametrize(
    ("rows", "values", "reach", "message"),
    [
        ([], [], 1.0, r"values of shape \(0, 1\), none of them 0"),
        (["a"], [[1.0, 2.0]], 1.0, r"expected values of shape \(1, 1\)"),
        (["a"], [[1.0]], 0.0, "expected a finite reach > 0, got 0.0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    rows: list[str], values: list[list[float]], reach: float, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        Heatmap("T", rows, ["x"], values, reach)
