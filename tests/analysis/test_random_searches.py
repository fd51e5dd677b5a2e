from __future__ import annotations

import math

import numpy as np
import pytest

from lnas.analysis.random_searches import NOBODY, draw_searches, picks
from lnas.errors import UsageError
from lnas.types import Arch, Estimate, Trial

DIRECTIONS = {"cost": False, "size": True}


def pool(costs: list[float], sizes: list[float]) -> list[Trial]:
    return [
        Trial(Arch("tiny", (number,)), {"cost": Estimate.of(cost), "size": Estimate.of(size)})
        for number, (cost, size) in enumerate(zip(costs, sizes, strict=True))
    ]


def test_candidates_of_a_search_are_different_and_every_architecture_comes_equally_often() -> None:
    drawn = draw_searches(pool=10, candidates=4, searches=2000, seed=0)
    assert drawn.shape == (2000, 4)
    assert all(len(set(row)) == 4 for row in drawn.tolist())
    counts = np.bincount(drawn.ravel(), minlength=10)
    assert np.abs(counts - 800).max() < 5 * math.sqrt(2000 * 0.4 * 0.6)


def test_more_searches_begin_with_the_same_and_another_seed_differs() -> None:
    some, more = (draw_searches(10, 4, searches, 1) for searches in (3, 8))
    np.testing.assert_array_equal(more[:3], some)
    assert (draw_searches(10, 4, 3, 2) != some).any()


@pytest.mark.parametrize(
    ("numbers", "message"), [((10, 11, 1), "candidates=11"), ((10, 0, 1), "candidates=0"), ((10, 4, 0), "searches=0")]
)
def test_numbers_that_cannot_be_are_named(numbers: tuple[int, int, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        draw_searches(*numbers, seed=0)


def test_a_search_picks_its_own_best_with_ranks_among_its_own() -> None:
    trials = pool([1, 2, 3, 4], [10, 10, 30, 40])
    searches = np.array([[0, 1, 2], [3, 2, 1], [2, 3, 1]])
    assert picks("cost", trials, DIRECTIONS, searches).tolist() == [0, 1, 1]
    assert picks("size", trials, DIRECTIONS, searches).tolist() == [2, 3, 3]
    # In the pool 3 has the rank 4 + 1; among 3 and 0 alone it ties with it, and the first drawn is taken.
    assert picks("cost+size", trials, DIRECTIONS, np.array([[3, 0], [0, 3]])).tolist() == [3, 0]


def test_candidates_without_a_number_are_picked_by_none() -> None:
    trials = pool([math.nan, math.inf, 3, 4], [4, 3, 2, 1])
    assert picks("cost+size", trials, DIRECTIONS, np.array([[0, 1, 3], [0, 1, 0]])).tolist() == [3, NOBODY]
