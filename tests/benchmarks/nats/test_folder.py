from __future__ import annotations

import bz2
import itertools
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lnas.benchmarks.accuracy_key import AccuracyKey
from lnas.benchmarks.nats.folder import look_into, read_folder, read_records
from lnas.benchmarks.nats.package import open_package
from lnas.benchmarks.nats.pickles import load_plain
from lnas.benchmarks.parquet import read_columns
from lnas.benchmarks.table_file import read_table, write_table
from lnas.errors import UsageError
from lnas.spaces import NatsSizeSpace, NatsTopologySpace

FOLDERS = {"nats_tss": "NATS-tss-v1_0-3ffb9-simple", "nats_sss": "NATS-sss-v1_0-50262-simple"}
HPS = {"nats_tss": ("12", "200"), "nats_sss": ("01", "12", "90")}
INDICES = (0, 11, 284)
SIZES = [NatsSizeSpace().format(arch) for arch in NatsSizeSpace().classes()]


def save(file: Path, value) -> None:
    file.write_bytes(bz2.compress(pickle.dumps(value, protocol=4)))


def load(file: Path):
    return load_plain(file.read_bytes(), str(file))


def meta_in(folder: Path, archs) -> Path:
    """Write a list of architectures into a folder, and a record that is never reached."""
    save(folder / "meta.pickle.pbz2", {"meta_archs": archs})
    (folder / "000000.pickle.pbz2").touch()
    return folder


@pytest.fixture(scope="module")
def samples(data_root):
    """The official folders with three records each, by the name of the benchmark."""
    root = data_root / "nb201" / "official_samples"
    if not root.is_dir():
        pytest.skip(f"no {root.name} in the data folder")
    return {name: root / folder for name, folder in FOLDERS.items()}


@pytest.fixture(scope="module")
def contents(samples):
    return {name: look_into(path) for name, path in samples.items()}


@pytest.fixture(scope="module")
def tables(contents):
    """The tables, with their learning curves."""
    return {name: read_records(found, curves="all") for name, found in contents.items()}


@pytest.fixture
def copied(samples, contents, tmp_path):
    """A copy of the official size folder, to be damaged."""
    path = shutil.copytree(samples["nats_sss"], tmp_path / "nats", copy_function=shutil.copyfile)
    return replace(contents["nats_sss"], path=Path(path))


def key(text: str) -> AccuracyKey:
    return AccuracyKey.parse(f"nats-1.0/{text}")


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "space", "keys"), [("nats_tss", NatsTopologySpace(), 81), ("nats_sss", NatsSizeSpace(), 104)]
)
def test_a_folder_is_known_by_its_architectures(samples, tables, tmp_path, name, space, keys):
    (tmp_path / "misnamed").symlink_to(samples[name])
    assert look_into(tmp_path / "misnamed").name == name
    assert tables[name].card.name == name
    assert type(tables[name].space) is type(space)
    assert len(tables[name].keys()) == len(tables[name].seconds) == keys
    assert tables[name].card.made == f"Read from 3 of {space.size:,} official records."


@pytest.mark.data
@pytest.mark.parametrize(("name", "count"), [("nats_tss", 243), ("nats_sss", 312)])
def test_every_accuracy_and_cost_is_the_one_that_the_package_answers(samples, tables, name, count):
    ours, theirs = tables[name], open_package(samples[name], trusted=True)
    assert {*ours.keys()} == {*theirs.keys()}
    pairs = list(itertools.product(ours.archs(), ours.keys()))
    assert len(pairs) == count
    for arch, which in pairs:
        assert ours.query(arch, which) == pytest.approx(theirs.query(arch, which), rel=1e-14)
        assert ours.cost(arch, which) == pytest.approx(theirs.cost(arch, which), rel=1e-14)


@pytest.mark.data
@pytest.mark.parametrize("name", FOLDERS)
def test_sizes_are_those_that_the_package_answers(samples, tables, name):
    import nats_bench

    api = nats_bench.create(str(samples[name]), name.removeprefix("nats_"), fast_mode=True, verbose=False)
    assert len(tables[name].counts) == 8
    for row, index in enumerate(INDICES):
        for dataset in ("cifar10-valid", "cifar10", "cifar100", "ImageNet16-120"):
            info = api.get_cost_info(index, dataset, "12")
            assert tables[name].counts[f"params/{dataset}"][row] == pytest.approx(info["params"] * 1e6, abs=1e-6)
            assert tables[name].counts[f"flops/{dataset}"][row] == pytest.approx(info["flops"] * 1e6, abs=1e-6)


