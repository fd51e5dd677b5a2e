from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
import pytest
from scipy.stats import kendalltau, rankdata

from lnas.analysis.size_bias import partial_correlation, size_bias
from lnas.analysis.tau import tau_within
from lnas.errors import UsageError


def test_partial_correlation_by_hand() -> None:
    assert partial_correlation(0.5, 0.6, 0.8) == pytest.approx((0.5 - 0.48) / (0.8 * 0.6))
    assert partial_correlation(0.7, 0, 0) == 0.7
    assert partial_correlation(0.48, 0.6, 0.8) == pytest.approx(0)
    assert math.isnan(partial_correlation(0.8, 1, 0.8))


def test_partial_kendall_by_hand() -> None:
    # Sizes 1 2 3 4. Estimates swap the first two, the truth the last two: tau 2/3 with size each, 1/3 with one another.
    found = size_bias([2, 1, 3, 4], [1, 2, 4, 3], [1, 2, 3, 4])
    assert found.estimates_size == pytest.approx(2 / 3)
    assert found.truth_size == pytest.approx(2 / 3)
    assert found.estimates_truth == pytest.approx(1 / 3)
    assert found.partial == pytest.approx((1 / 3 - 4 / 9) / (1 - 4 / 9))
    assert found.partial == pytest.approx(-0.2)


def test_partial_spearman_is_the_correlation_of_what_regression_leaves() -> None:
    rng = np.random.default_rng(0)
    sizes = rng.integers(0, 6, 60).astype(float)
    estimates, truth = sizes + rng.normal(size=60), sizes + 2 * rng.normal(size=60)
    found = size_bias(estimates, truth, sizes, by="spearman")
    z = np.column_stack([np.ones(60), rankdata(sizes)])
    left = [v - z @ np.linalg.lstsq(z, v, rcond=None)[0] for v in (rankdata(estimates), rankdata(truth))]
    assert found.partial == pytest.approx(np.corrcoef(*left)[0, 1])


def test_matched_is_tau_within_sizes_and_missing_ones_are_left_out() -> None:
    rng = np.random.default_rng(1)
    sizes = rng.integers(0, 5, 40).astype(float)
    sizes[9] = 77  # alone
    estimates, truth = rng.integers(0, 9, (2, 40)).astype(float)
    estimates[:3] = np.nan
    found = size_bias(estimates, truth, sizes)
    expected = tau_within(estimates, truth, sizes)
    assert found.matched == pytest.approx(expected.value)
    assert (found.matched_archs, found.matched_pairs) == (expected.compared, expected.pairs)
    assert (found.compared, found.missing) == (37, 3)
    assert found.estimates_truth == pytest.approx(kendalltau(estimates[3:], truth[3:]).statistic)


def test_size_itself_leaves_nothing() -> None:
    found = size_bias([1, 2, 2, 3], [3, 4, 5, 6], [10, 20, 20, 30])
    assert found.estimates_size == pytest.approx(1)
    assert math.isnan(found.partial)
    assert math.isnan(found.matched)
    assert found.matched_pairs == 1


@pytest.mark.parametrize(
    ("estimates", "truth", "sizes", "message"),
    [
        ([1, 2, 3], [1, 2, 3], [5, 5, 5], "sizes that differ, got '5 for all 3'"),
        ([1, 2, 3], [1, 2, 3], [5, 6], "a finite size of each"),
        ([1, 2, 3], [1, 2, 3], [5, 6, np.nan], "1 not finite"),
        ([2, 2, 2], [1, 2, 3], [5, 6, 7], "estimates that differ"),
        ([1, None, None], [1, 2, 3], [5, 6, 7], "at least 2 finite estimates"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    estimates: list[float], truth: list[float], sizes: list[float], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        size_bias(estimates, truth, sizes)


def test_an_unknown_correlation_is_refused() -> None:
    with pytest.raises(UsageError, match='by "kendall" or "spearman", got \'pearson\''):
        size_bias([1, 2], [1, 2], [1, 2], by="pearson")  # type: ignore[arg-type]


@pytest.mark.data
def test_parameters_correlate_with_accuracy_as_published(data_root: Path) -> None:
    columns = ["params_M_c10", "c10_test200", "c10v_val12"]
    table = parquet.read_table(data_root / "nb201" / "nb201_accuracy.parquet", columns=columns)
    params, truth, early = (table[name].to_numpy()[:4000] for name in columns)
    found = size_bias(early, truth, params)
    xy, xz, yz = (kendalltau(*pair).statistic for pair in ((early, truth), (early, params), (truth, params)))
    assert found.truth_size == pytest.approx(yz)
    assert found.partial == pytest.approx((xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2)))
    balance = untied_early = untied_truth = 0
    for size in np.unique(params):
        a, b = early[params == size], truth[params == size]
        in_a, in_b = (np.sign(v[:, None] - v) for v in (a, b))
        balance += (in_a * in_b).sum()
        untied_early += np.abs(in_a).sum()
        untied_truth += np.abs(in_b).sum()
    assert found.matched == pytest.approx(balance / np.sqrt(untied_early * untied_truth))
    everything = table["params_M_c10"].to_numpy(), table["c10_test200"].to_numpy()
    assert kendalltau(*everything).statistic == pytest.approx(0.578, abs=5e-4)
