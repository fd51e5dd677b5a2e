from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import kendalltau, rankdata

from lnas.analysis.repeat_variance import repeat_variance, tau_of_averages
from lnas.errors import UsageError


def test_repeats_by_reference() -> None:
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 20, (4, 12)).astype(float)
    rows[1, 3] = np.nan
    found = repeat_variance(rows)
    own = np.delete(rows, 3, axis=1)
    np.testing.assert_allclose(np.delete(found.deviation, 3), np.std(own, axis=0, ddof=1))
    ranks = np.array([rankdata(-row) for row in own])
    np.testing.assert_allclose(np.delete(found.rank_deviation, 3), np.std(ranks, axis=0, ddof=1))
    assert np.isnan([found.deviation[3], found.rank_deviation[3]]).all()
    assert (found.compared, found.missing) == (11, 1)
    pairs = [kendalltau(own[i], own[j]).statistic for i, j in itertools.combinations(range(4), 2)]
    assert found.mean_tau == pytest.approx(np.mean(pairs))
    assert found.taus[2, 1] == found.taus[1, 2] == pytest.approx(kendalltau(own[1], own[2]).statistic)
    np.testing.assert_array_equal(np.diag(found.taus), 1)


def test_the_same_twice_does_not_vary() -> None:
    found = repeat_variance([[1, 2, 3], [1, 2, 3]])
    assert not found.deviation.any()
    assert not found.rank_deviation.any()
    assert found.mean_tau == 1


def test_averages_are_over_all_choices_of_repeats() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(size=20)
    rows = truth + rng.normal(size=(4, 20))
    rows[0, 5] = np.inf
    found = tau_of_averages(rows, truth)
    own, true = np.delete(rows, 5, axis=1), np.delete(truth, 5)
    assert found.repeats.tolist() == [1, 2, 3, 4]
    assert found.choices.tolist() == [4, 6, 4, 1]
    assert (found.compared, found.missing) == (19, 1)
    for count in range(1, 5):
        chosen = itertools.combinations(range(4), count)
        taus = [kendalltau(own[list(some)].mean(axis=0), true).statistic for some in chosen]
        assert found.mean[count - 1] == pytest.approx(np.mean(taus))
        if count < 4:
            assert found.deviation[count - 1] == pytest.approx(np.std(taus, ddof=1))
    assert np.isnan(found.deviation[-1])


def test_averaging_noise_away_helps() -> None:
    rng = np.random.default_rng(2)
    truth = rng.normal(size=100)
    found = tau_of_averages(truth + rng.normal(size=(6, 100)), truth)
    assert (np.diff(found.mean) > 0).all()


def test_many_choices_are_drawn_each_once_and_the_same_by_the_same_seed() -> None:
    rng = np.random.default_rng(3)
    rows, truth = rng.normal(size=(7, 8)), rng.normal(size=8)
    found, again = (tau_of_averages(rows, truth, most=20, seed=4) for _ in range(2))
    assert found.choices.tolist() == [7, 20, 20, 20, 20, 7, 1]
    np.testing.assert_array_equal(found.mean, again.mean)
    everything = tau_of_averages(rows, truth)
    assert everything.choices.tolist() == [7, 21, 35, 35, 21, 7, 1]
    # Of all 21 pairs the draw leaves out one.
    pairs = [kendalltau(rows[[i, j]].mean(axis=0), truth).statistic for i, j in itertools.combinations(range(7), 2)]
    left_out = 21 * everything.mean[1] - 20 * found.mean[1]
    assert np.abs(left_out - pairs).min() < 1e-9
    assert not np.array_equal(found.mean, tau_of_averages(rows, truth, most=20, seed=5).mean)


def test_means_that_tie_stay_tied() -> None:
    # As floats 0.1 + 0.2 > 0.3 + 0.0, which would order the first two.
    found = tau_of_averages([[0.1, 0.3, 0.5], [0.2, 0.0, 0.9]], [2, 1, 3])
    assert found.mean[-1] == pytest.approx(kendalltau([0, 0, 1], [2, 1, 3]).statistic)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1, 2, 3]], "at least 2 repeats, got 1"),
        ([[1, 2, 3], [4, 4, 4]], "estimates of repeat 1 that differ"),
        ([[1, 2, None], [None, 4, 5]], "in every row, got '1 of 3'"),
        ([1, 2, 3], "a matrix, one row"),
    ],
)
def test_what_cannot_vary_is_refused(rows: list[list[float]], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        repeat_variance(rows)


@pytest.mark.parametrize(
    ("rows", "truth", "most", "message"),
    [
        ([[1, 2, 3], [3, 2, 1]], [1, 2, 3], 9, "means of 2 repeats that differ, got '2 for all 3'"),
        ([[1, 2, 3]], [1, 1, 1], 9, "truth that differ"),
        ([[1, 2, 3]], [1, 2], 9, "one length"),
        ([[1, 2, 3]], [1, 2, 3], 0, "most >= 1, got 0"),
    ],
)
def test_what_cannot_be_correlated_is_refused(
    rows: list[list[float]], truth: list[float], most: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        tau_of_averages(rows, truth, most)
