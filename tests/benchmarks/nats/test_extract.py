from __future__ import annotations

import collections
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest
from scipy.stats import spearmanr

from lnas.benchmarks.accuracy_key import AccuracyKey
from lnas.benchmarks.nats.extract import read_extract
from lnas.errors import UsageError
from lnas.types import Arch

pytestmark = pytest.mark.data
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
SAMPLED = (0, 11, 284)


def key(text: str) -> AccuracyKey:
    return AccuracyKey.parse(text)


@pytest.fixture(scope="module")
def path(data_root):
    path = data_root / "nb201" / "nb201_accuracy.parquet"
    if not path.is_file():
        pytest.skip(f"no {path.name} in the data folder")
    return path


@pytest.fixture(scope="module")
def table(path):
    return read_extract(path)


@pytest.fixture(scope="module")
def columns(path):
    """The file itself, as arrays by name."""
    return {name: np.array(values) for name, values in pq.read_table(path).to_pydict().items()}


@pytest.fixture(scope="module")
def records(data_root):
    """The package's own reading of the official records: by index and length, then by dataset and seed."""
    from nats_bench import create

    folder = data_root / "nb201" / "official_samples" / "NATS-tss-v1_0-3ffb9-simple"
    if not folder.is_dir():
        pytest.skip("no official records in the data folder")
    package = create(str(folder), "tss", fast_mode=True, verbose=False)
    return {
        (index, epochs): package.query_by_index(index, hp=str(epochs)).all_results
        for index in SAMPLED
        for epochs in (12, 200)
    }


def by_seed(records, index, wanted):
    """Return each seed's accuracy in an official record."""
    runs = {seed: run for (dataset, seed), run in records[index, wanted.epochs].items() if dataset == wanted.dataset}
    part = {
        seed: run.get_train() if wanted.split == "train" else run.get_eval(wanted.split) for seed, run in runs.items()
    }
    return {seed: numbers["accuracy"] for seed, numbers in part.items()}


def test_every_cell_has_its_row(table):
    assert len(table) == 15_625
    assert len({*table.archs()}) == table.space.size
    assert table.card.name == "nats_tss"


def test_keys_are_all_there_is(table):
    keys = table.keys()
    assert len(keys) == len({*keys}) == 38
    assert collections.Counter((item.release, item.epochs) for item in keys) == {
        ("nats-1.0", 200): 18,
        ("nats-1.0", 12): 11,
        ("nas-bench-201-1.1", 200): 9,
    }
    single = {(item.dataset, item.split, item.epochs) for item in keys if type(item.seed) is int}
    assert single == {
        ("cifar10-valid", "x-valid", 200),
        ("cifar10", "ori-test", 200),
        ("cifar100", "ori-test", 200),
        ("ImageNet16-120", "ori-test", 200),
    }


def test_no_mean_is_made_of_single_seeds(table):
    for dataset in ("cifar100", "ImageNet16-120"):
        with pytest.raises(UsageError, match=rf"nats-1.0/{dataset}/ori-test@200/777"):
            table.table(key(f"nats-1.0/{dataset}/ori-test@200/mean"))


@pytest.mark.parametrize(
    ("text", "best"),
    [
        ("nats-1.0/cifar10/ori-test@200/mean", 94.37),
        ("nats-1.0/cifar10-valid/x-valid@200/mean", 91.61),
        ("nats-1.0/cifar100/x-valid@200/mean", 73.49),
        ("nats-1.0/cifar100/x-test@200/mean", 73.51),
        ("nats-1.0/ImageNet16-120/x-valid@200/mean", 46.73),
        ("nats-1.0/ImageNet16-120/x-test@200/mean", 47.31),
    ],
)
def test_the_best_accuracy_is_the_published_one(table, text, best):
    assert round(table.table(key(text)).accuracy.max(), 2) == best


@pytest.mark.parametrize("index", SAMPLED)
def test_means_and_seeds_are_those_of_the_official_records(table, records, index):
    arch = list(table.archs())[index]
    compared, keys = 0, table.keys()
    for wanted in keys:
        if wanted.release == "nats-1.0" and wanted.seed not in ("run-a", "run-b"):
            official = by_seed(records, index, wanted)
            expected = np.mean([*official.values()]) if wanted.seed == "mean" else official[wanted.seed]
            assert table.query(arch, wanted) == pytest.approx(expected, abs=1e-6)
            compared += 1
    assert compared == 25


