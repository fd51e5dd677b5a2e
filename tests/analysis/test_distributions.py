from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.analysis.distributions import distributions, histograms
from lnas.errors import UsageError

NAN = float("nan")


def test_each_time_is_described_by_what_is_finite() -> None:
    found = distributions([[1.0, 2.0, 2.0, 5.0, NAN], [NAN, NAN, NAN, 3.0, np.inf], [NAN] * 5])
    assert found.counts.tolist() == [4, 1, 0]
    np.testing.assert_allclose(found.mean, [2.5, 3, NAN])
    np.testing.assert_allclose(found.deviation, [np.std([1, 2, 2, 5], ddof=1), NAN, NAN])
    np.testing.assert_allclose(found.quantiles[:2], [[1, 1.75, 2, 2.75, 5], [3] * 5])
    assert found.distinct.tolist() == [3, 1, 0]
    np.testing.assert_allclose(found.tied, [1 / 6, NAN, NAN])


@settings(deadline=None, max_examples=20)
@given(st.lists(st.lists(st.integers(-9, 9), min_size=3, max_size=3), min_size=1, max_size=4), st.integers(1, 7))
def test_shares_of_the_bins_sum_to_one_and_find_each_score(rows: list[list[int]], bins: int) -> None:
    found = histograms(rows, bins)
    np.testing.assert_allclose(found.shares.sum(axis=1), 1)
    assert found.shares.shape == (len(rows), bins)
    assert found.edges[0] <= np.min(rows)
    assert found.edges[-1] >= np.max(rows)
    assert found.shares[0, np.clip(np.digitize(rows[0][0], found.edges) - 1, 0, bins - 1)] > 0


def test_times_share_their_bins_and_one_without_scores_has_no_shares() -> None:
    found = histograms([[0, 1, NAN], [10, 9, 9], [NAN] * 3], 2)
    assert found.edges.tolist() == [0, 5, 10]
    np.testing.assert_array_equal(found.shares, [[1, 0], [0, 1], [NAN, NAN]])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distributions([1, 2]), "distributions(scores): expected a matrix"),
        (lambda: histograms([[1.0]], 0), "expected bins >= 1, got 0"),
        (lambda: histograms([[NAN]]), "expected at least one finite score, got 0"),
    ],
)
def test_bad_input_is_told(call: object, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        call()  # type: ignore[operator]
