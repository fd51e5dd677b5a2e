from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.analysis.landscape import common_start, search_plane, surface
from lnas.analysis.principal_plane import principal_plane
from lnas.errors import UsageError
from lnas.spaces import DartsSpace, NatsTopologySpace, SearchSpace
from lnas.types import Arch

SPACES = pytest.mark.parametrize("space", [NatsTopologySpace(), DartsSpace()], ids=lambda space: space.name)


def children(space: SearchSpace, at: int = 5, length: int = 12) -> dict[str, list[Arch]]:
    """Random walks that part after `at` steps."""
    walks = {}
    for seed in (1, 2):
        before, after = np.random.default_rng(0), np.random.default_rng(seed)
        walk = [space.sample(before)]
        while len(walk) < length:
            walk.append(space.mutate(walk[-1], before if len(walk) < at else after))
        walks[f"child {seed}"] = walk
    return walks


@SPACES
def test_two_children_leave_from_one_place(space: SearchSpace) -> None:
    paths = children(space)
    found = search_plane(paths, space)
    one, two = found.paths.values()
    at = common_start(list(paths.values()))
    assert at == 5
    np.testing.assert_array_equal(one[:at], two[:at])
    assert (one[at] != two[at]).any()
    assert one.shape == two.shape == (12, 2)
    distinct = list(dict.fromkeys([*paths["child 1"], *paths["child 2"]]))
    expected = principal_plane([space.encode(arch) for arch in distinct])
    np.testing.assert_array_equal(found.plane.axes, expected.axes)
    np.testing.assert_allclose(one, expected.project([space.encode(arch) for arch in paths["child 1"]]), atol=1e-12)
    assert 0 < found.plane.explained[1] <= found.plane.explained[0] < 1


@SPACES
def test_a_search_that_stays_does_not_turn_the_plane(space: SearchSpace) -> None:
    paths = children(space)
    stays = {**paths, "child 2": [*paths["child 2"], *[paths["child 2"][-1]] * 50]}
    np.testing.assert_array_equal(search_plane(stays, space).plane.axes, search_plane(paths, space).plane.axes)


def test_what_searches_have_in_common_at_first() -> None:
    one, two, three = (Arch("tiny", (gene,)) for gene in range(3))
    assert common_start([[one, two], [two, two]]) == 0
    assert common_start([[one, one, two, three], [one, one, three, three], [one, one, two]]) == 2
    assert common_start([[one, two], [one]]) == 1
    assert common_start([]) == 0


def test_too_few_architectures_are_refused() -> None:
    space = NatsTopologySpace()
    cells = [Arch(space.name, (gene, 0, 0, 0, 0, 0)) for gene in (0, 1)]
    with pytest.raises(UsageError, match=r"at least 3 different architectures, got 2"):
        search_plane({"a": cells, "b": cells}, space)
    with pytest.raises(UsageError, match="an arch of 'nats_topology'"):
        search_plane({"a": [*cells, Arch("tiny", (0, 0, 0))]}, space)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_a_plane_is_found_again_inside_of_the_points(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, slope = rng.normal(size=(30, 2)), rng.normal(size=2)
    found = surface(points, points @ slope + 3)
    inside = rng.dirichlet(np.ones(30), size=20) @ points
    np.testing.assert_allclose(found.at(inside), inside @ slope + 3, atol=1e-9)
    np.testing.assert_allclose(found.at(points), points @ slope + 3, atol=1e-9)
    assert np.isnan(found.at([points.max(axis=0) + 1])).all()


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 1000))
def test_it_passes_through_the_scores_and_stays_between_them(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points, scores = rng.normal(size=(25, 2)), rng.normal(size=25)
    found = surface(points, scores)
    np.testing.assert_allclose(found.at(points), scores, atol=1e-9)
    grid = found.on_grid(20)
    known = grid.heights[~np.isnan(grid.heights)]
    assert len(known) > 100
    assert scores.min() - 1e-9 <= known.min() <= known.max() <= scores.max() + 1e-9


def test_rows_of_the_grid_are_of_one_y() -> None:
    grid = surface([[0, 0], [4, 0], [0, 2], [4, 2]], [0.0, 4.0, 20.0, 24.0]).on_grid(3)
    assert (grid.x.tolist(), grid.y.tolist()) == ([0, 2, 4], [0, 1, 2])
    np.testing.assert_allclose(grid.heights, [[0, 2, 4], [10, 12, 14], [20, 22, 24]])


def test_a_barrier_between_two_children() -> None:
    points = [[-1, 0], [1, 0], [0, 1], [0, -1], [0, 0]]
    found = surface(points, [1, 1, 1, 1, 9])
    np.testing.assert_allclose(found.along([-1, 0], [1, 0], 5), [1, 5, 9, 5, 1])
    beyond = found.along([0, 0], [2, 0], 3)
    assert (beyond[:2].tolist(), np.isnan(beyond[2])) == ([9, 1], True)


def test_what_is_in_one_place_is_averaged_and_what_has_no_score_is_left_out() -> None:
    points = [[0, 0], [1, 0], [0, 1], [1, 1], [1, 1 + 1e-13], [0.5, 0.5], [5, 5]]
    found = surface(points, [0, 0, 0, 2, 4, np.nan, np.inf])
    assert (len(found.sites), found.missing) == (4, 2)
    assert found.at([[1, 1]]) == pytest.approx([3])
    assert np.isnan(found.at([[5, 5]])).all()


@pytest.mark.parametrize(
    ("points", "scores", "message"),
    [
        ([[0, 0], [1, 1]], [1, 2, 3], r"n scores, got \(\(2, 2\), \(3,\)\)"),
        ([[0, 0, 0]] * 3, [1, 2, 3], "n finite points in the plane"),
        ([[0, 0], [1, np.nan], [0, 1]], [1, 2, 3], "n finite points in the plane"),
        ([[0, 0], [1, 0], [0, 1]], [1, 2, np.nan], "in at least 3 places, got 2"),
        ([[0, 0]] * 4, [1, 2, 3, 4], "in at least 3 places, got 1"),
        ([], [], "n finite points"),
        ([[0, 0], [1, 1], [2, 2], [3, 3]], [1, 2, 3, 4], "span a plane, got '4 on one line'"),
    ],
)
def test_what_spans_no_surface_is_refused(points: list, scores: list, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        surface(points, scores)


def test_a_grid_of_one_point_is_refused() -> None:
    with pytest.raises(UsageError, match=r"on_grid\(size=1\): expected size >= 2"):
        surface([[0, 0], [1, 0], [0, 1]], [1, 2, 3]).on_grid(1)
