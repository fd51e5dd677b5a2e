from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.errors import UsageError
from lnas.stats import spearman_r
from lnas.stats.intervals import bootstrap_interval
from lnas.stats.resampled import resampled_kendall, resampled_spearman


def pairs(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, x + rng.normal(size=n)


def mean_of_x(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return counts @ x / len(x)


def test_of_a_mean_it_is_the_textbooks() -> None:
    x = pairs(400)[0]
    low, high = bootstrap_interval(mean_of_x, x, x, 4000)
    half = 1.96 * x.std() / math.sqrt(len(x))
    assert low == pytest.approx(x.mean() - half, abs=0.1 * half)
    assert high == pytest.approx(x.mean() + half, abs=0.1 * half)


def test_of_a_correlation_it_is_what_resampling_pair_by_pair_gives() -> None:
    x, y = pairs(120)
    rng = np.random.default_rng(1)
    drawn = [rng.integers(120, size=120) for _ in range(1500)]
    theirs = np.percentile([spearman_r(x[rows], y[rows]) for rows in drawn], [2.5, 97.5])
    assert bootstrap_interval(resampled_spearman, x, y, 3000) == pytest.approx(tuple(theirs), abs=0.02)


def test_it_holds_the_truth_as_often_as_it_says() -> None:
    held = [low <= 0 <= high for low, high in (bootstrap_interval(mean_of_x, *pairs(50, s), 200) for s in range(300))]
    assert 0.90 <= np.mean(held) <= 0.98


def test_a_higher_level_and_fewer_pairs_make_it_wider() -> None:
    x, y = pairs(200)
    usual = bootstrap_interval(resampled_spearman, x, y, 300)
    wider = bootstrap_interval(resampled_spearman, x, y, 300, level=0.99)
    fewer = bootstrap_interval(resampled_spearman, x[:40], y[:40], 300)
    assert wider.low < usual.low < usual.high < wider.high
    assert fewer.high - fewer.low > usual.high - usual.low


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 1000), st.integers(5, 30))
def test_pairs_stay_pairs_and_the_seed_decides(seed: int, n: int) -> None:
    x, y = pairs(n, seed)
    drawn = bootstrap_interval(resampled_kendall, x, y, 30, seed=seed)
    assert drawn == bootstrap_interval(resampled_kendall, np.exp(x), 3 * y, 30, seed=seed)
    assert drawn == bootstrap_interval(resampled_kendall, y, x, 30, seed=seed)
    low, high = bootstrap_interval(resampled_kendall, x, -y, 30, seed=seed)
    assert (-high, -low) == pytest.approx(drawn)
    assert drawn != bootstrap_interval(mean_of_x, x, y, 30, seed=seed)


def test_resamples_without_a_value_are_left_out() -> None:
    assert bootstrap_interval(resampled_kendall, [1, 2], [1, 2], 50) == (1, 1)
    assert all(map(math.isnan, bootstrap_interval(resampled_kendall, [1, 1], [1, 2], 50)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"x": [1, 2, 3]}, "two vectors of one length >= 2"),
        ({"x": [1], "y": [1]}, "two vectors of one length >= 2"),
        ({"resamples": 0}, "resamples >= 1, got 0"),
        ({"level": 1}, "0 < level < 1, got 1"),
        ({"level": 95}, "0 < level < 1, got 95"),
    ],
)
def test_wrong_calls_are_refused(options: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {"x": [1, 2], "y": [1, 2], **options}
    with pytest.raises(UsageError, match=message):
        bootstrap_interval(mean_of_x, **arguments)  # type: ignore[arg-type]


def test_many_pairs_are_drawn_in_parts_of_which_nothing_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = pairs(30)
    whole = bootstrap_interval(resampled_kendall, x, y, 100)
    monkeypatch.setattr("lnas.stats.intervals._NUMBERS_AT_ONCE", 7 * 30)
    assert bootstrap_interval(resampled_kendall, x, y, 100) == whole
