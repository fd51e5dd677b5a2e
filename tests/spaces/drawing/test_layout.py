from __future__ import annotations

import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from lnas.spaces.drawing.layout import Link, Size, lay_out
from lnas.spaces.nats_topology import EDGES, live_edges

NODE, LABEL = Size(32, 32), Size(98, 20)


def labelled_cell(genes):
    """A cell of NATS-Bench: four nodes, a label on each edge that there is."""
    live = live_edges(genes)
    return [NODE] * 4, [Link(*edge, LABEL, edge not in live) for edge, gene in zip(EDGES, genes, strict=True) if gene]


@st.composite
def two_input_cells(draw):
    """Two inputs, four nodes with two edges each, and an output that all four feed: the cells of DARTS."""
    links = []
    for node in range(2, 6):
        pairs = st.sampled_from(list(itertools.combinations(range(node), 2)))
        links += [Link(source, node, LABEL) for source in draw(pairs)]
    return [Size(67, 32)] * 2 + [NODE] * 5, links + [Link(node, 6) for node in range(2, 6)]


@st.composite
def any_graphs(draw):
    """Any graph of up to seven nodes of any size, such as those of NAS-Bench-101."""
    count = draw(st.integers(1, 7))
    extents = st.builds(Size, st.integers(5, 130), st.integers(5, 130))
    nodes = draw(st.lists(extents, min_size=count, max_size=count))
    pairs = list(itertools.combinations(range(count), 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True)) if pairs else []
    label = st.one_of(st.none(), extents)
    return nodes, [Link(*pair, draw(label), draw(st.booleans())) for pair in sorted(chosen)]


GRAPHS = st.one_of(st.tuples(*[st.integers(0, 1)] * 6).map(labelled_cell), two_input_cells(), any_graphs())


def sides(box):
    """(left, top, right, bottom), named as if the flow ran to the right."""
    (x, y), (width, height) = box
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def apart(one, other):
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def sampled(route):
    """Points along a route, about a unit apart, as (points, 2)."""
    corners = np.array(route)
    t = np.linspace(0, 1, 150)[:, None]
    parts = []
    for k, (start, end) in enumerate(itertools.pairwise(corners)):
        middle = (start[0] + end[0]) / 2
        one, other = np.array([middle, start[1]]), np.array([middle, end[1]])
        curve = (1 - t) ** 3 * start + 3 * (1 - t) ** 2 * t * one + 3 * (1 - t) * t**2 * other + t**3 * end
        parts.append(curve if k % 2 else start + t * (end - start))
    return np.concatenate(parts)


def inside(points, box):
    left, top, right, bottom = sides(box)
    x, y = points.T
    return ((left + 0.5 < x) & (x < right - 0.5) & (top + 0.5 < y) & (y < bottom - 0.5)).any()


def cross(one, other):
    """Tell whether two sampled routes, both running to the right, change sides."""
    low, high = max(one[0, 0], other[0, 0]), min(one[-1, 0], other[-1, 0])
    x = np.linspace(low + 0.5, high - 0.5, 300) if high > low + 1 else np.empty(0)
    above = np.interp(x, *one.T) - np.interp(x, *other.T)
    return (above > 1e-6).any() and (above < -1e-6).any()


@settings(deadline=None, max_examples=40)
@given(GRAPHS)
def test_no_two_boxes_overlap(graph):
    layout = lay_out(*graph)
    boxes = [sides(box) for box in (*layout.nodes, *layout.labels) if box]
    assert all(apart(one, other) for one, other in itertools.combinations(boxes, 2))


@settings(deadline=None, max_examples=40)
@given(GRAPHS, st.sampled_from([0, 12]))
def test_everything_is_inside_and_fills_the_drawing_up_to_the_margin(graph, margin):
    layout = lay_out(*graph, margin)
    boxes = np.array([sides(box) for box in (*layout.nodes, *layout.labels) if box])
    lows, highs = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    routes = np.array([point for route in layout.routes for point in route]).reshape(-1, 2)
    low, high = np.vstack([lows, routes]).min(axis=0), np.vstack([highs, routes]).max(axis=0)
    assert low == pytest.approx([margin, margin])
    assert high == pytest.approx(np.array(layout.size) - margin)


@settings(deadline=None, max_examples=40)
@given(GRAPHS)
def test_links_run_through_no_box_but_their_own_label(graph):
    _, links = graph
    layout = lay_out(*graph)
    for k in range(len(links)):
        points = sampled(layout.routes[k])
        others = [label for j, label in enumerate(layout.labels) if label and j != k]
        assert not any(inside(points, box) for box in (*layout.nodes, *others))


