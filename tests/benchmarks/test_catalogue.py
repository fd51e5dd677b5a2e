from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lnas.benchmarks import AccuracyKey, Benchmark, TabularBenchmark, load_benchmark
from lnas.benchmarks.agreement import seed_agreement
from lnas.benchmarks.catalogue import SHIPPED, SOURCES
from lnas.errors import UsageError
from lnas.spaces import DartsSpace, NatsTopologySpace

PATHS = {
    "nats_tss": "nb201/nb201_accuracy.parquet",
    "nasbench101": "nb101",
    "nasbench1shot1_1": "nb101",
    "nasbench301_yahpo": "nb301",
    "nasbench301_sample": "nb301/nb301_xgb_v1_1218.json",
}


@pytest.mark.data
@pytest.mark.parametrize("name", PATHS)
def test_a_name_and_a_path_give_that_benchmark(name: str, data_root: Path) -> None:
    benchmark = load_benchmark(name, data_root / PATHS[name])
    assert isinstance(benchmark, Benchmark)
    assert benchmark.card.name == name
    for text in (benchmark.card.what, benchmark.card.source, benchmark.card.licence, benchmark.card.checked):
        assert len(text) > 2
    assert benchmark.keys()


@pytest.mark.data
def test_the_official_folder_is_read_where_it_is_trusted_and_not_else(data_root: Path) -> None:
    folder = data_root / "nb201" / "official_samples" / "NATS-tss-v1_0-3ffb9-simple"
    assert load_benchmark("nats_tss", folder, trusted=True).card.name == "nats_tss"
    with pytest.raises(UsageError, match="lnas bench import nats"):
        load_benchmark("nats_tss", folder)


@pytest.mark.data
def test_a_table_called_by_another_name_is_refused(data_root: Path) -> None:
    folder = data_root / "nb201" / "official_samples" / "NATS-tss-v1_0-3ffb9-simple"
    with pytest.raises(UsageError, match="expected a table of 'nats_sss', got 'nats_tss'"):
        load_benchmark("nats_sss", folder, trusted=True)
    with pytest.raises(UsageError, match="expected a table of 'nats_tss', got 'digits'"):
        load_benchmark("nats_tss", SHIPPED["digits"])


@pytest.mark.parametrize("name", SOURCES)
def test_what_does_not_ship_says_what_path_to_give(name: str) -> None:
    with pytest.raises(UsageError) as caught:
        load_benchmark(name)
    assert SOURCES[name].files in str(caught.value)


@pytest.mark.parametrize("name", ["digit", "nats-tss", ""])
def test_unknown_names_list_the_known(name: str, tmp_path: Path) -> None:
    for path in (None, tmp_path):
        with pytest.raises(UsageError, match=f"unknown benchmark '{name}'.*Known: digits, nasbench101"):
            load_benchmark(name, path)


@pytest.mark.parametrize("path", [3, b"digits", ["here"]])
def test_a_path_that_is_none_is_refused(path: Any) -> None:
    with pytest.raises(UsageError, match=r"load_benchmark\(path=\.\.\.\): expected a path, got"):
        load_benchmark("nats_tss", path)


def test_a_path_that_the_system_refuses_is_one_line() -> None:
    with pytest.raises(UsageError, match="expected a path that can be read, got 'File name too long'"):
        load_benchmark("nats_tss", "a" * 5000)


def test_a_shipped_name_is_not_unknown_where_its_path_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a parquet file, got 'a folder'"):
        load_benchmark("digits", tmp_path)


def test_a_name_of_ones_own_says_what_its_file_must_be(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a,b")
    with pytest.raises(UsageError, match="One of your own is a table that `lnas bench build` or `import` wrote"):
        load_benchmark("mine", tmp_path / "mine.csv")


def test_a_space_is_for_tables_of_ones_own(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a table of space 'darts', got 'nats_topology'"):
        load_benchmark("digits", space=DartsSpace())
    with pytest.raises(UsageError, match=r"expected no space, since it has its own, got .* Leave `space` out"):
        load_benchmark("nasbench101", tmp_path, space=DartsSpace())


@pytest.mark.parametrize("name", ["nasbench101", "nasbench1shot1_1", "nasbench301_yahpo", "nasbench301"])
def test_a_file_in_place_of_its_folder_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "file.npz").touch()
    with pytest.raises(UsageError, match=r"file\.npz': expected (the|a) folder.*, got 'a file'"):
        load_benchmark(name, tmp_path / "file.npz")


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("content", ["empty folder", "empty file", "text", "no file"])
def test_a_path_that_is_not_what_it_says_is_one_line(name: str, content: str, tmp_path: Path) -> None:
    path = tmp_path / "here"
    if content == "empty folder":
        path.mkdir()
    elif content != "no file":
        path.write_text("" if content == "empty file" else "hello")
    with pytest.raises(UsageError) as caught:
        load_benchmark(name, path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_trust_is_asked_for_by_name_only() -> None:
    assert inspect.signature(load_benchmark).parameters["trusted"].kind is inspect.Parameter.KEYWORD_ONLY


def test_digits_ship() -> None:
    digits = load_benchmark("digits")
    assert isinstance(digits, TabularBenchmark)
    assert isinstance(digits.space, NatsTopologySpace)
    seeds = [~np.isnan(digits.table(AccuracyKey.parse(f"digits-1.0/digits/test@8/{n}")).accuracy) for n in range(3)]
    assert [int(known.sum()) for known in seeds] == [len(digits), 200, 200]
    assert len(digits) >= 1500
    assert seed_agreement(digits, digits.keys()[-1]).tau > 0.4
    assert SHIPPED["digits"].stat().st_size < 1_000_000
