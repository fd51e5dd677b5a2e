from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from lnas.benchmarks import MEAN, AccuracyKey, TabularBenchmark, read_table, write_table
from lnas.data import DigitsData
from lnas.pipeline.bench.table import Training, assemble_table
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch, Estimate

SPACE = NatsTopologySpace()
CONVOLUTION, POOLING, NOTHING = (Arch(SPACE.name, (0, 0, 0, op, 0, 0)) for op in (3, 4, 0))


def training(arch: Arch, seed: int, test: float, seconds: float = 1.0) -> Training:
    curves = {"val_acc": [0.2, 0.5], "val_loss": [2.0, None], "train_loss": [1.5, 1.0]}
    estimates = {"params": Estimate(100.0 + arch.genes[3]), "macs": Estimate(7.0)}
    for split, value in (("train", 1.0), ("val", 0.5), ("test", test)):
        estimates[f"{split}_acc"] = Estimate.of(value, seconds, {"curves": curves} if split == "val" else {})
    return Training(arch, seed, estimates)


@pytest.fixture
def table() -> TabularBenchmark:
    trainings = [
        training(POOLING, 0, 0.25),
        training(CONVOLUTION, 0, 0.5, seconds=1.0),
        training(CONVOLUTION, 1, 0.75, seconds=3.0),
        training(NOTHING, 0, math.nan),
    ]
    return assemble_table("mine", "1.0", SPACE, "functional", DigitsData(), 2, trainings, "CC BY 4.0", {"seed": 0})


def key(split: str, seed: int | str) -> AccuracyKey:
    return AccuracyKey("mine-1.0", "digits", split, 2, seed)


def test_accuracies_are_percent_and_means_are_over_the_seeds_there_are(table: TabularBenchmark) -> None:
    assert [str(each) for each in table.keys()] == [
        f"mine-1.0/digits/{split}@2/{seed}" for split in ("train", "val", "test") for seed in (0, 1, MEAN)
    ]
    assert table.query(CONVOLUTION, key("test", MEAN)) == 62.5
    assert table.query(POOLING, key("test", MEAN)) == 25
    assert table.cost(CONVOLUTION, key("test", MEAN)) == 2


def test_accuracies_do_not_show_the_last_digits_of_single_precision() -> None:
    trainings = [training(POOLING, 0, float(np.float32(0.085)))]
    table = assemble_table("mine", "1.0", SPACE, "functional", DigitsData(), 2, trainings, "CC BY 4.0", {})
    assert table.query(POOLING, key("test", 0)) == 8.5


def test_a_training_without_an_accuracy_is_left_out_and_counted(table: TabularBenchmark) -> None:
    assert len(table) == 2
    assert "3 trainings gave accuracies (1 row with 2 seeds, 1 row with 1 seed), 1 did not." in table.card.what


def test_a_seed_that_was_not_trained_is_said(table: TabularBenchmark) -> None:
    with pytest.raises(ValueError, match="a seed it was trained with: 0, mean, got 1"):
        table.query(POOLING, key("test", 1))


def test_curves_keep_what_is_not_finite_as_nan(table: TabularBenchmark) -> None:
    np.testing.assert_allclose(table.curve(CONVOLUTION, key("val", 0), "accuracy"), [20, 50])
    np.testing.assert_allclose(table.curve(CONVOLUTION, key("val", 0), "loss"), [2, np.nan])
    np.testing.assert_allclose(table.curve(POOLING, key("train", 0), "loss"), [1.5, 1])


def test_counts_are_each_architectures_own(table: TabularBenchmark) -> None:
    assert table.counts["params"][table.row(CONVOLUTION)] == 103
    assert table.counts["params"][table.row(POOLING)] == 104


def test_rows_stand_for_functional_classes_before_and_after_writing(table: TabularBenchmark, tmp_path: Any) -> None:
    twin = Arch(SPACE.name, (0, 0, 1, 3, 0, 1))  # a node without inputs is passed on
    assert SPACE.canonical(twin) != SPACE.canonical(CONVOLUTION)
    file = tmp_path / "mine.parquet"
    file.write_bytes(write_table(table, "functional"))
    for each in (table, read_table(file)):
        assert each.query(twin, key("test", MEAN)) == 62.5
