from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.search.domination import crowding_distances, dominated_by_none, front_numbers, points_of
from lnas.search.objective import Objective
from lnas.types import Arch, Estimate, Trial

BOTH = Objective("acc+params", {"acc": True, "params": False})


@st.composite
def point_sets(draw: st.DrawFn) -> np.ndarray:
    """Few different values, so that points are often equal; rows of inf stand for trials without numbers."""
    width = draw(st.integers(2, 4))
    finite = st.lists(st.integers(0, 3).map(float), min_size=width, max_size=width)
    return np.array(draw(st.lists(finite | st.just([np.inf] * width), min_size=1, max_size=12)))


def dominates(one: np.ndarray, other: np.ndarray) -> bool:
    return bool((one <= other).all() and (one < other).any())


def test_points_are_costs_and_inf_where_any_number_is_lacking() -> None:
    trials = [
        Trial(Arch("tiny", (0,)), {"acc": Estimate(3.0), "params": Estimate(5.0)}),
        Trial(Arch("tiny", (1,)), {"acc": Estimate(3.0), "params": Estimate.of(math.nan)}),
        Trial(Arch("tiny", (2,)), {"acc": Estimate(3.0)}),
    ]
    assert points_of(BOTH, trials).tolist() == [[-3, 5], [np.inf, np.inf], [np.inf, np.inf]]
    assert points_of(BOTH, []).shape == (0, 2)


@given(point_sets())
@settings(deadline=None, max_examples=25)
def test_fronts_are_those_of_the_definition(points: np.ndarray) -> None:
    left = set(range(len(points)))
    expected = {}
    while left:
        front = {k for k in left if not any(dominates(points[j], points[k]) for j in left)}
        expected |= dict.fromkeys(front, max(expected.values(), default=-1) + 1)
        left -= front
    assert dict(enumerate(front_numbers(points).tolist())) == expected


@given(point_sets())
@settings(deadline=None, max_examples=25)
def test_dominated_by_none_are_the_first_of_the_first_front(points: np.ndarray) -> None:
    expected = [
        bool(np.isfinite(point).all())
        and not any(dominates(other, point) for other in points)
        and not any((other == point).all() for other in points[:k])
        for k, point in enumerate(points)
    ]
    assert dominated_by_none(points).tolist() == expected


def test_crowding_by_hand() -> None:
    points = np.array([[4.0, 1.0], [0.0, 9.0], [1.0, 7.0], [10.0, 0.0], [3.0, 3.0]])
    # in order of the first measure: 0 1 3 4 10, of the second: 9 7 3 1 0
    third, fifth, first = (3 - 0) / 10 + (9 - 3) / 9, (4 - 1) / 10 + (7 - 1) / 9, (10 - 3) / 10 + (3 - 0) / 9
    assert np.allclose(crowding_distances(points), [first, np.inf, third, np.inf, fifth])


def test_what_is_equal_everywhere_is_not_apart() -> None:
    assert crowding_distances(np.array([[1.0, 2.0]] * 3)).tolist() == [0, 0, 0]
    assert crowding_distances(np.array([[1.0, 2.0]])).tolist() == [0]
    assert crowding_distances(np.array([[0.0, 1.0], [0.5, 1.0], [2.0, 1.0]])).tolist() == [np.inf, 1.0, np.inf]
