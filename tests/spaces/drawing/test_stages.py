from __future__ import annotations

from xml.etree import ElementTree

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from lnas.spaces.drawing.stages import Stage, draw_stages

STAGES = [Stage("stage 1", 16, 2, ("ratio 0.5",)), Stage("stage 2", 64, 3, ("ratio 1",))]


def parsed(stages=STAGES, title="net", **options):
    return ElementTree.fromstring(draw_stages(stages, title, **options))


def bars(svg):
    """(left, top, width, height) of every bar."""
    return [tuple(float(rect.get(name)) for name in ("x", "y", "width", "height")) for rect in svg.iterfind("{*}rect")]


def texts(svg):
    return [text.text for text in svg.iterfind("{*}text")]


def test_numbers_are_written():
    svg = parsed(title="<net>")
    assert svg.findtext("{*}title") == "<net>"
    assert texts(svg) == ["stage 1", "depth 2", "width 16", "ratio 0.5", "stage 2", "depth 3", "width 64", "ratio 1"]


def test_depth_that_is_not_decided_is_a_thick_bar_without_a_number():
    svg = parsed([Stage("layer 1", 8), Stage("layer 2", 64)])
    assert texts(svg) == ["layer 1", "width 8", "layer 2", "width 64"]
    assert [width for _, _, width, _ in bars(svg)] == [30, 30]
    assert [width for _, _, width, _ in bars(parsed([Stage("stage 1", 8, 1)]))] == [6]


def test_there_is_a_bar_per_block_as_tall_as_wide():
    heights = [height for *_, height in bars(parsed())]
    assert heights == [24, 24, 96, 96, 96]


def test_the_widest_of_the_space_sets_the_scale():
    assert [height for *_, height in bars(parsed(widest=128))] == [12, 12, 48, 48, 48]


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.builds(Stage, st.just("stage 1"), st.integers(16, 256), st.integers(1, 24), st.just(("groups 4",))),
        min_size=1,
        max_size=5,
    )
)
def test_bars_stand_side_by_side_inside_the_picture_above_the_text(stages):
    svg = parsed(stages)
    _, _, width, height = map(float, svg.get("viewBox").split())
    drawn = bars(svg)
    assert len(drawn) == sum(stage.depth for stage in stages)
    right = 0.0
    for left, top, bar_width, bar_height in drawn:
        assert left > right
        right = left + bar_width
        assert top + bar_height / 2 == pytest.approx(60, abs=0.1)
    lines = [(float(text.get("x")), float(text.get("y")), len(text.text)) for text in svg.iterfind("{*}text")]
    assert right < width
    assert min(y for _, y, _ in lines) - 12 >= max(top + bar_height for _, top, _, bar_height in drawn)
    assert max(y for _, y, _ in lines) < height
    assert all(0 < x - 3.5 * length < x + 3.5 * length < width for x, _, length in lines)


def test_stages_do_not_share_the_room_of_their_text():
    svg = parsed([Stage("a stage of a long name", 8), Stage("another one of these", 8)])
    (one, _), (other, _) = (
        [(float(text.get("x")), 3.5 * len(text.text)) for text in svg.iterfind("{*}text")][k : k + 2] for k in (0, 2)
    )
    assert one[0] + one[1] < other[0] - other[1]
