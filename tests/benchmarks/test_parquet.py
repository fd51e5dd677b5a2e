from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest

from lnas.benchmarks.parquet import read_columns, read_note
from lnas.errors import UsageError

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")
CURVES = pa.FixedSizeListArray.from_arrays(np.arange(3000.0), 3)
COLUMNS = {
    "number": np.arange(1000),
    "small": np.arange(1000, dtype=np.int8),
    "share": np.linspace(0, 1, 1000, dtype=np.float32),
    "word": [f"cell {k}" for k in range(1000)],
    "sparse": [None if k % 3 else float(k) for k in range(1000)],
    "counted": [None if k == 7 else k for k in range(1000)],
    "curve": CURVES,
}


def content(columns=COLUMNS, note=None, **options) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata(note), buffer, **options)
    return buffer.getvalue()


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "table.parquet"
    path.write_bytes(content(note={"lnas": "a note", "pandas": "{}"}))
    return path


def test_columns_are_arrays_by_name(path):
    columns = read_columns(path)
    assert list(columns) == list(COLUMNS)
    for name in ("number", "small", "share"):
        assert columns[name].dtype == COLUMNS[name].dtype
        assert columns[name].tolist() == COLUMNS[name].tolist()
    assert columns["word"].tolist() == COLUMNS["word"]


def test_a_missing_number_is_nan(path):
    columns = read_columns(path)
    assert np.isnan(columns["sparse"]).sum() == 666
    assert columns["sparse"][[0, 3, 999]].tolist() == [0.0, 3.0, 999.0]
    assert np.flatnonzero(np.isnan(columns["counted"])).tolist() == [7]


def test_a_list_column_is_two_dimensional(path):
    assert read_columns(path)["curve"].tolist() == np.arange(3000.0).reshape(1000, 3).tolist()


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_row_groups_are_joined(path, rows):
    path.write_bytes(content(row_group_size=rows))
    columns = read_columns(path)
    assert columns["number"].tolist() == list(range(1000))
    assert columns["curve"].shape == (1000, 3)


def test_a_missing_list_is_nan(path):
    pytest.importorskip("pyarrow", minversion="21", reason="older ones do not write a missing list")
    path.write_bytes(content({"curve": pa.array([[1.0, 2.0], None, [3.0, None]], pa.list_(pa.float64(), 2))}))
    expected = [[1.0, 2.0], [np.nan, np.nan], [3.0, np.nan]]
    assert np.array_equal(read_columns(path)["curve"], expected, equal_nan=True)


def test_a_file_without_rows_has_empty_columns(path):
    path.write_bytes(content(pa.table(COLUMNS).slice(0, 0)))
    assert {name: len(values) for name, values in read_columns(path).items()} == dict.fromkeys(COLUMNS, 0)
    assert read_columns(path)["curve"].shape == (0, 3)


def test_a_slice_of_lists_is_read_as_such(path):
    path.write_bytes(content(pa.table({"curve": CURVES}).slice(5, 2)))
    assert read_columns(path)["curve"].tolist() == [[15.0, 16.0, 17.0], [18.0, 19.0, 20.0]]


def test_columns_can_be_left_out(path):
    assert set(read_columns(path, without=("word", "curve", "no such"))) == {*COLUMNS} - {"word", "curve"}


def test_a_note_is_read_without_the_columns(path):
    assert read_note(path) == {"lnas": "a note", "pandas": "{}"}
    path.write_bytes(content())
    assert read_note(path) == {}


def test_two_columns_of_one_name_are_refused(path):
    pq.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["twice", "twice"]), path)
    with pytest.raises(UsageError, match=r"expected each column once, got \['twice'\]\."):
        read_columns(path)


@pytest.mark.parametrize("read", [read_columns, read_note])
def test_a_missing_file_or_a_folder_is_named(read, tmp_path):
    for path, got in ((tmp_path, "a folder"), (tmp_path / "no.parquet", "nothing there")):
        with pytest.raises(UsageError) as caught:
            read(path)
        assert str(caught.value) == (
            f"benchmark file {str(path)!r}: expected a parquet file, got {got!r}. Check the path."
        )


@pytest.mark.parametrize("keep", [0, 1, 4, 8, 100, 0.25, 0.5, 0.75, 0.9, 0.99, -8, -4, -1])
def test_a_truncated_file_is_one_clear_error(path, keep):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole)) if isinstance(keep, float) else keep])
    for read in (read_columns, read_note):
        with pytest.raises(UsageError) as caught:
            read(path)
        assert str(caught.value).startswith(f"benchmark file {str(path)!r}: expected whole parquet, got ")
        assert str(caught.value).endswith(". Fetch or make it again.")
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text", [b"index,accuracy\n0,91.5\n", b"PAR1PAR1", b"\x80\x04." * 20, b"PK\x03\x04" + b"\0" * 99]
)
def test_another_kind_of_file_is_one_clear_error(path, text):
    path.write_bytes(text)
    with pytest.raises(UsageError, match=r"expected whole parquet, got .*\. Fetch or make it again\."):
        read_columns(path)


@pytest.mark.parametrize("part", [b"cell 500", b"sparse"])
def test_text_that_is_none_is_one_clear_error(path, part):
    whole = content(compression="none", use_dictionary=False)
    assert part in whole
    path.write_bytes(whole.replace(part, b"\xff" + part[1:]))
    with pytest.raises(UsageError, match=r"expected whole parquet, got .*\. Fetch or make it again\."):
        read_columns(path)


def test_a_file_with_a_hole_is_an_error_or_reads_as_before(path):
    whole = path.read_bytes()
    expected = read_columns(path)
    read = 0
    for start in range(0, len(whole), len(whole) // 40):
        path.write_bytes(whole[:start] + b"\xff" * 30 + whole[start + 30 :])
        with contextlib.suppress(UsageError):
            assert read_columns(path).keys() == expected.keys()
            read += 1
    assert 0 < read < 35
