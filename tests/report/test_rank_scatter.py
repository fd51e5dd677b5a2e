from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.report.rank_scatter import Ranked, RankScatter, draw_rank_scatter
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch

SVG = "{http://www.w3.org/2000/svg}"
SPACE = NatsTopologySpace()
WINNER = SPACE.draw(Arch("nats_topology", (1, 0, 0, 4, 1, 0)))
POINTS = [Ranked(1, 70.0, "first <&>", True), Ranked(2, 90.0, "second", False), Ranked(3, 81.0, "third", False)]


def drawn(plot: RankScatter) -> ElementTree.Element:
    return ElementTree.fromstring(draw_rank_scatter(plot))


def dots(root: ElementTree.Element) -> dict[str, ElementTree.Element]:
    """The points by what they show when pointed at."""
    return {title: circle for circle in root.iter(f"{SVG}circle") if (title := circle.findtext(f"{SVG}title"))}


def at(circle: ElementTree.Element) -> tuple[float, float]:
    return float(circle.get("cx", "nan")), float(circle.get("cy", "nan"))


def rings(root: ElementTree.Element) -> list[ElementTree.Element]:
    return [circle for circle in root.iter(f"{SVG}circle") if circle.get("pointer-events") == "none"]


def test_points_stand_in_the_order_of_places_and_accuracies() -> None:
    found = dots(drawn(RankScatter("angle", "accuracy", POINTS, WINNER)))
    assert list(found) == ["2. second, 90.00 %", "3. third, 81.00 %", "1. first <&>, 70.00 %"]  # trivial ones on top
    second, third, first = map(at, found.values())
    assert first[0] < second[0] < third[0]
    assert second[1] < third[1] < first[1]  # up is better
    assert (third[1] - second[1]) / (first[1] - second[1]) == pytest.approx(9 / 20, abs=0.01)


def test_trivial_cells_the_winner_and_who_is_followed_are_marked() -> None:
    root = drawn(RankScatter("angle", "accuracy", POINTS, WINNER, ("third", "first by loss")))
    found = dots(root)
    colors = {title: circle.get("fill") for title, circle in found.items()}
    assert colors["1. first <&>, 70.00 %"] != colors["2. second, 90.00 %"] == colors["3. third, 81.00 %"]
    assert [at(ring) for ring in rings(root)] == [at(found["1. first <&>, 70.00 %"]), at(found["3. third, 81.00 %"])]
    texts = [item.text for item in root.iter(f"{SVG}text")]
    for words in ("trivial cells", "first by angle", "first by loss", "accuracy (%)", "Place by angle (1 is the best)"):
        assert words in texts


def test_nothing_is_explained_that_is_not_there() -> None:
    root = drawn(RankScatter("angle", "accuracy", POINTS[1:], WINNER))
    assert "trivial cells" not in [item.text for item in root.iter(f"{SVG}text")]
    assert [at(ring) for ring in rings(root)] == [at(dots(root)["2. second, 90.00 %"])]


def test_the_winners_cell_is_drawn_below() -> None:
    root = drawn(RankScatter("angle", "accuracy", POINTS, WINNER))
    (frame,) = root.findall(f"{SVG}svg")
    assert "avg_pool_3x3" in [item.text for item in frame.iter(f"{SVG}text")]
    lowest = max(at(circle)[1] for circle in dots(root).values())
    assert float(frame.get("y", "nan")) > lowest


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(0, 100), min_size=1, max_size=30))
def test_every_point_lies_inside_the_frame(accuracies: list[float]) -> None:
    points = [Ranked(place, accuracy, str(place), False) for place, accuracy in enumerate(accuracies, start=1)]
    root = drawn(RankScatter("angle", "accuracy", points, WINNER))
    width, height = map(float, root.get("viewBox", "").split()[2:])
    rules = [float(path.get("d", "").split()[1].split("h")[0]) for path in root.findall(f"{SVG}path")]
    assert 2 <= len(rules) <= 12
    for x, y in map(at, dots(root).values()):
        assert 0 < x < width
        assert min(rules) - 0.1 <= y <= max(rules) + 0.1 < height
        assert math.isfinite(x + y)


def test_one_accuracy_lies_between_two_rules() -> None:
    root = drawn(RankScatter("angle", "accuracy", [Ranked(1, 90.5, "only", False)], WINNER))
    bottom, top = (float(path.get("d", "").split()[1].split("h")[0]) for path in root.findall(f"{SVG}path"))
    assert at(dots(root)["1. only, 90.50 %"])[1] == (bottom + top) / 2


def test_a_long_legend_goes_on_below_and_pushes_the_plot_down() -> None:
    rank = "+".join(["angle", "loss", "linear_regions"] * 4)
    short, long = (drawn(RankScatter(name, "accuracy", POINTS, WINNER)) for name in ("angle", rank))
    (one, other) = (
        min(float(path.get("d", "").split()[1].split("h")[0]) for path in root.findall(f"{SVG}path"))
        for root in (short, long)
    )
    assert other - one >= 17
    assert float(long.get("viewBox", "").split()[3]) - float(short.get("viewBox", "").split()[3]) == other - one
    assert at(dots(long)["2. second, 90.00 %"])[1] == other
