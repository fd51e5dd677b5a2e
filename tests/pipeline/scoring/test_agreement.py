from __future__ import annotations

import numpy as np
import pytest

from lnas.pipeline.scoring.agreement import rank_agreement
from lnas.stats import kendall_tau, spearman_r


def test_correlations_are_over_what_has_both_numbers() -> None:
    rng = np.random.default_rng(0)
    values, truth = rng.normal(size=(2, 40))
    values[:5], truth[3:9] = np.nan, np.nan
    found = rank_agreement(values, truth, higher_is_better=True)
    assert found is not None
    assert found.compared == 31
    assert found.kendall.value == kendall_tau(values[9:], truth[9:])
    assert found.spearman.value == spearman_r(values[9:], truth[9:])
    for value, (low, high) in found[:2]:
        assert -1 < low < value < high < 1


def test_positive_is_right_whatever_the_direction() -> None:
    cost, truth = np.array([3.0, 2.0, 1.0, 0.0]), np.array([1.0, 2.0, 3.0, 4.0])
    right, wrong = (rank_agreement(cost, truth, higher_is_better=higher) for higher in (False, True))
    assert right is not None
    assert wrong is not None
    assert (right.kendall.value, wrong.kendall.value) == (1, -1)
    assert right.spearman.value == pytest.approx(1)


def test_a_constant_has_no_correlation_and_one_pair_nothing_at_all() -> None:
    found = rank_agreement(np.ones(4), np.arange(4.0), higher_is_better=True)
    assert found is not None
    assert np.isnan([found.kendall.value, *found.kendall.interval]).all()
    assert rank_agreement(np.array([1.0, np.nan]), np.array([1.0, 2.0]), higher_is_better=True) is None
