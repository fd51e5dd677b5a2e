from __future__ import annotations

import contextlib
import dataclasses
import io
import itertools
import json

import numpy as np
import pytest

from lnas.benchmarks.accuracy_key import AccuracyKey
from lnas.benchmarks.base import Card
from lnas.benchmarks.table_file import is_table, read_table, write_table
from lnas.benchmarks.tabular import TabularBenchmark
from lnas.errors import UsageError
from lnas.spaces import Decision, NatsSizeSpace, NatsTopologySpace, ProductSpace
from lnas.types import Arch

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")


class Teas(ProductSpace):
    name = "teas"
    decisions = (Decision("leaf", ("green", "black", "white")), Decision("minutes", ("2", "3", "4", "5")))


SPACE, CELLS = Teas(), NatsTopologySpace()
CARD = Card("teas", "Taste, in percent.", "Four sips.", "CC0", "Twice.", "By hand, seed 1.")
GENES = np.array(list(itertools.product(range(3), range(4))))
MEAN, ONE = AccuracyKey("1.0", "kitchen", "sip", 2, "mean"), AccuracyKey("1.0", "kitchen", "sip", 2, 777)
TABLE = TabularBenchmark(
    CARD,
    SPACE,
    GENES,
    {MEAN: np.linspace(0, 100, 12), ONE: np.where(np.arange(12) % 5, np.linspace(100, 0, 12), np.nan)},
    {MEAN: np.linspace(60, 300, 12)},
    {
        (MEAN, "accuracy"): np.linspace(0, 100, 24).reshape(12, 2),
        (MEAN, "loss"): np.linspace(3, 0, 24, dtype=np.float32).reshape(12, 2),
    },
    {"params/kitchen": np.arange(12) * 10**10},
)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "teas.parquet"
    path.write_bytes(write_table(TABLE))
    return path


def rewrite(path, changes=None, note=None, without=()):
    """Change columns and the note of a table that is there."""
    table = pq.read_table(path)
    metadata = json.loads(table.schema.metadata[b"lnas"]) | (note or {})
    columns = {name: table.column(name) for name in table.column_names if name not in without} | (changes or {})
    pq.write_table(pa.table(columns).replace_schema_metadata({"lnas": json.dumps(metadata)}), path)


def assert_refused(path, words, space=SPACE):
    with pytest.raises(UsageError) as caught:
        read_table(path, space)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_reading_undoes_writing(path):
    read = read_table(path, SPACE)
    assert read.card == CARD
    assert read.space is SPACE
    assert read.keys() == TABLE.keys()
    assert list(read.archs()) == list(TABLE.archs())
    for key in (MEAN, ONE):
        for ours, theirs in zip(read.table(key), TABLE.table(key), strict=True):
            assert (ours is theirs is None) or np.array_equal(ours, theirs, equal_nan=True)
    assert read.curves.keys() == TABLE.curves.keys()
    for curve, values in TABLE.curves.items():
        assert read.curves[curve].dtype == values.dtype
        assert read.curves[curve].tolist() == values.tolist()
    assert read.counts["params/kitchen"].tolist() == TABLE.counts["params/kitchen"].tolist()


def test_a_read_table_answers_as_the_written_one(path):
    read = read_table(path, SPACE)
    arch = SPACE.parse("black:4")
    assert read.query(arch, MEAN) == TABLE.query(arch, MEAN) == pytest.approx(600 / 11)
    assert read.cost(arch, MEAN) == TABLE.cost(arch, MEAN)
    assert read.curve(arch, MEAN, "loss").tolist() == TABLE.curve(arch, MEAN, "loss").tolist()


def test_the_same_table_is_the_same_bytes(path):
    assert path.read_bytes() == write_table(TABLE) == write_table(read_table(path, SPACE))


def test_the_least_table_is_read_back(tmp_path):
    path = tmp_path / "least.parquet"
    path.write_bytes(write_table(TabularBenchmark(CARD, SPACE, GENES[:1], {ONE: np.array([12.5])})))
    read = read_table(path, SPACE)
    assert read.query(SPACE.parse("green:2"), ONE) == 12.5
    assert (read.seconds, read.curves, read.counts) == ({}, {}, {})


