from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.benchmarks import Scores, load_scores
from lnas.errors import UsageError
from lnas.types import Arch

SCORES = Scores(
    (Arch("nats_topology", (3, 1, 2, 0, 4, 3)), Arch("my: space", (7,))),
    {"params": np.array([1234567.0, np.nan]), "synflow": np.array([0.1 + 0.2, 1e65])},
    ('|a~0|+"b, c"', ""),
    ("", "params failed"),
)


def written(scores: Scores, folder: Path) -> list[Path]:
    files = [folder / "scores.parquet", folder / "scores.csv"]
    files[0].write_bytes(scores.to_parquet())
    files[1].write_bytes(scores.to_csv())
    return files


def assert_same(scores: Scores, other: Scores) -> None:
    for field in ("archs", "names", "notations", "problems"):
        assert getattr(scores, field) == getattr(other, field)
    for name in scores.names:
        np.testing.assert_array_equal(scores.columns[name], other.columns[name])
        assert other.columns[name].dtype == np.float64


def test_both_files_are_read_as_they_were_written(tmp_path: Path) -> None:
    for file in written(SCORES, tmp_path):
        assert_same(SCORES, load_scores(file))
        assert_same(SCORES, load_scores(str(file)))


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(allow_nan=True, allow_infinity=False), max_size=5), st.text("ab,\"'\n ", max_size=4))
def test_every_bit_of_numbers_and_texts_survives(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], text: str
) -> None:
    archs = tuple(Arch("tiny", (number,)) for number in range(len(values)))
    scores = Scores(archs, {"snip": np.array(values)}, (text,) * len(values))
    for file in written(scores, tmp_path_factory.mktemp("scores")):
        read = load_scores(file)
        assert [value.hex() for value in read.columns["snip"]] == [float(value).hex() for value in values]
        assert read.notations == scores.notations


def test_a_missing_number_is_null_or_empty_and_no_stand_in(tmp_path: Path) -> None:
    parquet, csv = written(SCORES, tmp_path)
    assert pq.read_table(parquet).column("params").to_pylist() == [1234567.0, None]
    assert csv.read_text().splitlines()[2] == "my: space:7,,params failed,,1e+65"


def test_a_file_of_others_needs_no_more_than_arch_and_numbers(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("\ufeffmine,arch\n1,nats_size:1-2-3-4-5\n,nats_size:0-0-0-0-0\n")
    scores = load_scores(tmp_path / "own.csv")
    assert scores.names == ("mine",)
    assert scores.archs[1] == Arch("nats_size", (0, 0, 0, 0, 0))
    np.testing.assert_array_equal(scores.columns["mine"], [1, np.nan])
    pq.write_table(pa.table({"arch": ["nats_size:1"], "hits": [3]}), tmp_path / "own.parquet")
    assert load_scores(tmp_path / "own.parquet").columns["hits"].tolist() == [3.0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected CSV with a line of names"),
        ("cell,snip\na:1,2\n", r"expected a column 'arch', got \['cell', 'snip'\]"),
        ("arch,snip\na:1,2\nb,3\n", "row 2: expected SPACE:GENES .* got 'b'"),
        ("arch,snip\na:1,2\na:1,3\n", "row 2: expected each architecture once, got 'a:1'. It stands in row 1, too"),
        ("arch,snip\na:1,two\n", "column 'snip': expected numbers, got .*two"),
        ("arch,snip\na:1\n", "row 1: expected 2 cells, got 1"),
        ("arch,snip,snip\na:1,1,2\n", "expected each column once"),
        ('arch,snip\n"a:1,1\n', "expected CSV"),
        ("arch,snip\na:1\xff,1\n", "SPACE:GENES"),
    ],
)
def test_a_damaged_csv_is_said(content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "scores.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(UsageError, match=message) as error:
        load_scores(file)
    assert "scores.csv" in str(error.value)


def test_what_is_no_file_of_scores_is_said(tmp_path: Path) -> None:
    (tmp_path / "bytes.csv").write_bytes(b"arch\n\xff\xfe\n")
    (tmp_path / "bytes.parquet").write_bytes(b"PAR1 and no more")
    for name, message in (("bytes.csv", "CSV"), ("bytes.parquet", "whole parquet"), ("none.csv", "nothing there")):
        with pytest.raises(UsageError, match=message):
            load_scores(tmp_path / name)


def test_columns_must_fit() -> None:
    with pytest.raises(UsageError, match="column 'params': expected 3 rows, got 2"):
        dataclasses.replace(SCORES, archs=(*SCORES.archs, Arch("tiny", (1,))))
    with pytest.raises(UsageError, match="column 'snip': expected 2 rows, got 0"):
        Scores(SCORES.archs, {"snip": np.zeros(0)})
    with pytest.raises(UsageError, match="none called 'arch'"):
        Scores(SCORES.archs, {"arch": np.zeros(2)})
