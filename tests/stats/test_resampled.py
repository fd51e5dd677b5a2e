from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.stats import kendall_tau, spearman_r
from lnas.stats.resampled import resampled_kendall, resampled_spearman

EACH = [(resampled_kendall, kendall_tau), (resampled_spearman, spearman_r)]


@pytest.mark.parametrize(("ours", "plain"), EACH)
@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(-9, 9), st.integers(0, 3)), min_size=2, max_size=20).filter(
        lambda rows: sum(count for _, _, count in rows) > 1
    )
)
def test_counts_stand_for_repeated_pairs(ours, plain, rows: list[tuple[int, int, int]]) -> None:
    x, y, counts = np.array(rows).T
    expected = plain(np.repeat(x, counts), np.repeat(y, counts))
    found = ours(x * 0.1, y * 1e9, np.stack([counts, np.ones_like(counts)]))
    np.testing.assert_allclose(found, [expected, plain(x, y)], atol=1e-12)


@pytest.mark.parametrize(("ours", "plain"), EACH)
def test_many_pairs_with_and_without_ties(ours, plain) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=700)
    for y in (x + rng.normal(size=700), np.round(x + rng.normal(size=700))):
        (found,) = ours(x, y, np.ones((1, 700), dtype=int))
        assert found == pytest.approx(plain(x, y), abs=1e-12)


@pytest.mark.parametrize("ours", [resampled_kendall, resampled_spearman])
def test_a_constant_side_has_none(ours) -> None:
    counts = np.array([[2, 0, 0], [0, 1, 1], [1, 1, 0]])
    assert np.isnan(ours(np.array([1.0, 2.0, 2.0]), np.array([1.0, 2.0, 3.0]), counts)).tolist() == [True, True, False]