@pytest.mark.data
@pytest.mark.parametrize("name", FOLDERS)
def test_curves_are_those_of_the_package(samples, tables, name):
    import nats_bench

    api = nats_bench.create(str(samples[name]), name.removeprefix("nats_"), fast_mode=True, verbose=False)
    seen = 0
    for row, index in enumerate(INDICES):
        trainings = {hp: api.query_by_index(index, hp=hp).all_results for hp in HPS[name]}
        for (which, quantity), curve in tables[name].curves.items():
            training = trainings[f"{which.epochs:02d}"][which.dataset, which.seed]
            for epoch in {0, which.epochs // 2, which.epochs - 1}:
                found = training.get_train(epoch) if which.split == "train" else training.get_eval(which.split, epoch)
                assert curve[row, epoch] == pytest.approx(found[quantity], rel=1e-6)
                seen += 1
    assert {which.epochs for which, _ in tables[name].curves} == {int(hp) for hp in HPS[name]}
    assert all(curve.shape == (3, which.epochs) for (which, _), curve in tables[name].curves.items())
    assert (len(tables[name].curves), seen) == {"nats_tss": (80, 720), "nats_sss": (130, 1014)}[name]


@pytest.mark.data
@pytest.mark.parametrize("name", FOLDERS)
def test_a_mean_is_over_the_seeds_there_are(tables, name):
    table = tables[name]
    keys = table.keys()
    for mean in [which for which in keys if which.seed == "mean"]:
        seeds = [which for which in keys if which != mean and replace(which, seed="mean") == mean]
        assert len(seeds) in (1, 2, 3)
        columns = [table.table(which) for which in seeds]
        np.testing.assert_allclose(
            table.table(mean).accuracy, np.mean([column.accuracy for column in columns], axis=0), rtol=1e-14
        )
        np.testing.assert_allclose(
            table.table(mean).seconds, np.mean([column.seconds for column in columns], axis=0), rtol=1e-14
        )


@pytest.fixture(scope="module")
def extract(data_root):
    """The rows of the published table for the sampled cells."""
    path = data_root / "nb201" / "nb201_accuracy.parquet"
    if not path.is_file():
        pytest.skip(f"no {path.name} in the data folder")
    return {name: values[list(INDICES)] for name, values in read_columns(path).items()}


SHORT = {"cifar10-valid": "c10v", "cifar10": "c10", "cifar100": "c100", "ImageNet16-120": "in16"}
SPLITS = {"train": "train", "x-valid": "val", "x-test": "test", "ori-test": "valtest"}
HALVED = ("cifar100", "ImageNet16-120")
MEANS = {
    **{
        f"{dataset}/{split}@{epochs}/mean": f"{SHORT[dataset]}_{SPLITS[split]}{epochs}"
        for dataset in HALVED
        for split, epochs in [("x-valid", 200), ("x-test", 200), ("train", 12), ("x-valid", 12), ("x-test", 12)]
    },
    "cifar10-valid/x-valid@200/mean": "c10v_val200",
    "cifar10-valid/x-valid@12/mean": "c10v_val12",
    "cifar10/ori-test@200/mean": "c10_test200",
}
ONE_SEED = {
    f"{which}/{seed}": f"{column}_s{seed}"
    for which, column in [
        ("cifar10-valid/x-valid@200", "c10v_val200"),
        ("cifar10/ori-test@200", "c10_test200"),
        ("cifar100/ori-test@200", "c100_valtest200"),
        ("ImageNet16-120/ori-test@200", "in16_valtest200"),
    ]
    for seed in (777, 888, 999)
}
OLDER = {
    f"{dataset}/{split}@200/mean": f"nb201v11_{SHORT[dataset]}_{column}200"
    for dataset in ("cifar10-valid", *HALVED)
    for split, column in [
        ("train", "train"),
        ("x-valid", "val"),
        ("ori-test" if dataset == "cifar10-valid" else "x-test", "test"),
    ]
}
ROUNDED = 6e-7
"""The published table has six decimals."""


@pytest.mark.data
@pytest.mark.parametrize(("columns", "count"), [(MEANS, 13), (ONE_SEED, 12), (OLDER, 9)])
def test_accuracies_are_those_of_the_published_table(tables, extract, columns, count):
    assert len(columns) == count
    for text, column in columns.items():
        np.testing.assert_allclose(tables["nats_tss"].table(key(text)).accuracy, extract[column], atol=ROUNDED, rtol=0)


@pytest.mark.data
def test_which_of_the_two_short_runs_is_which_varies_by_cell(tables, extract):
    """The published table does not say; by the records, run `a` is seed 777, 777 and 111 in these three cells."""
    for column, split in (("val", "x-valid"), ("test", "ori-test"), ("train", "train")):
        of_111, of_777 = (tables["nats_tss"].table(key(f"cifar10-valid/{split}@12/{seed}")) for seed in (111, 777))
        run_a = [of_777.accuracy[0], of_777.accuracy[1], of_111.accuracy[2]]
        np.testing.assert_allclose(run_a, extract[f"c10v_{column}12_a"], atol=ROUNDED, rtol=0)
    run_b = [of_111.accuracy[0], of_111.accuracy[1], of_777.accuracy[2]]
    assert run_b != run_a


@pytest.mark.data
@pytest.mark.parametrize("dataset", ["cifar10-valid", *HALVED])
@pytest.mark.parametrize("epochs", [12, 200])
def test_costs_are_those_of_the_published_table(tables, extract, dataset, epochs):
    training = extract[f"{SHORT[dataset]}_train_time{epochs}_s"]
    evaluation = extract[f"{SHORT[dataset]}_val_time_per_eval_s"]
    seconds = tables["nats_tss"].seconds
    np.testing.assert_allclose(seconds[key(f"{dataset}/train@{epochs}/mean")], training, atol=ROUNDED, rtol=0)
    found = seconds[key(f"{dataset}/x-valid@{epochs}/mean")]
    np.testing.assert_allclose(found, training + evaluation, atol=2 * ROUNDED, rtol=0)


@pytest.mark.data
@pytest.mark.parametrize("dataset", ["cifar10", *HALVED])
@pytest.mark.parametrize("count", ["params", "flops"])
def test_sizes_are_those_of_the_published_table(tables, extract, dataset, count):
    found = tables["nats_tss"].counts[f"{count}/{dataset}"]
    assert found.tolist() == np.rint(extract[f"{count}_M_{SHORT[dataset]}"] * 1e6).tolist()


@pytest.mark.data
@pytest.mark.parametrize("name", FOLDERS)
def test_a_table_survives_its_file(tables, tmp_path, name):
    table, keys = tables[name], tables[name].keys()
    (tmp_path / "table.parquet").write_bytes(write_table(table))
    again = read_table(tmp_path / "table.parquet")
    assert again.card == table.card
    assert list(again.archs()) == list(table.archs())
    assert again.keys() == keys
    for which in keys:
        np.testing.assert_array_equal(again.table(which).accuracy, table.table(which).accuracy)
    for ours, theirs in ((table.seconds, again.seconds), (table.curves, again.curves), (table.counts, again.counts)):
        assert {*ours} == {*theirs}
        for which in ours:
            np.testing.assert_array_equal(ours[which], theirs[which])


@pytest.mark.data
def test_progress_counts_the_records(contents):
    seen = []
    read_records(contents["nats_sss"], on_record=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.data
def test_a_folder_with_other_records_has_other_rows_and_no_curves_unless_asked(copied):
    copied.record(11).unlink()
    table = read_folder(copied.path)
    assert [str(arch) for arch in table.archs()] == ["nats_size:0-0-0-0-0", "nats_size:0-0-4-3-4"]
    assert table.curves == {}


@pytest.mark.data
def test_a_seed_that_was_not_run_is_nan_and_left_out_of_the_mean(copied):
    record = load(copied.record(11))
    record["12"]["dataset_seed"]["cifar100"].remove(888)
    del record["12"]["all_results"]["cifar100", 888]
    save(copied.record(11), record)
    table = read_records(copied)
    mean, *seeds = (table.table(key(f"cifar100/x-test@12/{seed}")).accuracy for seed in ("mean", 777, 888, 999))
    assert np.isnan(seeds).tolist() == [[False] * 3, [False, True, False], [False] * 3]
    assert mean[1] == (seeds[0][1] + seeds[2][1]) / 2
    with pytest.raises(UsageError, match=r"expected a seed it was trained with: mean, 777, 999, got 888"):
        table.query(table.space.parse("8:8:8:16:32"), key("cifar100/x-test@12/888"))


def without_the_longest_training(record: dict) -> None:
    del record["90"]


def of_another_cell(record: dict) -> None:
    record["01"]["arch_str"] = "8:8:8:8:8"


def of_another_index(record: dict) -> None:
    record["01"]["arch_index"] = 12


@pytest.mark.data
@pytest.mark.parametrize(
    ("index", "change", "complained"),
    [
        (11, of_another_index, "000011.pickle.pbz2', 01, arch_index: expected 11, got 12."),
        (11, of_another_cell, "000011.pickle.pbz2', 01, arch_str: expected '8:8:8:16:32', got '8:8:8:8:8'."),
        (11, without_the_longest_training, "000011.pickle.pbz2': expected what the other records have, got 'nats-1.0/"),
        (0, without_the_longest_training, "000011.pickle.pbz2': expected what the other records have, got 'nats-1.0/"),
    ],
)
def test_a_record_that_is_not_what_it_says_is_one_clear_error(copied, index, change, complained):
    record = load(copied.record(index))
    change(record)
    save(copied.record(index), record)
    with pytest.raises(UsageError) as caught:
        read_records(copied)
    assert complained in str(caught.value)
    assert "\n" not in str(caught.value)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-40])


