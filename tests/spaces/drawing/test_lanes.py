from __future__ import annotations

import itertools

import hypothesis.extra.numpy as arrays
import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from lnas.spaces.drawing.lanes import lane_heights

FREE = -np.inf


def distances_between(pairs, count):
    """A symmetric matrix from {(lane, lane): distance}."""
    distances = np.full((count, count), FREE)
    for (a, b), distance in pairs.items():
        distances[a, b] = distances[b, a] = distance
    return distances


def crossings(heights, gaps):
    pieces = [[(heights[a], heights[b]) for a, b in gap.T] for gap in gaps]
    return sum(
        (one[0] - other[0]) * (one[1] - other[1]) < 0 for gap in pieces for one, other in itertools.combinations(gap, 2)
    )


@st.composite
def problems(draw):
    count = draw(st.integers(1, 7))
    upper = draw(arrays.arrays(float, (count, count), elements=st.sampled_from([FREE, 14.0, 24.0, 30.5])))
    distances = np.triu(upper, 1)
    distances[np.tril_indices(count)] = FREE
    distances = np.maximum(distances, distances.T)
    lane = st.integers(0, count - 1)
    gaps = draw(st.lists(st.lists(st.tuples(lane, lane), min_size=1, max_size=6), max_size=4))
    return distances, [np.array(gap).T for gap in gaps]


@settings(deadline=None, max_examples=40)
@given(problems())
def test_distances_hold_and_the_spine_lies_at_zero(problem):
    distances, gaps = problem
    heights = lane_heights(distances, gaps)
    assert heights[0] == 0
    assert (abs(heights[:, None] - heights) >= distances - 1e-9).all()


def test_lanes_that_may_lie_level_with_the_spine_keep_their_distance_on_both_sides_of_it():
    # Lane 3 is drawn to the spine from below and lane 1 from above; only with each other do they collide.
    distances = distances_between({(0, 3): 14, (1, 2): 14, (1, 3): 14, (2, 3): 14}, 4)
    heights = lane_heights(distances, [np.array([[0], [2]])])
    assert (abs(heights[:, None] - heights) >= distances).all()


def test_the_spine_does_not_follow_what_it_is_joined_to():
    distances = distances_between({(0, 2): 24, (0, 3): 24, (1, 2): 30.5, (1, 3): 24, (2, 3): 30.5}, 4)
    assert lane_heights(distances, [np.array([[2, 0, 0, 3, 3], [0, 1, 1, 3, 3]])])[0] == 0


def test_lanes_are_no_further_from_the_spine_than_they_must():
    heights = lane_heights(distances_between({(0, 1): 20, (0, 2): 20, (1, 2): 30}, 3), [])
    assert sorted(abs(heights)) in ([0, 20, 20], [0, 20, 50])


def test_joined_lanes_come_side_by_side():
    distances = distances_between(dict.fromkeys(itertools.combinations(range(5), 2), 10), 5)
    heights = lane_heights(distances, [np.array([[1, 2], [3, 4]])])
    assert abs(heights[1] - heights[3]) == abs(heights[2] - heights[4]) == 10


def test_avoidable_crossings_are_avoided():
    # Lanes 1 and 2 share the first column, 3 and 4 the second; each is joined to the one of the other kind.
    distances = distances_between({(0, k): 10 for k in range(1, 5)} | {(1, 2): 10, (3, 4): 10}, 5)
    gaps = [np.array([[1, 2, 0], [4, 3, 0]])]
    assert crossings(np.array([0, 10, 20, 10, 20]), gaps) == 1
    assert crossings(lane_heights(distances, gaps), gaps) == 0


def test_a_lane_follows_what_it_is_joined_to_outward():
    # Lane 2 must be 40 from the spine and 1 need not; joined, they lie level.
    heights = lane_heights(distances_between({(0, 1): 10, (0, 2): 40}, 3), [np.array([[1], [2]])])
    assert heights[1] == pytest.approx(heights[2])
    assert abs(heights[1]) == 40
