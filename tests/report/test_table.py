from __future__ import annotations

import csv
import io
import math

import pyarrow.parquet as pq
import pytest

from lnas.errors import UsageError
from lnas.report.table import Column, ResultTable, WithDeviation, WithInterval

TABLE = ResultTable(
    "sample",
    "A sample",
    [
        Column("rank", "rank", ["angle|loss", "b"]),
        Column("tau", "tau", [WithInterval(0.25, -0.5, 0.75), WithInterval(math.nan, math.nan, math.nan)], "{:+.2f}"),
        Column("accuracy", "accuracy (%)", [WithDeviation(93.456, 0.5), None], "{:.2f}"),
        Column("single", "single", [None, WithDeviation(1.0, math.nan)], "{:.1f}"),
        Column("n", "n", [1500, None], "{:,}"),
    ],
    ["First note.", "Second note."],
)


def test_people_read_intervals_and_deviations_beside_the_number_and_a_dash_where_there_is_none() -> None:
    assert TABLE.texts() == [
        ["angle|loss", "+0.25 [-0.50, +0.75]", "93.46 ± 0.50", "-", "1,500"],
        ["b", "-", "-", "1.0", "-"],
    ]


def test_markdown_has_title_table_and_notes() -> None:
    assert TABLE.to_markdown().decode().splitlines() == [
        "## A sample",
        "",
        "| rank | tau | accuracy (%) | single | n |",
        "| --- | ---: | ---: | ---: | ---: |",
        r"| angle\|loss | +0.25 [-0.50, +0.75] | 93.46 ± 0.50 | - | 1,500 |",
        "| b | - | - | 1.0 | - |",
        "",
        "First note.",
        "",
        "Second note.",
    ]


def test_files_keep_every_digit_in_columns_of_their_own() -> None:
    rows = list(csv.DictReader(io.StringIO(TABLE.to_csv().decode())))
    assert rows[0] == {
        "rank": "angle|loss",
        "tau": "0.25",
        "tau_low": "-0.5",
        "tau_high": "0.75",
        "accuracy": "93.456",
        "accuracy_deviation": "0.5",
        "single": "",
        "single_deviation": "",
        "n": "1500",
    }
    assert [rows[1][name] for name in ("tau", "tau_low", "accuracy", "single", "single_deviation", "n")] == (
        ["", "", "", "1.0", "", ""]
    )
    read = pq.read_table(io.BytesIO(TABLE.to_parquet()))
    assert read.column_names == list(rows[0])
    assert read["tau_high"].to_pylist() == [0.75, None]
    assert read["n"].to_pylist() == [1500, None]
    assert read.schema.metadata[b"notes"] == b"First note.\nSecond note."


def test_columns_must_be_of_one_length() -> None:
    with pytest.raises(UsageError, match="'a': 1, 'b': 2"):
        ResultTable("t", "t", [Column("a", "a", [1]), Column("b", "b", [1, 2])])
