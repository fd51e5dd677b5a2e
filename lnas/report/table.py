"""A table of results: one content for parquet, CSV, Markdown, pages and terminals."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from lnas.errors import UsageError, complaint

_NOTHING = "-"


class WithInterval(NamedTuple):
    """A number and the ends of its interval, NaN where they are not defined."""

    value: float
    low: float
    high: float


class WithDeviation(NamedTuple):
    """A mean and the standard deviation of what it is the mean of, NaN where that is a single number."""

    value: float
    deviation: float

    @classmethod
    def of(cls, values: np.ndarray) -> Self | None:
        """Return mean and sample deviation of some finite numbers; None of none."""
        if not len(values):
            return None
        return cls(float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else math.nan)


Cell = str | int | float | WithInterval | WithDeviation | None


class Column(NamedTuple):
    """A column.

    Attributes:
        name: In files: of numbers in one cell, the first is NAME, the others NAME_low, NAME_high or NAME_deviation.
        title: For people.
        cells: One for each row, all of one kind; None, or NaN, where there is nothing.
        form: How a number is written for people.
    """

    name: str
    title: str
    cells: Sequence[Cell]
    form: str = "{}"


@dataclass(frozen=True)
class ResultTable:
    """A table with what its reader must know.

    Attributes:
        name: Of its files.
        title: What it shows.
        columns: At least one, all of one length.
        notes: How the numbers came about, one sentence or more each.
    """

    name: str
    title: str
    columns: Sequence[Column]
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        lengths = {column.name: len(column.cells) for column in self.columns}
        if len(set(lengths.values())) != 1:
            call = f"ResultTable({self.name!r})"
            raise UsageError(complaint(call, "columns of one length, at least one", lengths, "Fill every cell."))

    def texts(self) -> list[list[str]]:
        """Return the cells of each row as people read them."""
        return [[_text(column, k) for column in self.columns] for k in range(len(self.columns[0].cells))]

    def to_markdown(self) -> bytes:
        """Return the title, the table and the notes as Markdown."""
        sides = ["---" if _is_text(column) else "---:" for column in self.columns]
        rows = [[column.title for column in self.columns], sides, *map(_escaped, self.texts())]
        lines = [f"| {' | '.join(row)} |" for row in rows]
        return "\n".join(
            [f"## {self.title}", "", *lines, *(part for note in self.notes for part in ("", note)), ""]
        ).encode()

    def to_csv(self) -> bytes:
        """Return the numbers with every digit; what is missing is empty."""
        columns = self._plain()
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(["" if cell is None else cell for cell in row] for row in zip(*columns.values(), strict=True))
        return text.getvalue().encode()

    def to_parquet(self) -> bytes:
        """Return the numbers as parquet, with title and notes in its metadata; what is missing is null."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.table(self._plain()).replace_schema_metadata({"title": self.title, "notes": "\n".join(self.notes)})
        buffer = io.BytesIO()
        pq.write_table(table, buffer, compression="zstd", write_page_checksum=True)
        return buffer.getvalue()

    def _plain(self) -> dict[str, list[Any]]:
        """Return the columns of the files."""
        plain: dict[str, list[Any]] = {}
        for column in self.columns:
            for k, name in enumerate(_file_names(column)):
                plain[name] = [_present(cell[k] if isinstance(cell, tuple) else cell) for cell in column.cells]
        return plain


def _file_names(column: Column) -> list[str]:
    compound = next((cell for cell in column.cells if isinstance(cell, WithInterval | WithDeviation)), None)
    further = compound._fields[1:] if compound else ()
    return [column.name, *(f"{column.name}_{field}" for field in further)]


def _present(cell: Any) -> Any:
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def _is_text(column: Column) -> bool:
    return any(isinstance(cell, str) for cell in column.cells)


def _text(column: Column, row: int) -> str:
    cell = column.cells[row]
    if isinstance(cell, str):
        return cell
    if cell is None or _present(cell[0] if isinstance(cell, tuple) else cell) is None:
        return _NOTHING
    written: Callable[[Any], str] = column.form.format
    if isinstance(cell, WithInterval):
        known = not math.isnan(cell.low + cell.high)
        return f"{written(cell.value)} [{written(cell.low)}, {written(cell.high)}]" if known else written(cell.value)
    if isinstance(cell, WithDeviation):
        unsigned = column.form.replace("+", "")
        known = not math.isnan(cell.deviation)
        return f"{written(cell.value)} ± {unsigned.format(cell.deviation)}" if known else written(cell.value)
    return written(cell)


def _escaped(cells: Sequence[str]) -> list[str]:
    return [cell.replace("|", "\\|") for cell in cells]
