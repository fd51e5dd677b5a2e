"""Welch's interval, as scipy has it and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from lnas.stats import welch_interval

SAMPLES = st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=12)


def test_by_hand() -> None:
    """Variances 1 and 4 of three each: s^2 = 5/3, 25/9 / ((1/9 + 16/9) / 2) = 50/17 degrees of freedom."""
    from scipy.stats import t

    low, high = welch_interval([3.0, 4.0, 5.0], [1.0, 3.0, 5.0])
    reach = t.ppf(0.975, 50 / 17) * math.sqrt(5 / 3)
    assert (low, high) == pytest.approx((1 - reach, 1 + reach))
    assert reach == pytest.approx(4.155, abs=0.01)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
@pytest.mark.parametrize(("n", "m"), [(2, 2), (3, 40), (30, 30)])
def test_it_is_scipys(n: int, m: int, level: float) -> None:
    rng = np.random.default_rng(n + m)
    values, others = rng.normal(93, 0.3, n), rng.normal(92, 2, m)
    theirs = ttest_ind(values, others, equal_var=False).confidence_interval(level)
    assert welch_interval(values, others, level) == pytest.approx((theirs.low, theirs.high), rel=1e-9)


@settings(deadline=None, max_examples=25)
@given(SAMPLES, SAMPLES)
def test_it_surrounds_the_difference_and_turns_with_it(values: list[float], others: list[float]) -> None:
    low, high = welch_interval(values, others)
    difference = np.mean(values) - np.mean(others)
    scale = 1e-9 * (1 + max(map(abs, values + others)))
    assert low - scale <= difference <= high + scale
    assert low + high == pytest.approx(2 * difference, abs=max(scale, 1e-9 * (high - low)))
    assert welch_interval(others, values) == pytest.approx((-high, -low))
    shifted = welch_interval([value + 1 for value in values], others)
    assert shifted == pytest.approx((low + 1, high + 1), rel=1e-6, abs=1e-6)
    wider = welch_interval(values, others, 0.99)
    assert wider.low <= low
    assert wider.high >= high


def test_variances_whose_squares_are_no_numbers() -> None:
    """1e-200: the degrees of freedom would be 0 / 0."""
    tiny = 1e-100
    low, high = welch_interval([0, tiny, 2 * tiny], [0, tiny, 2 * tiny])
    expected = welch_interval([0, 1, 2], [0, 1, 2])
    assert (low / tiny, high / tiny) == pytest.approx(tuple(expected))


def test_without_any_spread_it_is_the_difference() -> None:
    assert welch_interval([2, 2], [1, 1, 1]) == (1, 1)


@pytest.mark.parametrize(("values", "others"), [([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0]), ([], [1.0, 2.0])])
def test_of_a_single_value_there_is_none(values: list[float], others: list[float]) -> None:
    assert np.isnan(welch_interval(values, others)).all()


def test_it_holds_the_true_difference_as_often_as_it_says() -> None:
    """Of 2,000 intervals of very unequal samples, 95 % within three standard errors of 0.5 %."""
    rng = np.random.default_rng(0)
    drawn = [(rng.normal(1, 5, 5), rng.normal(0, 1, 20)) for _ in range(2000)]
    held = [low <= 1 <= high for low, high in (welch_interval(*pair) for pair in drawn)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)
