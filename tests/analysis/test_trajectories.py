"""Step functions, their mean and their deviation, by hand and by their laws."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.analysis.trajectories import average, average_rows, held, spread_points

NAN = float("nan")
NUMBER = st.one_of(st.just(NAN), st.floats(-1e3, 1e3))
CURVE = st.lists(st.tuples(st.integers(1, 30), st.floats(-100, 100)), max_size=8).map(sorted)


def test_a_value_holds_until_the_next_begins() -> None:
    points = np.array([0, 1, 1.5, 2, 3, 10])
    np.testing.assert_array_equal(held([1, 2, 2, 9], [5, 6, 7, 8], points), [NAN, 5, 5, 7, 7, 8])
    np.testing.assert_array_equal(held([], [], points), [NAN] * 6)


@settings(deadline=None, max_examples=25)
@given(CURVE)
def test_held_is_what_a_walk_along_the_curve_finds(curve: list[tuple[int, float]]) -> None:
    points = np.arange(0, 32)
    walked = [([value for since, value in curve if since <= point] or [NAN])[-1] for point in points]
    found = held([since for since, _ in curve], [value for _, value in curve], points)
    np.testing.assert_array_equal(found, walked)


def test_mean_and_deviation_are_of_those_that_have_something() -> None:
    curves = [([1], [50.0]), ([2, 4], [60.0, 70.0]), ([3], [40.0]), ([4], [80.0])]
    points = np.array([1, 2, 3, 4])
    found = average(curves, points)
    np.testing.assert_allclose(found.mean, [NAN, 55, 50, 60])
    np.testing.assert_allclose(found.deviation, [NAN, np.sqrt(50), 10, np.std([50, 70, 40, 80], ddof=1)])
    assert found.points is points


def test_half_is_enough_and_one_has_no_deviation() -> None:
    found = average([([1], [50.0]), ([2], [60.0])], np.array([0, 1, 2]))
    np.testing.assert_allclose(found.mean, [NAN, 50, 55])
    np.testing.assert_allclose(found.deviation, [NAN, NAN, np.sqrt(50)])
    alone = average([([1], [50.0])], np.array([1, 2]))
    np.testing.assert_array_equal(alone.mean, [50, 50])
    np.testing.assert_array_equal(alone.deviation, [NAN, NAN])


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.lists(st.one_of(st.just(NAN), st.floats(-1e3, 1e3)), min_size=5, max_size=5), min_size=1, max_size=6)
)
def test_rows_are_averaged_as_numpy_does_where_enough_have_a_value(rows: list[list[float]]) -> None:
    array = np.array(rows)
    found = average_rows(np.arange(5), array)
    for k, column in enumerate(array.T):
        known = column[~np.isnan(column)]
        enough = len(known) >= len(rows) / 2
        np.testing.assert_allclose(found.mean[k], known.mean() if enough else NAN, atol=1e-9)
        spread = known.std(ddof=1) if enough and len(known) > 1 else NAN
        np.testing.assert_allclose(found.deviation[k], spread, atol=1e-6)


def test_points_have_equal_ratios() -> None:
    np.testing.assert_allclose(spread_points(1, 81, 5, whole=False), [1, 3, 9, 27, 81])
    np.testing.assert_array_equal(spread_points(1, 9, 5, whole=True), [1, 2, 3, 5, 9])


@settings(deadline=None, max_examples=25)
@given(st.floats(1e-6, 1e6), st.floats(0, 1e6), st.integers(2, 90))
def test_points_ascend_between_the_ends_and_hold_both(first: float, more: float, count: int) -> None:
    last = first + more
    points = spread_points(first, last, count, whole=False)
    assert (points[0], points[-1]) == (first, last)
    assert len(points) <= count
    assert all(one < other for one, other in itertools.pairwise(points))


@pytest.mark.parametrize("last", [1, 2, 7, 80, 1000, 12_345])
def test_whole_points_are_whole_and_few_are_all(last: int) -> None:
    points = spread_points(1, last, 80, whole=True)
    assert (points[0], points[-1]) == (1, last)
    assert (points == np.round(points)).all()
    assert len(points) <= 80
    if last <= 7:
        assert points.tolist() == list(range(1, last + 1))