@settings(deadline=None, max_examples=40)
@given(GRAPHS)
def test_links_lead_forward_from_side_to_side_through_the_middle_of_their_label(graph):
    _, links = graph
    layout = lay_out(*graph)
    for link, route, label in zip(links, layout.routes, layout.labels, strict=True):
        source, target = layout.nodes[link.source], layout.nodes[link.target]
        assert route[0] == (source.center.along + source.size.along / 2, source.center.across)
        assert route[-1] == (target.center.along - target.size.along / 2, target.center.across)
        assert (np.diff([point.along for point in route]) >= 0).all()
        assert (label is None) == (link.label is None)
        if label:
            assert label.size == link.label
            assert label.center.across == route[2].across == route[3].across
            assert route[2].along <= label.center.along - label.size.along / 2
            assert label.center.along + label.size.along / 2 <= route[3].along


@pytest.mark.parametrize("genes", list(itertools.product([0, 1], repeat=6)))
def test_no_cell_of_four_nodes_has_crossings(genes):
    nodes, links = labelled_cell(genes)
    routes = [sampled(route) for route in lay_out(nodes, links).routes]
    crossed = [
        (links[i][:2], links[j][:2])
        for i, j in itertools.combinations(range(len(links)), 2)
        if not {*links[i][:2]} & {*links[j][:2]} and cross(routes[i], routes[j])
    ]
    assert crossed == []


def test_crossings_are_seen():
    up, down = [(0, 0), (0, 0), (40, 30), (40, 30)], [(0, 30), (0, 30), (40, 0), (40, 0)]
    assert cross(sampled(up), sampled(down))


def test_a_longest_live_path_is_a_straight_line():
    links = [Link(*edge, LABEL) for edge in EDGES]
    assert len({box.center.across for box in lay_out([NODE] * 4, links).nodes}) == 1
    # Without 1 -> 2 the longest live paths have one node between.
    layout = lay_out([NODE] * 4, [Link(*edge, LABEL, edge == (1, 2)) for edge in EDGES])
    assert layout.nodes[0].center.across == layout.nodes[1].center.across == layout.nodes[3].center.across
    assert layout.nodes[0].center.across < layout.nodes[2].center.across


def columns_of(count, links):
    alongs = [box.center.along for box in lay_out([NODE] * count, links).nodes]
    return [sorted(set(alongs)).index(along) for along in alongs]


@pytest.mark.parametrize(
    ("count", "links", "columns"),
    [
        (4, [Link(0, 1), Link(0, 2), Link(1, 3), Link(2, 3)], [0, 1, 1, 2]),  # a diamond
        (4, [Link(0, 3), Link(0, 1, dead=True), Link(1, 2, dead=True)], [0, 1, 2, 3]),  # the output behind dead ends
        (4, [Link(0, 2), Link(1, 2), Link(2, 3)], [0, 0, 1, 2]),  # two inputs
        (4, [Link(0, 2), Link(1, 2, dead=True), Link(2, 3)], [0, 1, 2, 3]),  # what nothing reaches is no input
        (5, [Link(0, 1), Link(1, 2), Link(2, 4), Link(3, 4, dead=True)], [0, 1, 2, 2, 3]),  # nor far from its target
        (4, [], [0, 1, 1, 2]),
    ],
)
def test_nodes_stand_in_columns_by_longest_path(count, links, columns):
    assert columns_of(count, links) == columns


def test_labels_spread_over_the_columns():
    labels = lay_out([NODE] * 4, [Link(*edge, LABEL) for edge in EDGES]).labels
    alongs = [label.center.along for label in labels]
    assert sorted(alongs.count(along) for along in set(alongs)) == [2, 2, 2]


def test_a_label_goes_where_fewer_are():
    links = [Link(0, 1, LABEL), Link(0, 2, LABEL), Link(1, 3, LABEL), Link(0, 3, LABEL)]
    first, second, third, long = (label.center.along for label in lay_out([NODE] * 4, links).labels)
    assert first == second < third == long


def test_unlabelled_graphs_leave_no_columns_for_labels():
    chain = [Link(0, 1), Link(1, 2)]
    plain = lay_out([NODE] * 3, chain).size
    labelled = lay_out([NODE] * 3, [link._replace(label=LABEL) for link in chain]).size
    assert labelled.along - plain.along > 2 * LABEL.along
    assert plain.along < 3 * NODE.along + 2 * NODE.along