def test_any_reader_of_parquet_sees_what_is_what(path):
    table = pq.read_table(path)
    assert table.column_names == [
        "notation",
        "gene_0",
        "gene_1",
        "accuracy 1.0/kitchen/sip@2/mean",
        "accuracy 1.0/kitchen/sip@2/777",
        "seconds 1.0/kitchen/sip@2/mean",
        "count params/kitchen",
        "accuracy curve 1.0/kitchen/sip@2/mean",
        "loss curve 1.0/kitchen/sip@2/mean",
    ]
    assert table.column("notation").to_pylist()[:2] == ["green:2", "green:3"]
    assert json.loads(table.schema.metadata[b"lnas"])["card"] == dataclasses.asdict(CARD)


def classes_table(sense):
    genes = np.array([arch.genes for arch in itertools.islice(CELLS.classes(sense), 0, None, 7)])
    return TabularBenchmark(CARD, CELLS, genes, {MEAN: np.linspace(0, 100, len(genes))})


@pytest.mark.parametrize("sense", ["isomorphic", "functional"])
def test_twins_find_the_row_of_their_class(tmp_path, sense):
    path = tmp_path / "cells.parquet"
    table = classes_table(sense)
    path.write_bytes(write_table(table, standing=sense))
    read = read_table(path)
    known = {arch: read.query(arch, MEAN) for arch in table.archs()}
    assert [*known.values()] == table.table(MEAN).accuracy.tolist()
    rng, twins = np.random.default_rng(0), 0
    for arch in [CELLS.sample(rng) for _ in range(300)]:
        representative = CELLS.canonical(arch, sense)
        if representative in known:
            assert read.query(arch, MEAN) == known[representative]
            twins += arch != representative
        else:
            with pytest.raises(UsageError, match=r"expected one of its .* architectures"):
                read.query(arch, MEAN)
    assert twins > 5


def test_a_row_that_stands_for_itself_has_no_twins(tmp_path):
    one, twin = Arch(CELLS.name, (0, 0, 0, 0, 0, 0)), Arch(CELLS.name, (3, 0, 0, 0, 0, 0))
    assert CELLS.canonical(one, "functional") == CELLS.canonical(twin, "functional")
    path = tmp_path / "cells.parquet"
    path.write_bytes(write_table(classes_table("functional")))
    assert read_table(path).query(one, MEAN) == 0
    with pytest.raises(UsageError, match=r"expected one of its 705 architectures, got 'nats_topology:3-0-0-0-0-0'"):
        read_table(path).query(twin, MEAN)


def test_a_table_is_told_from_other_parquet(path, tmp_path):
    assert is_table(path)
    other = tmp_path / "other.parquet"
    pq.write_table(pa.table({"gene_0": [0]}), other)
    assert not is_table(other)


def test_other_parquet_is_refused(tmp_path):
    path = tmp_path / "other.parquet"
    pq.write_table(pa.table({"gene_0": [0], "gene_1": [1]}), path)
    assert_refused(path, f"benchmark table {str(path)!r}: expected a table that lnas wrote, got 'parquet without its")


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(path, share):
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert_refused(path, "expected whole parquet, got ")
    with pytest.raises(UsageError, match="expected whole parquet"):
        is_table(path)


def test_a_file_with_a_hole_is_refused_or_reads(path):
    whole = path.read_bytes()
    read = 0
    for start in range(0, len(whole), 97):
        path.write_bytes(whole[:start] + b"\xff" * 20 + whole[start + 20 :])
        with contextlib.suppress(UsageError):
            read += len(read_table(path, SPACE)) == 12
    assert read < len(whole) / 97 / 2


def test_a_space_of_ones_own_is_given(path):
    with pytest.raises(UsageError) as caught:
        read_table(path)
    assert "unknown space 'teas'." in str(caught.value)
    assert "Give a space of your own as space=..." in str(caught.value)


def test_a_table_of_another_space_is_refused(path):
    assert_refused(path, "expected a table of space 'nats_size', got 'teas'", NatsSizeSpace())


def test_genes_of_another_space_are_refused(path):
    rewrite(path, note={"space": "nats_size"})
    assert_refused(path, "expected genes of 'nats_size': gene_0, gene_1, gene_2, gene_3, gene_4, got", NatsSizeSpace())


