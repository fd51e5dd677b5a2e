from __future__ import annotations

from xml.etree import ElementTree

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from lnas.errors import UsageError
from lnas.spaces.drawing import Edge, Stage, Svg, draw_cell, draw_decisions, draw_stacked, draw_stages

CELL = draw_cell(["in", "out"], [Edge(0, 1, "skip_connect")], "cell")
NET = draw_stages([Stage("stage 1", 16, 24), Stage("stage 2", 64, 3)], "net")


def view_box(svg):
    return [float(number) for number in svg.get("viewBox").split()]


def test_a_notebook_shows_the_picture():
    assert isinstance(CELL, Svg)
    assert CELL._repr_svg_() == str(CELL)


@pytest.mark.parametrize(
    "drawn",
    [CELL, NET, draw_decisions(["a"], ["b"], "decisions"), draw_stacked([("one", CELL)], "stack")],
    ids=["cell", "stages", "decisions", "stacked"],
)
def test_a_picture_is_accessible(drawn):
    svg = ElementTree.fromstring(drawn)
    assert svg.tag == "{http://www.w3.org/2000/svg}svg"
    assert svg.get("role") == "img"
    assert svg[0].tag.endswith("}title")
    assert svg[0].text in ("cell", "net", "decisions", "stack")


def test_stacked_pictures_lie_below_one_another_under_their_captions():
    svg = ElementTree.fromstring(draw_stacked([("normal", CELL), ("<reduction>", NET)], "both"))
    assert svg.findtext("{*}title") == "both"
    captions, groups = svg.findall("{*}text"), svg.findall("{*}g")
    assert [caption.text for caption in captions] == ["normal", "<reduction>"]
    assert [group.findtext("{*}title") for group in groups] == ["cell", "net"]
    tops = [float(group.get("transform").removeprefix("translate(0 ").removesuffix(")")) for group in groups]
    bottom = 0.0
    for caption, top, picture in zip(captions, tops, (CELL, NET), strict=True):
        assert bottom + 12 <= float(caption.get("y")) < top + 10
        bottom = top + view_box(ElementTree.fromstring(picture))[3]
    assert view_box(svg)[3] == bottom
    assert view_box(svg)[2] == max(view_box(ElementTree.fromstring(picture))[2] for picture in (CELL, NET))


def test_stacks_can_be_stacked():
    inner = draw_stacked([("one", CELL), ("two", CELL)], "inner")
    svg = ElementTree.fromstring(draw_stacked([("both", inner)], "outer"))
    assert [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")].count("skip_connect") == 2


def test_what_is_stacked_must_be_a_picture():
    with pytest.raises(UsageError, match=r"draw_stacked: expected pictures of this module, got '<p/>'"):
        draw_stacked([("one", Svg("<p/>"))], "stack")


WORDS = st.text("abc<&", min_size=1, max_size=30)


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=30))
def test_decisions_are_boxes_in_rows(decisions):
    names, labels = zip(*decisions, strict=True)
    svg = ElementTree.fromstring(draw_decisions(names, labels, "decisions"))
    _, _, width, height = view_box(svg)
    texts, boxes = svg.findall("{*}text"), svg.findall("{*}rect")
    assert [text.text for text in texts] == [text for decision in decisions for text in decision]
    assert width <= 912
    places = set()
    for k, box in enumerate(boxes):
        left, top, across, down = (float(box.get(name)) for name in ("x", "y", "width", "height"))
        assert 0 < left < left + across < width
        assert 0 < top < top + down < height
        places.add((left, top))
        name, label = texts[2 * k : 2 * k + 2]
        assert float(name.get("y")) < top < float(label.get("y")) < top + down
        assert across >= 7 * max(len(name.text), len(label.text))
        assert float(name.get("x")) == float(label.get("x")) == pytest.approx(left + across / 2, abs=0.1)
    assert len(places) == len(boxes) == len(decisions)
