"""Files of scores: a row per architecture, a column per measure, as `lnas score` writes them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lnas.benchmarks.parquet import read_columns
from lnas.benchmarks.plain_files import require_file
from lnas.errors import UsageError, complaint
from lnas.types import Arch

ARCH, NOTATION, PROBLEMS = "arch", "notation", "problems"
_TEXTS = (ARCH, NOTATION, PROBLEMS)


@dataclass(frozen=True)
class Scores:
    """What was measured of some architectures.

    Attributes:
        archs: One per row.
        columns: Measure -> float64, shape (rows,); NaN where there is no number.
        notations: The architectures as people write them, one per row, or none at all.
        problems: Why a row lacks numbers, as in "snip failed, ntk_cond nonfinite"; one per row, or none at all.

    Raises:
        UsageError: If lengths differ, or a measure is called as one of the other columns is.
    """

    archs: tuple[Arch, ...]
    columns: Mapping[str, np.ndarray]
    notations: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        texts = {NOTATION: self.notations, PROBLEMS: self.problems}
        lengths = {name: len(values) for name, values in self.columns.items()}
        lengths |= {name: len(values) for name, values in texts.items() if values}
        for name, length in lengths.items():
            if length != len(self.archs):
                call = f"Scores(...), column {name!r}"
                raise UsageError(complaint(call, f"{len(self.archs)} rows", length, "One for each architecture."))
        for name in _TEXTS:
            if name in self.columns:
                raise UsageError(complaint("Scores(...)", f"measures, none called {name!r}", name, "Rename it."))

    def __len__(self) -> int:
        return len(self.archs)

    @property
    def names(self) -> tuple[str, ...]:
        """The measures."""
        return tuple(self.columns)

    def to_parquet(self) -> bytes:
        """Return the content of a parquet file that `load_scores` reads; a missing number is null."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        columns: dict[str, Any] = self._texts()
        columns |= {name: pa.array(values, mask=np.isnan(values)) for name, values in self.columns.items()}
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer, compression="zstd", write_page_checksum=True)
        return buffer.getvalue()

    def to_csv(self) -> bytes:
        """Return the content of a CSV file that `load_scores` reads, every digit kept; a missing number is empty."""
        numbers = {
            name: ["" if np.isnan(value) else repr(value) for value in values.tolist()]
            for name, values in self.columns.items()
        }
        columns = self._texts() | numbers
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
        return text.getvalue().encode()

    def _texts(self) -> dict[str, Any]:
        texts = {ARCH: [str(arch) for arch in self.archs], NOTATION: self.notations, PROBLEMS: self.problems}
        return {name: list(values) for name, values in texts.items() if len(values) == len(self.archs)}


def load_scores(path: str | Path) -> Scores:
    """Read a file of scores: scores.parquet or scores.csv of `lnas score`, or any file like them.

    Its column `arch` holds SPACE:GENES; `notation` and `problems` are texts and may be absent; all others are measures.

    Args:
        path: The file; one that ends in .csv is read as CSV, any other as parquet.

    Raises:
        UsageError: If there is no such file, it is damaged, has no column `arch`, an architecture stands in it twice or
            is none, or another column holds anything but numbers.
    """
    path = Path(path)
    columns = _read_csv(path) if path.suffix == ".csv" else read_columns(path)
    call = f"scores {str(path)!r}"
    if ARCH not in columns:
        raise UsageError(complaint(call, f"a column {ARCH!r}", list(columns), "It holds SPACE:GENES of each row."))
    archs = _archs(call, _strings(columns[ARCH]))
    numbers = {name: _numbers(call, name, values) for name, values in columns.items() if name not in _TEXTS}
    texts = [_strings(columns[name]) if name in columns else () for name in (NOTATION, PROBLEMS)]
    return Scores(archs, numbers, *texts)


def _read_csv(path: Path) -> dict[str, np.ndarray]:
    call = require_file(path, "a CSV file")
    try:
        text = path.read_bytes().decode("utf-8-sig")  # with the newlines inside cells as they are
        header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (OSError, ValueError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise UsageError(complaint(call, "CSV with a line of names", reason, "Make it again.")) from error
    if len(set(header)) < len(header):
        raise UsageError(complaint(call, "each column once", header, "Make it again."))
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise UsageError(complaint(f"{call}, row {number}", f"{len(header)} cells", len(row), "Make it again."))
    return {name: np.array([row[k] for row in rows], dtype=object) for k, name in enumerate(header)}


def _archs(call: str, texts: Sequence[str]) -> tuple[Arch, ...]:
    rows: dict[Arch, int] = {}
    for number, text in enumerate(texts, start=1):
        arch = Arch.from_text(text, f"{call}, row {number}")
        if rows.setdefault(arch, number) != number:
            step = f"It stands in row {rows[arch]}, too."
            raise UsageError(complaint(f"{call}, row {number}", "each architecture once", text, step))
    return tuple(rows)


def _strings(values: np.ndarray) -> tuple[str, ...]:
    return tuple("" if value is None else str(value) for value in values.tolist())


def _numbers(call: str, name: str, values: np.ndarray) -> np.ndarray:
    try:
        return np.array([np.nan if value in (None, "") else float(value) for value in values.tolist()])
    except (TypeError, ValueError) as error:
        step = f"Texts stand in {NOTATION} and {PROBLEMS} only."
        raise UsageError(complaint(f"{call}, column {name!r}", "numbers", str(error), step)) from error
