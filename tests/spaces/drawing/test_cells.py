from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from lnas.errors import UsageError
from lnas.spaces.drawing.cells import Edge, draw_cell
from lnas.spaces.nats_topology import EDGES

NODES = ("in", "1", "2", "out")
COMPLETE = [Edge(source, target, "nor_conv_3x3") for source, target in EDGES]
DARTS_NODES = ["c(k-2)", "c(k-1)", "0", "1", "2", "3", "out"]
DARTS_OPS = ["max_pool_3x3", "avg_pool_3x3", "skip_connect"] + [
    f"{kind}_conv_{size}" for kind in ("sep", "dil") for size in ("3x3", "5x5")
]
MODULE_OPS = ["conv3x3-bn-relu", "conv1x1-bn-relu", "maxpool3x3"]
KINDS = {
    "skip": ["skip_connect"],
    "1x1": ["nor_conv_1x1", "conv1x1-bn-relu"],
    "3x3": ["nor_conv_3x3", "sep_conv_3x3", "conv3x3-bn-relu"],
    "5x5": ["sep_conv_5x5"],
    "dilated 3x3": ["dil_conv_3x3"],
    "dilated 5x5": ["dil_conv_5x5"],
    "average": ["avg_pool_3x3"],
    "maximum": ["max_pool_3x3", "maxpool3x3"],
}
# Machado, Oliveira and Fernandes 2009, severity 1: linear RGB as normal and as colour-blind readers see it.
VISION = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


@st.composite
def darts_cells(draw):
    edges = []
    for node in range(2, 6):
        sources = draw(st.sampled_from(list(itertools.combinations(range(node), 2))))
        edges += [Edge(source, node, draw(st.sampled_from(DARTS_OPS))) for source in sources]
    return DARTS_NODES, edges + [Edge(node, 6) for node in range(2, 6)]


@st.composite
def modules(draw):
    ops = draw(st.lists(st.sampled_from(MODULE_OPS), min_size=5, max_size=5))
    pairs = draw(st.lists(st.sampled_from(list(itertools.combinations(range(7), 2))), unique=True))
    return ["input", *ops, "output"], [Edge(*pair, dead=draw(st.booleans())) for pair in sorted(pairs)]


@st.composite
def topologies(draw):
    ops = draw(st.lists(st.sampled_from(["", "skip_connect", "nor_conv_3x3"]), min_size=6, max_size=6))
    return NODES, [Edge(*edge, op, draw(st.booleans())) for edge, op in zip(EDGES, ops, strict=True) if op]


CELLS = st.one_of(topologies(), darts_cells(), modules())


def parsed(nodes=NODES, edges=COMPLETE, title="cell"):
    return ElementTree.fromstring(draw_cell(nodes, edges, title))


def labelled(parent):
    """Each rectangle right inside an element and the text on it."""
    return list(zip(parent.iterfind("{*}rect"), parent.iterfind("{*}text"), strict=True))


def everything_labelled(svg):
    return labelled(svg) + [pair for group in svg.iterfind("{*}g") for pair in labelled(group)]


def sides(rect):
    x, y, width, height = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def apart(one, other):
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def numbers(path):
    return np.array(re.findall(r"-?[\d.]+", path.get("d")), dtype=float).reshape(-1, 2)


def luminance(color):
    return XYZ[1] @ linear(color)


def linear(color):
    values = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    dark, light = sorted([luminance(one), luminance(other)])
    return (light + 0.05) / (dark + 0.05)


