from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from lnas.analysis.validation_size import intra_level_taus, tau_of_batches
from lnas.errors import UsageError


def measured(batches: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Accuracies on batches of 16, and the truth."""
    rng = np.random.default_rng(0)
    truth = rng.uniform(0.4, 0.95, n)
    return rng.binomial(16, truth, (batches, n)) / 16, truth


def test_each_prefix_by_reference() -> None:
    rows, truth = measured(5, 60)
    rows[4, 7] = np.nan
    found = tau_of_batches(rows, truth)
    own, true = np.delete(rows, 7, axis=1), np.delete(truth, 7)
    expected = [kendalltau(own[:count].sum(axis=0), true).statistic for count in range(1, 6)]
    np.testing.assert_allclose(found.tau, expected)
    assert found.batches.tolist() == [1, 2, 3, 4, 5]
    assert (found.compared, found.missing) == (59, 1)
    assert found.tau[-1] > found.tau[0]


def test_a_first_batch_that_tells_nothing_has_no_tau() -> None:
    found = tau_of_batches([[0.5, 0.5, 0.5], [0.1, 0.2, 0.3]], [1, 2, 3])
    assert np.isnan(found.tau[0])
    assert found.tau[1] == 1


@pytest.mark.parametrize("level_batches", [1, 2])
def test_levels_by_reference(level_batches: int) -> None:
    rows, truth = measured(6, 80)
    found = intra_level_taus(rows, truth, level_batches)
    few = rows[:level_batches].mean(axis=0)
    expected = {level: np.flatnonzero(few == level) for level in sorted(set(few.tolist()))}
    shared = {level: members for level, members in expected.items() if len(members) > 1}
    assert found.total == len(expected)
    np.testing.assert_allclose(found.levels, list(shared))
    assert found.counts.tolist() == [len(members) for members in shared.values()]
    taus = [kendalltau(rows[:, members].sum(axis=0), truth[members]).statistic for members in shared.values()]
    np.testing.assert_allclose(found.tau, taus)
    assert found.missing == 0


def test_more_data_can_order_wrongly_what_few_left_tied() -> None:
    found = intra_level_taus([[0.5] * 3 + [1.0], [0.3, 0.2, 0.1, 0.9]], [1, 2, 3, 4])
    assert found.levels.tolist() == [0.5]
    assert found.tau.tolist() == [-1]
    assert found.total == 2


def test_a_level_whose_truth_is_one_has_no_tau() -> None:
    found = intra_level_taus([[0.5, 0.5, 1.0], [0.3, 0.2, 0.9]], [1, 1, 4])
    assert np.isnan(found.tau).tolist() == [True]
    assert found.counts.tolist() == [2]


def test_levels_do_not_fall_apart_by_rounding() -> None:
    rows = [[0.1, 0.3], [0.2, 0.0], [0.5, 0.6]]
    assert intra_level_taus(rows, [1, 2], level_batches=2).counts.tolist() == [2]


@pytest.mark.parametrize(
    ("rows", "truth", "level_batches", "message"),
    [
        ([[1, 2, 3]], [1, 2, 3], 1, r"level_batches in 1\.\.0"),
        ([[1, 2, 3], [1, 2, 4]], [1, 2, 3], 2, r"level_batches in 1\.\.1, fewer than all, got 2"),
        ([[1, 2], [2, 1]], [1, 2], 1, "estimates over all batches that differ"),
        ([[1, 2], [2, 2]], [1, 1], 1, "truth that differ"),
        ([[1, 2], [2, 2]], [1, 2, 3], 1, "one length"),
    ],
)
def test_what_has_no_levels_is_refused(
    rows: list[list[float]], truth: list[float], level_batches: int, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        intra_level_taus(rows, truth, level_batches)
