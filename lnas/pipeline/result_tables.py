"""A table of results on the terminal."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from lnas.report.table import ResultTable


def shown(table: ResultTable) -> Table:
    """Lay out a table for the terminal, without its notes."""
    laid_out = Table(title=table.title, title_justify="left", pad_edge=False)
    for number, column in enumerate(table.columns):
        laid_out.add_column(column.title, justify="right" if number else "left")
    for row in table.texts():
        laid_out.add_row(*map(Text, row))
    return laid_out
