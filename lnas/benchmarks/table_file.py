"""lnas's own file of a table: parquet that any reader of parquet opens, with its card inside.

One row per architecture: a column `notation` for people, `gene_0`, `gene_1`, ..., then the numbers. What each column is
stands as JSON under `lnas` in the file's metadata.
"""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any, get_args

import numpy as np

from lnas.benchmarks.accuracy_key import AccuracyKey
from lnas.benchmarks.base import Card
from lnas.benchmarks.parquet import read_columns, read_note
from lnas.benchmarks.rows import Standing, rows_standing_for
from lnas.benchmarks.tabular import Quantity, TabularBenchmark
from lnas.errors import UsageError, complaint, unknown_name
from lnas.spaces import SPACES, SearchSpace

_NOTE = "lnas"
_FORMAT = 1
_NOTATION = "notation"


def write_table(benchmark: TabularBenchmark, standing: Standing = "architecture") -> bytes:
    """Return the content of a file that `read_table` reads, the same bytes for the same table.

    Args:
        benchmark: What to write.
        standing: What each of its rows stands for.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    keys = benchmark.keys()
    genes = benchmark.table(keys[0]).genes
    columns: dict[str, Any] = {_NOTATION: [benchmark.space.format(arch) for arch in benchmark.archs()]}
    columns |= {_gene(k): genes[:, k] for k in range(genes.shape[1])}
    columns |= {f"accuracy {key}": benchmark.table(key).accuracy for key in keys}
    columns |= {f"seconds {key}": seconds for key, seconds in benchmark.seconds.items()}
    columns |= {f"count {name}": values for name, values in benchmark.counts.items()}
    for (key, quantity), values in benchmark.curves.items():
        columns[f"{quantity} curve {key}"] = pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])
    note = {
        "format": _FORMAT,
        "space": benchmark.space.name,
        "row": standing,
        "card": dataclasses.asdict(benchmark.card),
    }
    table = pa.table(columns).replace_schema_metadata({_NOTE: json.dumps(note)})
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd", compression_level=19, write_page_checksum=True)
    return buffer.getvalue()


def read_table(path: Path, space: SearchSpace | None = None) -> TabularBenchmark:
    """Read a file that `write_table` made.

    Args:
        path: The file.
        space: The space, if it is not one of ours.

    Raises:
        UsageError: If the file is no such table, is damaged, or is of another space.
    """
    note = _read_note(path)
    home = _space(path, note["space"], space)
    columns = read_columns(path, without=(_NOTATION,))
    _require_numbers(path, columns)
    genes = _genes(path, columns, home)
    named = {kind: _of_kind(columns, kind) for kind in ("accuracy", "seconds", "accuracy curve", "loss curve")}
    quantities: tuple[Quantity, ...] = get_args(Quantity)
    return TabularBenchmark(
        note["card"],
        home,
        genes,
        named["accuracy"],
        named["seconds"],
        {(key, kind): values for kind in quantities for key, values in named[f"{kind} curve"].items()},
        {name.removeprefix("count "): values for name, values in columns.items() if name.startswith("count ")},
        rows_standing_for(note["row"], genes, home),
    )


def is_table(path: Path) -> bool:
    """Tell whether a parquet file is one of ours."""
    return _NOTE in read_note(path)


def _read_note(path: Path) -> dict[str, Any]:
    call, step = f"benchmark table {str(path)!r}", "Read a file that lnas wrote, or import it first."
    text = read_note(path).get(_NOTE)
    if text is None:
        raise UsageError(complaint(call, "a table that lnas wrote", "parquet without its note", step))
    try:
        note = json.loads(text)
        if note["format"] == _FORMAT:
            return note | {"card": _card(note["card"]), "space": str(note["space"]), "row": str(note["row"])}
    except (ValueError, RecursionError, KeyError, TypeError) as error:
        expected = "a note with format, space, row and card"
        raise UsageError(complaint(call, expected, text, "It is damaged: fetch or make it again.")) from error
    raise UsageError(complaint(call, f"format {_FORMAT}", note["format"], "Use the lnas that wrote it."))


def _card(texts: dict[str, str]) -> Card:
    card = Card(**texts)
    if not all(isinstance(text, str) for text in dataclasses.astuple(card)):
        raise TypeError("a card of other things than texts")
    return card


def _space(path: Path, name: str, given: SearchSpace | None) -> SearchSpace:
    call = f"benchmark table {str(path)!r}"
    if given is not None:
        if not isinstance(given, SearchSpace):
            raise UsageError(complaint(call, "a SearchSpace as space", given, "Example: space=NatsTopologySpace()."))
        if given.name != name:
            raise UsageError(complaint(call, f"a table of space {given.name!r}", name, "Name its own space."))
        return given
    if name not in SPACES:
        raise UsageError(f"{call}: {unknown_name('space', name, SPACES)} Give a space of your own as space=...")
    return SPACES[name]()


def _genes(path: Path, columns: dict[str, np.ndarray], space: SearchSpace) -> np.ndarray:
    expected = [_gene(k) for k in range(len(space.region.choices))]
    found = sorted(name for name in columns if name.startswith("gene_"))
    if found != sorted(expected):
        call = f"benchmark table {str(path)!r}"
        raise UsageError(complaint(call, f"genes of {space.name!r}: {', '.join(expected)}", found, "It is damaged."))
    return np.stack([columns[name] for name in expected], axis=1)


def _require_numbers(path: Path, columns: dict[str, np.ndarray]) -> None:
    for name, values in columns.items():
        if values.dtype.kind not in "iuf":
            call = f"benchmark table {str(path)!r}"
            raise UsageError(complaint(call, f"numbers in column {name!r}", str(values.dtype), "It is damaged."))


def _of_kind(columns: dict[str, np.ndarray], kind: str) -> dict[AccuracyKey, np.ndarray]:
    found = {name.removeprefix(f"{kind} "): values for name, values in columns.items() if name.startswith(f"{kind} ")}
    return {AccuracyKey.parse(text): values for text, values in found.items() if not text.startswith("curve ")}


def _gene(number: int) -> str:
    return f"gene_{number}"
