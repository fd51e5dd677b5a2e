from __future__ import annotations

import itertools

import numpy as np
import pytest

from lnas.analysis.extremes import extremes, features_at_ends
from lnas.errors import UsageError


def test_the_ends_in_order() -> None:
    found = extremes([0.2, np.nan, 0.9, 0.1, 0.5, np.inf], 2)
    assert found.best.tolist() == [2, 4]
    assert found.worst.tolist() == [3, 0]
    assert (found.tied_best, found.tied_worst, found.missing) == (1, 1, 2)


def test_how_many_tie_is_told() -> None:
    found = extremes([1, 2, 2, 1, 1])
    assert (found.best.tolist(), found.worst.tolist()) == ([1], [0])
    assert (found.tied_best, found.tied_worst) == (2, 3)


def test_means_are_over_all_ways_to_cut_a_tie() -> None:
    scores, depth = [5, 3, 3, 3, 1], [7.0, 1.0, 2.0, 9.0, 0.0]
    found = features_at_ends({"depth": np.array(depth)}, scores, 3)
    ways = list(itertools.combinations([1.0, 2.0, 9.0], 2))
    assert found.top["depth"] == pytest.approx(np.mean([(7 + sum(way)) / 3 for way in ways]))
    assert found.bottom["depth"] == pytest.approx(np.mean([sum(way) / 3 for way in ways]))
    assert found.overall["depth"] == pytest.approx(np.mean(depth))


def test_a_ratio_is_of_those_with_a_score_and_nan_features_are_left_out() -> None:
    features = {"skip share": np.array([0.5, np.nan, 0.25, 1.0, np.nan])}
    found = features_at_ends(features, [4, 3, 2, np.nan, 1], 0.5)
    assert (found.size, found.missing) == (2, 1)
    assert found.top["skip share"] == 0.5
    assert found.bottom["skip share"] == 0.25
    assert found.overall["skip share"] == 0.375
    assert np.isnan(features_at_ends(features, [4, 3, 2, np.nan, 1], 1).bottom["skip share"])


@pytest.mark.parametrize(
    ("scores", "count", "message"),
    [
        ([1, 2, None], 3, r"count in 1\.\.2"),
        ([1, 2], 0, r"count in 1\.\.2"),
        ([3, 3, None], 1, "scores that differ, got '2 finite of 3, 1 different'"),
        ([None, None], 1, "0 finite of 2"),
        ([[1, 2]], 1, "a vector of scores"),
    ],
)
def test_what_has_no_ends_is_refused(scores: list[float], count: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        extremes(scores, count)


@pytest.mark.parametrize(
    ("k", "length", "message"), [(0.1, 3, r"k \* n >= 1"), (4, 3, "k a count in"), (1, 2, "features of shape")]
)
def test_a_top_that_cannot_be_is_refused(k: float, length: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        features_at_ends({"depth": np.zeros(length)}, [1, 2, 3], k)
