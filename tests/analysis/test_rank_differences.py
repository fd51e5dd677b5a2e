from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import rankdata

from lnas.analysis.rank_differences import rank_differences
from lnas.errors import UsageError

VALUES = st.integers(0, 5).map(float)


def test_positive_is_overestimated() -> None:
    assert rank_differences([40, 30, 20, 10], [1, 2, 3, 4]).tolist() == [3, 1, -1, -3]


def test_ranks_are_among_those_that_have_an_estimate() -> None:
    found = rank_differences([1, None, 2], [9, 8, 7])
    assert found[[0, 2]].tolist() == [-1, 1]
    assert np.isnan(found[1])


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=3, max_size=12))
def test_it_is_the_difference_of_average_ranks(rows: list[tuple[float, float]]) -> None:
    estimates, truth = np.array([(0.0, 0.0), (9.0, 9.0), *rows]).T
    found = rank_differences(estimates, truth)
    np.testing.assert_allclose(found, rankdata(-truth) - rankdata(-estimates))
    assert found.sum() == pytest.approx(0)
    np.testing.assert_allclose(found, -rank_differences(truth, estimates))


def test_constant_scores_are_refused() -> None:
    with pytest.raises(UsageError, match="estimates that differ"):
        rank_differences([1, 1, 1], [1, 2, 3])
