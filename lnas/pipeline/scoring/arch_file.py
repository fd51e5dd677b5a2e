"""Architectures listed in a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from lnas.errors import UsageError, complaint
from lnas.spaces import SearchSpace, read_arch
from lnas.types import Arch

_COLUMN = "arch"


def read_arch_file(path: Path, space: SearchSpace) -> list[Arch]:
    """Read the architectures of a file, in its order.

    Args:
        path: Ends in .csv and has a column `arch`, as a file of scores; or is a text with one architecture per line.
            Empty lines do not count.
        space: What they are of; each is written as SPACE:GENES or in the space's notation.

    Raises:
        UsageError: If the file cannot be read, or a line is no architecture of the space or repeats another.
    """
    lines: dict[Arch, int] = {}
    for number, text in _rows(path):
        where = f"archs={str(path)!r}, line {number}"
        try:
            arch = read_arch(text, space)[1]
        except UsageError as error:
            raise UsageError(f"{where}: {error}") from error
        if arch in lines:
            raise UsageError(complaint(where, "each architecture once", text, f"It stands in line {lines[arch]}, too."))
        lines[arch] = number
    if not lines:
        raise UsageError(complaint(f"archs={str(path)!r}", "at least one architecture", "none", "One per line."))
    return list(lines)


def _rows(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line number and the text of each architecture."""
    call = f"archs={str(path)!r}"
    try:
        content = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        step = "Name a file with one architecture per line, all, or how many to draw."
        raise UsageError(complaint(call, "a text file", reason, step)) from error
    if path.suffix == ".csv":
        yield from _cells(call, content)
    else:
        yield from ((number, line) for number, line in enumerate(content.splitlines(), start=1) if line.strip())


def _cells(call: str, content: str) -> Iterator[tuple[int, str]]:
    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    try:
        header = next(reader, [])
        if _COLUMN not in header:
            raise UsageError(complaint(call, f"a column {_COLUMN!r}", header, "Name it so, or write a .txt file."))
        column = header.index(_COLUMN)
        for row in reader:
            if len(row) > column:
                yield reader.line_num, row[column]
            elif row:
                where = f"{call}, line {reader.line_num}"
                raise UsageError(complaint(where, f"at least {column + 1} cells", len(row), "Mend the line."))
    except csv.Error as error:
        raise UsageError(complaint(f"{call}, line {reader.line_num}", "CSV", str(error), "Mend the line.")) from error
