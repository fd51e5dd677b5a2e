from __future__ import annotations

import numpy as np
import pytest

from lnas.benchmarks import AccuracyKey, Card, TabularBenchmark
from lnas.benchmarks.agreement import seed_agreement
from lnas.errors import UsageError
from lnas.spaces import NatsTopologySpace

KEY = AccuracyKey("mine-1.0", "digits", "test", 2, "mean")
CARD = Card("mine", "", "", "", "")


def table(*columns: list[float]) -> TabularBenchmark:
    genes = np.eye(6, dtype=np.int8)[: len(columns[0])]
    accuracies = {AccuracyKey("mine-1.0", "digits", "test", 2, n): np.array(each) for n, each in enumerate(columns)}
    return TabularBenchmark(CARD, NatsTopologySpace(), genes, accuracies)


def test_by_hand() -> None:
    agreement = seed_agreement(table([10, 20, 30], [11, 19, 31], [30, 20, 10]), KEY)
    assert agreement.tau == pytest.approx((1 - 1 - 1) / 3)
    assert agreement.seeds == 3
    assert agreement.architectures == 3


def test_deviation_is_that_of_one_training() -> None:
    rng = np.random.default_rng(0)
    genes = np.array([[i % 5, i // 5 % 5, i // 25 % 5, i // 125, 0, 0] for i in range(600)], dtype=np.int8)
    noise = rng.normal(50, 3, (2, 600))
    accuracies = {AccuracyKey("mine-1.0", "digits", "test", 2, n): noise[n] for n in range(2)}
    agreement = seed_agreement(TabularBenchmark(CARD, NatsTopologySpace(), genes, accuracies), KEY)
    assert agreement.deviation == pytest.approx(3, rel=0.1)


def test_only_architectures_that_both_seeds_have_count() -> None:
    agreement = seed_agreement(table([10, 20, 30, 40], [11, np.nan, 31, 41]), KEY)
    assert agreement.tau == 1
    assert agreement.architectures == 3


@pytest.mark.parametrize("columns", [([10, 20],), ([10, np.nan], [np.nan, 20])])
def test_too_few_seeds(columns: tuple[list[float], ...]) -> None:
    with pytest.raises(UsageError, match="two seeds that share architectures"):
        seed_agreement(table(*columns), KEY)