def enlarge(file: Path) -> None:
    with file.open("r+b") as stream:
        stream.truncate(2**27)


def arm(file: Path) -> None:
    file.write_bytes(bz2.compress(b"\x80\x04\x8c\x05posix\x8c\x06system\x93."))


@pytest.mark.data
@pytest.mark.parametrize(
    ("damage", "complained"),
    [
        (cut, "000011.pickle.pbz2': expected whole bz2, got '34,446 bytes that end early'."),
        (enlarge, "000011.pickle.pbz2': expected at most 67,108,864 bytes, got 134217728."),
        (arm, "000011.pickle.pbz2': expected numbers, texts and containers only, got 'the name posix.system'."),
    ],
)
def test_a_damaged_file_is_one_clear_error(copied, damage, complained):
    damage(copied.record(11))
    with pytest.raises(UsageError) as caught:
        read_records(copied)
    assert complained in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.data
def test_a_record_under_another_number_is_one_clear_error(copied):
    copied.record(11).rename(copied.record(12))
    with pytest.raises(UsageError, match=r"000012.pickle.pbz2', 01, arch_index: expected 12, got 11"):
        read_folder(copied.path)


OPS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


def cell(ops) -> str:
    """The notation of a cell, written by hand."""
    a, b, c, d, e, f = ops
    return f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|"


