from __future__ import annotations

import math

import pytest

from lnas.estimators.averaging import mean_estimate
from lnas.types import Estimate

INFINITE = Estimate.of(math.inf, seconds=1.0)
FAILED = Estimate.failure(MemoryError("no room"), seconds=2.0)


def test_a_single_estimate_is_itself() -> None:
    for only in (Estimate(3.0, detail={"why": "so"}), INFINITE, FAILED):
        assert mean_estimate([[only]]) is only


def test_the_mean_keeps_its_parts_and_the_time_of_all() -> None:
    mean = mean_estimate([[Estimate(1.0, seconds=1.0), Estimate(2.0)], [Estimate(3.0, seconds=0.5), Estimate(7.0)]])
    assert (mean.value, mean.status, mean.seconds) == (3.25, "ok", 1.5)
    assert mean.detail == {"values": [[1.0, 2.0], [3.0, 7.0]]}


def test_one_that_is_not_finite_is_no_mean_of_the_rest() -> None:
    whole = mean_estimate([[Estimate(1.0), Estimate(2.0)], [Estimate(3.0), INFINITE]])
    assert math.isnan(whole.value)
    assert (whole.status, whole.seconds) == ("nonfinite", 1.0)
    assert whole.detail == {"got": "inf", "at": [1, 1], "values": [[1.0, 2.0], [3.0, None]]}


def test_a_failure_comes_before_what_is_not_finite() -> None:
    whole = mean_estimate([[INFINITE, FAILED, Estimate(1.0)]])
    assert (whole.status, whole.seconds) == ("failed", 3.0)
    assert whole.detail == {"error": "MemoryError: no room", "at": [0, 1], "values": [[None, None, 1.0]]}


@pytest.mark.parametrize("value", [1.7e308, -1.7e308])
def test_a_mean_beyond_the_largest_number_is_not_finite(value: float) -> None:
    assert mean_estimate([[Estimate(value)] * 3]).status == "nonfinite"


def test_curves_are_averaged_point_by_point() -> None:
    first = Estimate(1.0, detail={"curves": {"loss": [4.0, 2.0], "angle": [0.1]}})
    second = Estimate(3.0, detail={"curves": {"loss": [2.0, 1.0, 0.5]}})
    assert mean_estimate([[first], [second]]).detail["curves"] == {"loss": [3.0, 1.5]}