def lab(rgb):
    """CIELAB of linear RGB."""
    x, y, z = np.cbrt(XYZ @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def color_of(op):
    return parsed(edges=[Edge(0, 1, op)]).find("{*}g/{*}rect").get("fill")


def test_text_is_escaped():
    svg = parsed(["<in>", "b&c"], [Edge(0, 1, "<op> & 'co'")], title='a "<b>" & c')
    assert svg.findtext("{*}title") == 'a "<b>" & c'
    assert [text.text for _, text in everything_labelled(svg)] == ["<in>", "b&c", "<op> & 'co'"]


@settings(deadline=None, max_examples=30)
@given(CELLS)
def test_every_node_and_edge_is_drawn_once(cell):
    nodes, edges = cell
    svg = parsed(nodes, edges)
    assert [text.text for _, text in labelled(svg)] == list(nodes)
    assert ["".join(group.itertext()) for group in svg.iterfind("{*}g")] == [edge.op for edge in edges]


@pytest.mark.parametrize("nodes", [["in"], ["in", "out"], NODES])
def test_a_cell_without_edges_shows_its_nodes(nodes):
    assert [text.text for _, text in labelled(parsed(nodes, []))] == list(nodes)


@settings(deadline=None, max_examples=50)
@given(CELLS)
def test_no_two_boxes_overlap_and_all_hold_their_text(cell):
    pairs = everything_labelled(parsed(*cell))
    assert all(apart(sides(one), sides(other)) for (one, _), (other, _) in itertools.combinations(pairs, 2))
    for rect, text in pairs:
        left, top, right, bottom = sides(rect)
        assert right - left >= 7 * len(text.text)
        assert float(text.get("x")) == pytest.approx((left + right) / 2, abs=0.1)
        assert top + 12 < float(text.get("y")) < bottom - 4


@settings(deadline=None, max_examples=50)
@given(CELLS)
def test_everything_is_inside_the_picture(cell):
    svg = parsed(*cell)
    size = np.array(svg.get("viewBox").split(), dtype=float)[2:]
    corners = [np.reshape(sides(rect), (2, 2)) for rect, _ in everything_labelled(svg)]
    points = np.vstack(corners + [numbers(path) for path in svg.iterfind("{*}g/{*}path")])
    assert (points >= 10).all()
    assert (points <= size - 10).all()


@settings(deadline=None, max_examples=30)
@given(CELLS)
def test_edges_lead_from_the_border_of_a_node_to_that_of_the_other(cell):
    nodes, edges = cell
    svg = parsed(nodes, edges)
    places = [sides(rect) for rect, _ in labelled(svg)]
    for edge, group in zip(edges, svg.iterfind("{*}g"), strict=True):
        line, tip = map(numbers, group.iterfind("{*}path"))
        for (x, y), node in [(line[0], edge.source), (tip[0], edge.target)]:
            left, top, right, bottom = places[node]
            assert min(abs(x - left), abs(x - right), abs(y - top), abs(y - bottom)) <= 0.1
            assert left - 0.1 <= x <= right + 0.1
            assert top - 0.1 <= y <= bottom + 0.1
        assert abs(line[-1] - tip[0]).sum() == pytest.approx(6, abs=0.2)


def test_a_line_stops_at_its_label():
    for group in parsed().iterfind("{*}g"):
        left, top, right, bottom = sides(group.find("{*}rect"))
        path = group.find("{*}path").get("d")
        assert re.findall(r"L([\d.]+) ([\d.]+)M([\d.]+) ([\d.]+)L", path) == [
            tuple(f"{value:g}" for value in (left, (top + bottom) / 2, right, (top + bottom) / 2))
        ]


def test_the_flow_runs_right_and_down_if_nodes_are_operations():
    def places(nodes):
        return [sides(rect)[:2] for rect, _ in labelled(parsed(nodes, [Edge(0, 1), Edge(1, 2)]))]

    (x, _), (further, _), _ = places(["input", "1", "output"])
    assert x < further
    (_, y), (_, below), _ = places(["input", "maxpool3x3", "output"])
    assert y < below


def test_the_two_inputs_share_a_column():
    edges = [Edge(0, 2, "skip_connect"), Edge(1, 2, "skip_connect"), Edge(2, 3)]
    first, second, *_ = (sides(rect) for rect, _ in labelled(parsed(["c(k-2)", "c(k-1)", "0", "out"], edges)))
    assert (first[0], first[2]) == (second[0], second[2])
    assert first[3] < second[1]


def test_dead_edges_alone_are_dashed():
    svg = parsed(edges=[Edge(0, 1, "a"), Edge(1, 2, "b", dead=True)])
    dashed = {"".join(group.itertext()): group.get("stroke-dasharray") is not None for group in svg.iterfind("{*}g")}
    assert dashed == {"a": False, "b": True}


def test_nodes_are_dashed_if_all_their_edges_are_dead():
    def dashed(nodes, edges):
        return [rect.get("stroke-dasharray") is not None for rect, _ in labelled(parsed(nodes, edges))]

    edges = [Edge(0, 1), Edge(0, 2, dead=True), Edge(1, 3)]
    assert dashed(NODES, edges) == dashed(["input", *MODULE_OPS[:2], "output"], edges) == [False, False, True, False]
    assert dashed(NODES, []) == [False, True, True, False]


@pytest.mark.parametrize("op", [op for ops in KINDS.values() for op in ops])
def test_dead_operations_are_hollow_in_their_color(op):
    ((rect, _),) = labelled(parsed(edges=[Edge(0, 1, op, dead=True)]).find("{*}g"))
    assert (rect.get("fill"), rect.get("stroke")) == ("none", color_of(op))


def test_operations_have_the_color_of_their_kind_on_edges_and_nodes():
    for ops in KINDS.values():
        assert len({color_of(op) for op in ops}) == 1
    assert len({color_of(op) for ops in KINDS.values() for op in [ops[0], "mine", "yours"]}) == len(KINDS) + 1
    nodes = labelled(parsed(["input", *MODULE_OPS, "output"], [Edge(k, k + 1) for k in range(4)]))
    assert [rect.get("fill") for rect, _ in nodes[1:4]] == [color_of(op) for op in MODULE_OPS]


@pytest.mark.parametrize("op", [*(ops[0] for ops in KINDS.values()), "mine"])
def test_white_text_is_legible_on_every_color_and_the_color_on_every_page(op):
    assert contrast(color_of(op), "#ffffff") >= 4.5
    assert contrast(color_of(op), "#14181d") >= 2.2


@pytest.mark.parametrize("vision", VISION)
def test_colors_of_kinds_look_different_to_everyone(vision):
    seen = [lab(np.array(VISION[vision]) @ linear(color_of(ops[0]))) for ops in KINDS.values()]
    assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2)) > 12


@settings(deadline=None, max_examples=30)
@given(CELLS)
def test_text_off_the_colored_boxes_is_grey(cell):
    for rect, text in everything_labelled(parsed(*cell)):
        if rect.get("fill") == "none":
            assert min(contrast(text.get("fill"), page) for page in ("#ffffff", "#14181d")) >= 4
        else:
            assert contrast(text.get("fill"), rect.get("fill")) >= 4.5


@settings(deadline=None, max_examples=10)
@given(CELLS)
def test_a_drawing_is_the_same_each_time_and_has_no_ids(cell):
    drawn = draw_cell(*cell, "cell")
    assert drawn == draw_cell(*cell, "cell")
    assert "id=" not in drawn


@pytest.mark.parametrize("edge", [Edge(1, 0), Edge(1, 1), Edge(0, 4), Edge(-1, 2)])
def test_an_edge_must_lead_to_a_later_node(edge):
    with pytest.raises(UsageError, match=r"draw_cell: expected edges from a node to a later one, of nodes 0 to 3"):
        draw_cell(NODES, [edge], "cell")