@pytest.mark.parametrize(("index", "run_a", "run_b"), [(0, 777, 111), (11, 777, 111), (284, 111, 777)])
def test_runs_without_a_seed_are_those_of_the_official_records(table, records, index, run_a, run_b):
    arch = list(table.archs())[index]
    for split, run, seed in (
        ("x-valid", "run-a", run_a),
        ("x-valid", "run-b", run_b),
        ("ori-test", "run-a", run_a),
        ("train", "run-a", run_a),
    ):
        wanted = key(f"nats-1.0/cifar10-valid/{split}@12/{run}")
        assert table.query(arch, wanted) == pytest.approx(by_seed(records, index, wanted)[seed], abs=1e-6)


@pytest.mark.parametrize("index", SAMPLED)
def test_costs_are_those_of_the_official_records(table, records, index):
    arch = list(table.archs())[index]
    for wanted in table.seconds:
        for (dataset, _), run in records[index, wanted.epochs].items():
            if dataset == wanted.dataset:
                times = run.get_times()
                evaluation = 0 if wanted.split == "train" else times[f"T-{wanted.split}@epoch"]
                assert table.cost(arch, wanted) == pytest.approx(times["T-train@total"] + evaluation, rel=1e-6)


def test_costs_are_known_for_training_and_validation_of_one_release(table):
    assert {(item.release, item.split) for item in table.seconds} == {("nats-1.0", "train"), ("nats-1.0", "x-valid")}
    assert collections.Counter(item.epochs for item in table.seconds) == {12: 8, 200: 6}
    arch = next(table.archs())
    for text in (
        "nats-1.0/cifar10/ori-test@200/mean",
        "nats-1.0/cifar100/x-test@200/mean",
        "nas-bench-201-1.1/cifar10-valid/x-valid@200/mean",
    ):
        with pytest.raises(UsageError, match="no recorded time under"):
            table.cost(arch, key(text))


def test_counts_are_whole_and_those_of_the_official_records(table, records):
    assert set(table.counts) == {
        "recorded params/cifar10",
        *(f"{what}/{dataset}" for what in ("params", "flops") for dataset in ("cifar10", "cifar100", "ImageNet16-120")),
    }
    for index in SAMPLED:
        for (dataset, _), run in records[index, 200].items():
            if dataset != "cifar10-valid":
                assert table.counts[f"params/{dataset}"][index] == round(run.params * 1e6)
                assert table.counts[f"flops/{dataset}"][index] == round(run.flop * 1e6)
    assert all(values.dtype == np.int64 for values in table.counts.values())
    assert (table.counts["params/cifar10"] != table.counts["recorded params/cifar10"]).sum() == 150
    # The classifiers differ by 90 and by 110 more classes of 64 features and a bias.
    assert set(table.counts["params/cifar100"] - table.counts["params/cifar10"]) == {90 * 65}
    assert set(table.counts["params/ImageNet16-120"] - table.counts["params/cifar10"]) == {110 * 65}


@pytest.mark.parametrize("text", ["cifar10-valid/x-valid", "cifar10/ori-test", "cifar100/ori-test"])
def test_seed_999_was_not_run_for_7456_cells(table, text):
    wanted = key(f"nats-1.0/{text}@200/999")
    missing = np.isnan(table.table(wanted).accuracy)
    assert missing.sum() == 7456
    arch = list(table.archs())[missing.argmax()]
    with pytest.raises(UsageError, match=r"expected a seed it was trained with: .*777, 888, got 999"):
        table.query(arch, wanted)


def test_a_cost_is_that_of_a_training_that_was_run(table):
    wanted = key("nats-1.0/cifar10-valid/x-valid@200/999")
    column = table.table(wanted)
    assert np.array_equal(np.isnan(column.seconds), np.isnan(column.accuracy))


@pytest.mark.parametrize("text", ["cifar10-valid/x-valid", "cifar10/ori-test"])
def test_a_mean_is_that_of_its_seeds(table, text):
    seeds = [table.table(key(f"nats-1.0/{text}@200/{seed}")).accuracy for seed in (777, 888, 999)]
    assert table.table(key(f"nats-1.0/{text}@200/mean")).accuracy == pytest.approx(np.nanmean(seeds, axis=0), abs=1e-5)


