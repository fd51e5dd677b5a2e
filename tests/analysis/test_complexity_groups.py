from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kendalltau, rankdata

from lnas.analysis.complexity_groups import complexity_bias, complexity_groups
from lnas.errors import UsageError


@settings(deadline=None, max_examples=20)
@given(st.permutations(range(13)), st.integers(1, 13))
def test_without_ties_counts_differ_by_one_at_most(sizes: list[int], groups: int) -> None:
    found = complexity_groups(sizes, groups)
    assert found.counts.sum() == 13
    assert found.counts.max() - found.counts.min() <= 1
    assert (found.largest[:-1] < found.smallest[1:]).all()


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(0, 6), min_size=7, max_size=25), st.integers(1, 3), st.randoms(use_true_random=False))
def test_equal_sizes_stay_together_whatever_their_order(sizes: list[int], groups: int, random) -> None:
    sizes = [0, 3, 6, *sizes]
    found = complexity_groups(sizes, groups).of_each
    by_size = dict(zip(sizes, found, strict=True))
    assert all(by_size[size] == group for size, group in zip(sizes, found, strict=True))
    assert [by_size[size] for size in sorted(by_size)] == sorted(by_size.values())
    shuffled = random.sample(sizes, len(sizes))
    assert complexity_groups(shuffled, groups).of_each.tolist() == [by_size[size] for size in shuffled]


def test_a_group_may_be_left_empty_by_ties() -> None:
    groups = complexity_groups([1, *[2] * 8, 3], groups=3)
    assert groups.of_each.tolist() == [0, *[1] * 8, 2]
    lopsided = complexity_groups([1] * 8 + [2, 3], groups=3)
    assert lopsided.counts.tolist() == [0, 8, 2]
    assert np.isnan(lopsided.smallest[0])
    bias = complexity_bias(range(10), range(10), lopsided)
    assert bias.counts.tolist() == [0, 8, 2]
    assert np.isnan([bias.mean[0], bias.deviation[0], bias.tau[0]]).all()


def test_numbers_by_hand() -> None:
    groups = complexity_groups([10, 20, 30, 40, 50, 60], groups=2)
    truth = [1, 2, 3, 4, 5, 6]  # ranks 6 5 4 3 2 1
    estimates = [6, 5, None, 3, 4, 1]  # ranks 1 2 - 4 3 5 among five, whose true ranks are 5 4 - 3 2 1
    found = complexity_bias(estimates, truth, groups)
    assert found.counts.tolist() == [2, 3]
    assert found.missing.tolist() == [1, 0]
    np.testing.assert_allclose(found.mean, [(4 + 2) / 2, (-1 - 1 - 4) / 3])
    np.testing.assert_allclose(found.deviation, [np.sqrt(2), np.sqrt(3)])
    np.testing.assert_allclose(found.tau, [-1, -1 / 3])


@pytest.mark.parametrize(
    ("sizes", "groups", "message"),
    [
        ([1, 2, 2], 3, r"groups in 1\.\.2, .* got 3"),
        ([1, 2], 0, r"groups in 1\.\.2, .* got 0"),
        ([1, np.nan], 1, "1 not finite"),
        ([[1, 2]], 1, "a vector of finite sizes"),
    ],
)
def test_groups_that_cannot_be_are_refused(sizes: list[float], groups: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        complexity_groups(sizes, groups)


def test_groups_of_others_are_refused() -> None:
    with pytest.raises(UsageError, match="groups of 3 architectures, got 2"):
        complexity_bias([1, 2, 3], [1, 2, 3], complexity_groups([1, 2], 2))


@pytest.mark.data
def test_small_cells_are_underestimated_by_their_size(data_root: Path) -> None:
    """On all cells, with #Param for the estimator: against scipy, group by group."""
    columns = ["params_M_c10", "flops_M_c10", "c10_test200"]
    table = parquet.read_table(data_root / "nb201" / "nb201_accuracy.parquet", columns=columns)
    params, flops, truth = (table[name].to_numpy() for name in columns)
    groups = complexity_groups(flops)
    assert len(np.unique(params)) == 28
    assert groups.counts.sum() == 15_625
    # FLOPs and parameters order the cells alike: both are of convolutions only.
    np.testing.assert_array_equal(groups.of_each, complexity_groups(params).of_each)
    found = complexity_bias(params, truth, groups)
    differences = rankdata(-truth) - rankdata(-params)
    for group in range(5):
        inside = (groups.smallest[group] <= flops) & (flops <= groups.largest[group])
        assert found.counts[group] == inside.sum()
        assert found.mean[group] == pytest.approx(differences[inside].mean())
        assert found.deviation[group] == pytest.approx(np.std(differences[inside], ddof=1))
        assert found.tau[group] == pytest.approx(kendalltau(params[inside], truth[inside]).statistic)
    assert found.mean[0] < 0 < found.mean[-1]