@pytest.mark.parametrize(
    ("archs", "complained"),
    [
        ([], "expected a dict with the list 'meta_archs', got 'dict'."),
        ([8], "expected a dict with the list 'meta_archs'"),
        ("8:8:8:8:8", "expected a dict with the list 'meta_archs'"),
        (["8:8:8:8:9"], "NatsSizeSpace.parse('8:8:8:8:9'): expected width of cell 3 of 8, 16"),
        (["|none~0|"], "NatsTopologySpace.parse('|none~0|'): expected three nodes"),
        (SIZES[:10], "expected all 32,768 architectures of 'nats_size', each once, got '10 of them among 10'."),
        ([*SIZES[1:], SIZES[1]], "each once, got '32,767 of them among 32,768'."),
        ([cell(OPS[:5] + OPS[:1]), "8:8:8:8:8"], "NatsTopologySpace.parse('8:8:8:8:8')"),
    ],
)
def test_a_list_of_architectures_that_is_none_is_one_clear_error(tmp_path, archs, complained):
    with pytest.raises(UsageError) as caught:
        look_into(meta_in(tmp_path, archs))
    assert str(caught.value).startswith(f"NATS-Bench file '{tmp_path}/meta.pickle.pbz2': ")
    assert complained in str(caught.value)


def test_a_record_of_no_architecture_is_named(tmp_path):
    (tmp_path / "032768.pickle.pbz2").touch()
    with pytest.raises(UsageError, match=r"expected records 0..32767, got 32768. Is it a folder of another space\?"):
        look_into(meta_in(tmp_path, SIZES))


def test_what_is_no_official_folder_is_named(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "without records").mkdir()
    (tmp_path / "without records" / "meta.pickle.pbz2").touch()
    (tmp_path / "without records" / "0.pickle.pbz2").touch()
    for path, complained in [
        (tmp_path / "without records", "records such as 000000.pickle.pbz2 in it, got 'none'. Example"),
        (tmp_path / "missing", "expected the folder with one file per architecture, got 'nothing there'"),
        (tmp_path / "file", "expected the folder with one file per architecture, got 'a file'"),
        (tmp_path, "expected meta.pickle.pbz2 in it, got 'none'"),
    ]:
        with pytest.raises(UsageError) as caught:
            look_into(path)
        assert complained in str(caught.value)