def test_the_mean_after_12_epochs_is_that_of_both_runs(table):
    mean, one, other = (
        table.table(key(f"nats-1.0/cifar10-valid/x-valid@12/{seed}")).accuracy for seed in ("mean", "run-a", "run-b")
    )
    assert mean == pytest.approx((one + other) / 2)
    assert (one != other).sum() > 15_000


@pytest.mark.parametrize("dataset", ["cifar100", "ImageNet16-120"])
def test_the_original_test_is_both_of_its_halves(table, dataset):
    halves = [table.table(key(f"nats-1.0/{dataset}/{split}@200/mean")).accuracy for split in ("x-valid", "x-test")]
    seeds = [table.table(key(f"nats-1.0/{dataset}/ori-test@200/{seed}")).accuracy for seed in (777, 888, 999)]
    assert np.nanmean(seeds, axis=0) == pytest.approx(sum(halves) / 2, abs=1e-5)


def test_releases_differ(table):
    text = "cifar10-valid/x-valid@200/mean"
    newer, older = (table.table(key(f"{name}/{text}")).accuracy for name in ("nats-1.0", "nas-bench-201-1.1"))
    assert (abs(newer - older) > 1e-4).sum() == 2418


@pytest.mark.parametrize(
    ("dataset", "test", "expected"),
    [
        # Trained on half of CIFAR-10 both times; with a test of all of it, it would be 0.77.
        ("cifar10-valid", "nas-bench-201-1.1/cifar10-valid/ori-test", 0.81),
        ("cifar10-valid", "nats-1.0/cifar10/ori-test", 0.77),
        ("cifar100", "nats-1.0/cifar100/x-test", 0.82),
        ("ImageNet16-120", "nats-1.0/ImageNet16-120/x-test", 0.82),
    ],
)
def test_validation_after_12_epochs_ranks_cells_as_published(table, dataset, test, expected):
    early = table.table(key(f"nats-1.0/{dataset}/x-valid@12/mean")).accuracy
    late = table.table(key(f"{test}@200/mean")).accuracy
    assert round(spearmanr(early, late).statistic, 2) == expected


@pytest.mark.parametrize(
    ("sense", "column", "count"), [("isomorphic", "iso_class", 6466), ("functional", "func_class", 4930)]
)
def test_twins_are_averaged_over_the_published_classes(table, columns, sense, column, count):
    shared = table.averaged_over_twins(partial(table.space.canonical, sense=sense))
    for text in ("nats-1.0/cifar10/ori-test@200/mean", "nats-1.0/cifar10-valid/x-valid@200/999"):
        sums, known = {}, {}
        for number, value in zip(columns[column].tolist(), table.table(key(text)).accuracy.tolist(), strict=True):
            if value == value:
                sums[number] = sums.get(number, 0) + value
                known[number] = known.get(number, 0) + 1
        expected = [sums[number] / known[number] if number in sums else np.nan for number in columns[column].tolist()]
        assert shared.table(key(text)).accuracy == pytest.approx(expected, nan_ok=True)
    assert len({*columns[column].tolist()}) == count


def test_isomorphic_twins_differ_before_they_are_averaged(table):
    wanted = key("nats-1.0/cifar10/ori-test@200/mean")
    one, twin = Arch(table.space.name, (1, 0, 0, 3, 0, 0)), Arch(table.space.name, (1, 0, 0, 0, 3, 0))
    assert table.query(one, wanted) != table.query(twin, wanted)
    shared = table.averaged_over_twins()
    assert shared.query(one, wanted) == shared.query(twin, wanted)


def test_answers_come_at_once(table):
    rng, wanted = np.random.default_rng(0), table.keys()[0]
    archs = [table.space.sample(rng) for _ in range(1000)]

    def quickest(run):
        times = []
        for _ in range(5):
            start = time.process_time()
            run()
            times.append(time.process_time() - start)
        return min(times)

    assert quickest(lambda: table.queries(archs, wanted)) < 0.01
    assert quickest(lambda: table.table(wanted)) < 0.001