@pytest.mark.parametrize(
    ("changes", "without", "words"),
    [
        (
            {"gene_2": pa.array([0] * 12)},
            (),
            "expected genes of 'teas': gene_0, gene_1, got ['gene_0', 'gene_1', 'gene_2",
        ),
        ({}, ("gene_1",), "expected genes of 'teas': gene_0, gene_1, got ['gene_0']"),
        ({"gene_1": pa.array([1, 2, 3, 4] * 3)}, (), "expected gene 1 (minutes) in 0..3, got '4 in row 3'"),
        (
            {"gene_3": pa.array([0] * 12)},
            (),
            "expected genes of 'teas': gene_0, gene_1, got ['gene_0', 'gene_1', 'gene_3",
        ),
        ({"gene_1": pa.array([0.0, 1.0, 2.0, 3.0] * 3)}, (), "expected whole numbers as genes, got 'float64'"),
        (
            {"gene_1": pa.array([*[0, 1, 2, 3] * 2, 0, 1, 2, None])},
            (),
            "expected whole numbers as genes, got 'float64'",
        ),
        ({"gene_0": pa.array([0] * 12)}, (), "expected each architecture once, got 'rows 0 and 8'"),
        ({f"accuracy {MEAN}": pa.array([*[1.0] * 11, None])}, (), "a number in each mean, got 'NaN in row 11'"),
        ({f"accuracy {ONE}": pa.array([0.5] * 11 + [100.5])}, (), "expected an accuracy in percent, got 100.5"),
        (
            {f"accuracy {ONE}": pa.array(["high"] * 12)},
            (),
            f"expected numbers in column 'accuracy {ONE}', got 'object'",
        ),
        ({f"accuracy {ONE}": pa.array([[1.0]] * 12)}, (), f"expected numbers in column 'accuracy {ONE}', got 'object'"),
        ({"accuracy high": pa.array([1.0] * 12)}, (), "expected RELEASE/DATASET/SPLIT@EPOCHS/SEED, got 'high'"),
        ({}, (f"accuracy {MEAN}", f"accuracy {ONE}"), "expected accuracies under at least one key, got 'none'"),
    ],
)
def test_damaged_columns_are_refused(path, changes, without, words):
    rewrite(path, changes, without=without)
    assert_refused(path, words)


@pytest.mark.parametrize(
    ("note", "words"),
    [
        ({"format": 2}, "expected format 1, got 2. Use the lnas that wrote it."),
        ({"card": {"name": "teas"}}, "expected a note with format, space, row and card, got"),
        ({"card": dataclasses.asdict(CARD) | {"what": 3}}, "expected a note with format, space, row and card, got"),
        ({"card": "teas"}, "expected a note with format, space, row and card, got"),
        ({"row": "function"}, "expected architecture or isomorphic, got 'function'"),
        ({"row": "functional"}, "rows of 'teas': expected architecture or isomorphic, got 'functional'"),
        ({"space": ["teas"]}, "expected a table of space 'teas', got"),
    ],
)
def test_a_damaged_note_is_refused(path, note, words):
    rewrite(path, note=note)
    assert_refused(path, words)


@pytest.mark.parametrize("text", ["", "{", "[]", "1", "null", "{}", '{"format": 1}'])
def test_a_note_that_is_none_is_refused(path, text):
    buffer = io.BytesIO()
    pq.write_table(pq.read_table(path).replace_schema_metadata({"lnas": text}), buffer)
    path.write_bytes(buffer.getvalue())
    assert_refused(
        path, f"benchmark table {str(path)!r}: expected a note with format, space, row and card, got {text!r}"
    )


@pytest.mark.parametrize("text", ["[" * 100_000, f'{{"format": 1, "space": {"9" * 5000}}}'])
def test_a_note_that_json_cannot_hold_is_refused(path, text):
    pq.write_table(pq.read_table(path).replace_schema_metadata({"lnas": text}), path)
    assert_refused(path, "expected a note with format, space, row and card, got")


def test_damage_inside_a_page_is_found(path):
    """Uncompressed numbers are read from any bytes: only the checksums of the pages tell."""
    whole = path.read_bytes()
    pages = range(4, whole.index(b"schema"))
    for at in (pages[len(pages) // 3], pages[len(pages) // 2]):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert_refused(path, "expected whole parquet, got")


def test_a_space_that_is_none_is_refused(path):
    assert_refused(path, "expected a SearchSpace as space, got 'teas'", "teas")


def test_a_folder_and_nothing_are_refused(tmp_path):
    assert_refused(tmp_path, "expected a parquet file, got 'a folder'")
    assert_refused(tmp_path / "none.parquet", "expected a parquet file, got 'nothing there'")
