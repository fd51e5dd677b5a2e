from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import numpy as np
import pytest

from lnas.spaces.drawing import Edge, draw_cell
from lnas.spaces.nats_topology import EDGES

COMPLETE = [Edge(source, target, "nor_conv_3x3") for source, target in EDGES]


def parsed(nodes=("in", "1", "2", "out"), edges=COMPLETE, title="cell"):
    return ElementTree.fromstring(draw_cell(nodes, edges, title))


def labels(svg):
    return svg.iterfind("{*}g/{*}rect")


def boxes(rects):
    """(left, top, right, bottom) of every rectangle."""
    for rect in rects:
        x, y, width, height = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
        yield x, y, x + width, y + height


def apart(one, other):
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_text_is_escaped():
    svg = parsed(["<in>", "b&c"], [Edge(0, 1, "<op> & 'co'")], title='a "<b>" & c')
    assert svg.findtext("{*}title") == 'a "<b>" & c'
    assert [text.text for text in svg.iter("{http://www.w3.org/2000/svg}text")] == ["<op> & 'co'", "<in>", "b&c"]


def test_every_node_and_edge_is_drawn_once():
    svg = parsed()
    assert [text.text for text in svg.iterfind("{*}text")] == ["in", "1", "2", "out"]
    assert len(svg.findall("{*}circle")) == 4
    assert len(svg.findall("{*}g/{*}path")) == 6


@pytest.mark.parametrize("nodes", [["in", "out"], ["in", "1", "2", "out"]])
def test_a_cell_without_edges_shows_its_nodes(nodes):
    assert len(parsed(nodes, []).findall("{*}circle")) == len(nodes)


def test_dead_edges_alone_are_dashed():
    svg = parsed(edges=[Edge(0, 1, "a"), Edge(1, 2, "b", dead=True)])
    dashed = {"".join(group.itertext()): group.get("stroke-dasharray") for group in svg.iterfind("{*}g")}
    assert dashed == {"a": None, "b": "4 4"}


def test_operations_keep_their_colors_and_others_share_one():
    ops = ["skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "mine", "yours"]
    colors = [parsed(edges=[Edge(0, 1, op)]).find("{*}g/{*}rect").get("fill") for op in ops]
    assert len(set(colors[:5])) == 5
    assert colors[4] == colors[5]


def test_no_two_labels_share_a_place():
    for one, other in itertools.combinations(boxes(labels(parsed())), 2):
        assert apart(one, other)


def test_arcs_over_one_node_alternate_between_the_sides():
    svg = parsed(edges=[Edge(0, 2, "a"), Edge(1, 3, "b")])
    row = float(svg.find("{*}circle").get("cy"))
    (_, _, _, above), (_, below, _, _) = boxes(labels(svg))
    assert above < row < below


def test_labels_stay_clear_of_the_nodes():
    svg = parsed()
    for circle, box in itertools.product(svg.iterfind("{*}circle"), boxes(labels(svg))):
        x, y, r = (float(circle.get(name)) for name in ("cx", "cy", "r"))
        assert apart((x - r, y - r, x + r, y + r), box)


def test_everything_is_inside_the_picture():
    svg = parsed()
    _, _, width, height = map(float, svg.get("viewBox").split())
    for left, top, right, bottom in boxes(labels(svg)):
        assert 0 <= left < right <= width
        assert 0 <= top < bottom <= height


def test_an_arc_runs_through_the_middle_of_its_label():
    for group in parsed().iterfind("{*}g"):
        numbers = [float(number) for number in re.findall(r"-?[\d.]+", group.find("{*}path").get("d"))]
        points = np.array(numbers).reshape(4, 2)
        ((left, top, right, bottom),) = boxes([group.find("{*}rect")])
        assert np.array([1, 3, 3, 1]) @ points / 8 == pytest.approx([(left + right) / 2, (top + bottom) / 2], abs=1)
