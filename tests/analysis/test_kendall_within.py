from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.analysis.kendall_within import kendall_within
from lnas.analysis.tau import resampled_kendall_within
from lnas.stats import kendall_tau

NUMBERS = st.integers(0, 4)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(NUMBERS, NUMBERS, st.integers(0, 2)), min_size=2, max_size=20))
def test_it_is_the_count_over_all_pairs_of_a_group(rows: list[tuple[int, int, int]]) -> None:
    x, y, groups = np.array(rows, dtype=float).T
    (counted,) = resampled_kendall_within(groups)(x, y, np.ones((1, len(x)), dtype=int))
    np.testing.assert_allclose(kendall_within(x, y, groups), counted, equal_nan=True)


def test_of_one_group_it_is_tau_and_of_none_that_differs_nothing() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 50)).round(1)
    np.testing.assert_allclose(kendall_within(x, y, np.zeros(50)), kendall_tau(x, y))
    assert np.isnan(kendall_within(x, y, np.arange(50)))
    assert np.isnan(kendall_within(np.ones(50), y, np.zeros(50)))
