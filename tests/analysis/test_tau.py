from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.analysis.tau import resampled_kendall_within, tau_between, tau_within
from lnas.stats import kendall_tau, resampled_kendall

VALUES = st.integers(0, 4).map(float)
ROWS = st.lists(st.tuples(VALUES, VALUES, st.integers(0, 2)), min_size=2, max_size=14)


def columns(rows: list[tuple[float, float, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, y, groups = (np.array(column) for column in zip(*rows, strict=True))
    return x, y, groups


def counted(x: np.ndarray, y: np.ndarray, groups: np.ndarray) -> float:
    """Pair by pair."""
    balance = untied_x = untied_y = 0
    for i, j in itertools.combinations(range(len(x)), 2):
        if groups[i] == groups[j]:
            in_x, in_y = np.sign(x[i] - x[j]), np.sign(y[i] - y[j])
            balance, untied_x, untied_y = balance + in_x * in_y, untied_x + abs(in_x), untied_y + abs(in_y)
    return balance / math.sqrt(untied_x * untied_y) if untied_x * untied_y else math.nan


@settings(deadline=None, max_examples=25)
@given(ROWS)
def test_within_groups_every_pair_of_a_group_counts_once(rows: list[tuple[float, float, int]]) -> None:
    x, y, groups = columns(rows)
    found = tau_within(x, y, groups)
    assert found.value == pytest.approx(counted(x, y, groups), nan_ok=True)
    assert found.pairs == sum(one == two for one, two in itertools.combinations(groups, 2))
    assert found.compared == sum((groups == group).sum() > 1 for group in groups)


@settings(deadline=None, max_examples=25)
@given(ROWS, st.integers(0, 99))
def test_one_group_is_kendalls_tau_in_every_resample(rows: list[tuple[float, float, int]], seed: int) -> None:
    x, y, _ = columns(rows)
    counts = np.random.default_rng(seed).multinomial(len(x), [1 / len(x)] * len(x), size=20)
    one_group = np.zeros(len(x))
    np.testing.assert_allclose(resampled_kendall_within(one_group)(x, y, counts), resampled_kendall(x, y, counts))
    within, between = tau_within(x, y, one_group), tau_between(x, y)
    np.testing.assert_allclose(within, between)


def test_a_resample_is_what_the_repeated_values_give() -> None:
    rng = np.random.default_rng(0)
    x, y, groups = rng.normal(size=9), rng.normal(size=9), np.arange(9) % 2
    drawn = rng.integers(9, size=9)
    (found,) = resampled_kendall_within(groups)(x, y, np.bincount(drawn, minlength=9)[None])
    assert found == pytest.approx(counted(x[drawn], y[drawn], groups[drawn]))


def test_order_between_groups_does_not_matter_within() -> None:
    x, y = np.array([1.0, 2.0, 11.0, 12.0]), np.array([12.0, 11.0, 2.0, 1.0])
    assert tau_between(x, y).value == -1
    assert tau_within(x, -y, np.array([0, 0, 1, 1])).value == 1
    mixed = np.array([11.0, 12.0, 1.0, 2.0])
    assert tau_between(x, mixed).value == pytest.approx(-1 / 3)
    assert tau_within(x, mixed, np.array([0, 0, 1, 1])).value == 1


def test_what_has_no_number_takes_no_part_and_is_not_counted() -> None:
    x, y = np.array([1, 2, np.nan, 3, 4]), np.array([1, 2, 3, np.nan, 4])
    found = tau_between(x, y)
    assert (found.value, found.compared, found.pairs) == (1, 3, 3)
    assert tau_within(x, y, np.array([0, 0, 0, 0, 1]))[3:] == (2, 1)


def test_too_few_to_compare_is_no_number() -> None:
    alone = tau_between(np.array([1.0, np.nan]), np.array([1.0, 2.0]))
    assert (alone.compared, alone.pairs) == (1, 0)
    assert math.isnan(alone.value)
    apart = tau_within(np.array([1.0, 2.0]), np.array([1.0, 2.0]), np.array([0, 1]))
    assert (apart.compared, apart.pairs) == (0, 0)
    assert math.isnan(apart.low)


def test_the_interval_holds_the_value_and_narrows() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=200)
    y = x + rng.normal(size=200)
    few, many = tau_within(x[:40], y[:40], np.arange(40) % 2), tau_within(x, y, np.arange(200) % 2)
    for found in (few, many):
        assert found.low < found.value < found.high
    assert many.high - many.low < 0.6 * (few.high - few.low)
    assert many.value == pytest.approx(kendall_tau(x, y), abs=0.05)
