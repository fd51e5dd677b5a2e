"""Intervals of mean differences between partners."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from lnas.analysis.paired_means import paired_mean_interval
from lnas.errors import UsageError

PAIRS = st.lists(st.tuples(st.floats(-100, 100), st.floats(-100, 100)), min_size=2, max_size=20)


@settings(deadline=None, max_examples=20)
@given(PAIRS)
def test_is_the_interval_of_the_paired_t_test_and_turns_with_the_sides(pairs: list[tuple[float, float]]) -> None:
    values, others = np.array(pairs).T
    low, high = paired_mean_interval(values, others)
    if np.ptp(values - others) > 1e-6:
        assert (low, high) == pytest.approx(tuple(ttest_rel(values, others).confidence_interval(0.95)))
    assert paired_mean_interval(others, values) == pytest.approx((-high, -low))


def test_one_pair_has_no_interval_and_lengths_must_agree() -> None:
    assert all(map(math.isnan, paired_mean_interval([1.0], [2.0])))
    with pytest.raises(UsageError, match="two vectors of one length"):
        paired_mean_interval([1.0, 2.0], [1.0])