def test_loading_is_quick_and_small(path):
    measure = """
import sys, time
from pathlib import Path
import pyarrow.parquet
from lnas.benchmarks.nats.extract import read_extract

def resident():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmRSS")).split()[1]) / 1024

before = resident()
start = time.process_time()
table = read_extract(Path(sys.argv[1]))
print(time.process_time() - start, resident() - before)
"""
    if not sys.platform.startswith("linux"):
        pytest.skip("memory is read from /proc")
    done = subprocess.run([sys.executable, "-c", measure, str(path)], capture_output=True, text=True, check=True)
    seconds, megabytes = map(float, done.stdout.split())
    assert seconds < 0.3
    assert megabytes < 100


@pytest.fixture
def changed(path, tmp_path):
    """Write the file with some columns changed, or none."""

    def write(changes=None, without=(), rows=slice(None)):
        table = pq.read_table(path).drop_columns(list(without))
        for name, values in (changes or {}).items():
            table = table.set_column(table.column_names.index(name), name, pa.array(values))
        target = tmp_path / "changed.parquet"
        pq.write_table(table.take(np.arange(len(table))[rows]), target)
        return target

    return write


def assert_refused(path, words):
    with pytest.raises(UsageError) as caught:
        read_extract(path)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_file_written_again_reads_the_same(changed, table):
    again = read_extract(changed())
    assert again.keys() == table.keys()
    assert np.array_equal(again.table(table.keys()[3]).accuracy, table.table(table.keys()[3]).accuracy, equal_nan=True)


def test_a_file_without_a_column_is_refused(changed):
    assert_refused(changed(without=["in16_val12"]), "expected a column 'in16_val12', got 'index, arch_str, e01")


def test_rows_that_are_missing_are_counted(changed):
    assert_refused(changed(rows=slice(1000)), "expected 15,625 cells, got 1000")


def test_rows_in_another_order_are_refused(changed):
    assert_refused(changed(rows=slice(None, None, -1)), "expected index 0 in row 0, got 15624")


def test_a_notation_that_does_not_fit_its_genes_is_refused(changed, columns):
    shifted = np.roll(columns["arch_str"], 1)
    assert_refused(
        changed({"arch_str": shifted}), "expected the cell |avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+"
    )
    assert_refused(changed({"e01": columns["e02"], "e02": columns["e01"]}), "in row 0, got '|avg_pool_3x3~0|+|nor_")


def test_a_cell_that_stands_twice_is_refused(changed, columns):
    edges = {name: np.where(columns["index"] == 5, columns[name][4], columns[name]) for name in list(columns)[2:8]}
    assert_refused(changed(edges), "expected each architecture once, got 'rows 4 and 5'")


def test_a_mean_that_is_missing_is_refused(changed, columns):
    gap = np.where(columns["index"] == 70, np.nan, columns["c100_val200"])
    words = "nats-1.0/cifar100/x-valid@200/mean: expected a number in each mean, got 'NaN in row 70'"
    assert_refused(changed({"c100_val200": gap}), words)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_count_that_is_no_number_is_refused(changed, columns, value):
    gap = np.where(columns["index"] == 70, value, columns["flops_M_c100"])
    assert_refused(
        changed({"flops_M_c100": gap}), f"expected numbers in column 'flops_M_c100', got '{value} in row 70'"
    )


def test_genes_that_are_no_whole_numbers_are_refused(changed, columns):
    assert_refused(changed({"e03": columns["e03"].astype(float)}), "expected whole numbers as genes, got 'float64'")


def test_text_where_numbers_belong_is_refused(changed, columns):
    assert_refused(
        changed({"c100_val200": columns["arch_str"]}), "expected numbers in column 'c100_val200', got 'object'"
    )


@pytest.mark.parametrize("share", [0.3, 0.9, 0.9999])
def test_a_truncated_file_is_refused(path, tmp_path, share):
    whole = path.read_bytes()
    short = tmp_path / "short.parquet"
    short.write_bytes(whole[: int(share * len(whole))])
    assert_refused(short, "expected whole parquet, got")


def test_other_parquet_is_refused(tmp_path):
    pq.write_table(pa.table({"accuracy": [1.0]}), tmp_path / "other.parquet")
    assert_refused(tmp_path / "other.parquet", "expected a column 'index', got 'accuracy'")


def test_a_folder_is_refused(tmp_path):
    assert_refused(tmp_path, "expected a parquet file, got 'a folder'")
