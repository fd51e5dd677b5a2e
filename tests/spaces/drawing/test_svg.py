from __future__ import annotations

from xml.etree import ElementTree

import pytest

from lnas.spaces.drawing.svg import arrow, box, number, picture, text


@pytest.mark.parametrize(
    ("value", "written"), [(3, "3"), (3.0, "3"), (0.25, "0.2"), (12.36, "12.4"), (1234.5, "1234.5"), (1e-9, "0")]
)
def test_numbers_are_short(value, written):
    assert number(value) == written


def test_a_picture_holds_its_body_and_is_as_wide_as_the_page_at_most():
    svg = ElementTree.fromstring(picture(80, 40.5, 'a "<b>" & c', text(1, 2, "<x> & y") + box(1, 2, 3, 4, 'rx="5"')))
    assert svg.get("viewBox") == "0 0 80 40.5"
    assert svg.get("style") == "max-width:80px;width:100%"
    title, words, rect = svg
    assert (title.text, words.text) == ('a "<b>" & c', "<x> & y")
    assert rect.attrib == {"x": "1", "y": "2", "width": "3", "height": "4", "rx": "5"}


def test_text_is_bold_on_demand():
    assert "font-weight" not in text(0, 0, "a")
    assert 'font-weight="600"' in text(0, 0, "a", weight=600)


@pytest.mark.parametrize(("down", "tip"), [(False, "M30 5L23 1L23 9z"), (True, "M30 5L26 -2L34 -2z")])
def test_an_arrow_points_right_or_down(down, tip):
    assert f'<path d="{tip}" fill="#000"/>' in arrow("M0 5H24", 30, 5, "#000", down)
