from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from lnas.benchmarks import AccuracyKey, Card, TabularBenchmark, write_table
from lnas.errors import UsageError
from lnas.pipeline.truth import Truth, compare
from lnas.report import Agreement, TruthComparison
from lnas.spaces import Decision, NatsSizeSpace, NatsTopologySpace, ProductSpace
from lnas.stats import rank_sum
from lnas.types import Arch, Estimate, Trial

KEY = "digits-1.0/digits/test@8/mean"
SPACE = NatsTopologySpace()


def trials(*values: tuple[float, float]) -> list[Trial]:
    return [
        Trial(Arch("tiny", (n,)), {"loss": Estimate.of(loss), "params": Estimate.of(params)})
        for n, (loss, params) in enumerate(values)
    ]


def ranking(*values: tuple[float, float]):  # type: ignore[no-untyped-def]
    return rank_sum("loss+params", trials(*values), {"loss": False, "params": True})


def test_a_measure_that_is_right_has_a_positive_tau_whatever_its_direction() -> None:
    comparison = compare(KEY, [90, 80, 70], ranking((0.1, 3), (0.2, 2), (0.3, 1)))
    assert comparison.agreements == [Agreement("sum of ranks", 1), Agreement("loss", 1), Agreement("params", 1)]
    assert str(comparison) == (
        f"Kendall's tau with {KEY} over 3 candidates: sum of ranks +1.00, loss +1.00, params +1.00."
    )


def test_candidates_without_a_number_or_a_truth_do_not_count() -> None:
    comparison = compare(KEY, [90, None, 70, 60], ranking((0.1, 1), (0.2, 2), (math.nan, 3), (0.3, 4)))
    assert comparison.candidates == 2
    assert comparison.agreements == [
        Agreement("sum of ranks", pytest.approx(comparison.agreements[0].tau, nan_ok=True)),
        Agreement("loss", 1),
        Agreement("params", -1),
    ]


@pytest.mark.parametrize(
    ("truth", "words"), [([None, None, 5], "holds 1 of the candidates, too few"), ([5, 5, 5], "loss undefined")]
)
def test_what_cannot_be_compared_is_said(truth: list[float | None], words: str) -> None:
    assert words in str(compare(KEY, truth, ranking((0.1, 1), (0.2, 2), (0.3, 4))))


def test_accuracies_are_the_benchmarks_and_none_where_it_has_none() -> None:
    truth = Truth("digits", KEY)
    arch = SPACE.sample(np.random.default_rng(0))
    outside = Arch("nats_topology", (9, 9, 9, 9, 9, 9))
    found = truth.accuracies([arch, outside], SPACE)
    assert found[0] is None or 0 <= found[0] <= 100
    assert found[1] is None


def test_wrong_key_and_wrong_space_are_refused() -> None:
    Truth("digits", KEY).require(SPACE)
    with pytest.raises(UsageError, match=r"has no accuracies under 'digits-1\.0/digits/test@9/mean'"):
        Truth("digits", "digits-1.0/digits/test@9/mean").require(SPACE)
    with pytest.raises(UsageError, match="expected a benchmark of 'nats_size', got 'nats_topology'"):
        Truth("digits", KEY).require(NatsSizeSpace())


def test_a_space_of_ones_own_is_what_its_table_is_read_with(tmp_path: Path) -> None:
    space = OwnSpace()
    card = Card("mine", "", "", "", "")
    key = AccuracyKey("mine-1.0", "digits", "test", 1, 0)
    file = tmp_path / "mine.parquet"
    file.write_bytes(write_table(TabularBenchmark(card, space, np.array([[0], [1]]), {key: np.array([10.0, 20.0])})))
    truth = Truth("mine", str(key), str(file))
    truth.require(space)
    assert truth.accuracies([Arch("own", (1,)), Arch("own", (0,))], space) == [20, 10]


def test_curves_of_a_mean_are_those_of_its_trainings(tmp_path: Path) -> None:
    mean, first, second = (AccuracyKey("mine-1.0", "digits", "test", 2, seed) for seed in ("mean", 0, 1))
    numbers = np.array([30.0, 40.0])
    curves = {
        (first, "accuracy"): np.array([[10.0, 30.0], [20.0, 40.0]]),
        (second, "accuracy"): np.array([[15.0, 30.0], [np.nan, np.nan]]),
        (second, "loss"): np.array([[2.0, 1.0], [2.0, 1.0]]),
    }
    table = TabularBenchmark(
        Card("mine", "", "", "", ""),
        OwnSpace(),
        np.array([[0], [1]]),
        dict.fromkeys((mean, first), numbers),
        None,
        curves,
    )
    file = tmp_path / "mine.parquet"
    file.write_bytes(write_table(table))
    truth = Truth("mine", str(mean), str(file))
    assert {key: values.tolist() for key, values in truth.curves(Arch("own", (0,)), OwnSpace()).items()} == {
        str(first): [10, 30],
        str(second): [15, 30],
    }
    assert list(truth.curves(Arch("own", (1,)), OwnSpace())) == [str(first)]
    assert list(Truth("mine", str(first), str(file)).curves(Arch("own", (0,)), OwnSpace())) == [str(first)]
    assert Truth("digits", KEY).curves(SPACE.sample(np.random.default_rng(0)), SPACE) == {}


class OwnSpace(ProductSpace):
    name = "own"
    decisions = (Decision("width", ("8", "16")),)


def test_text_of_a_comparison_with_nothing_in_common() -> None:
    assert str(TruthComparison(KEY, [], 0)) == f"{KEY}: the benchmark holds 0 of the candidates, too few to compare."
