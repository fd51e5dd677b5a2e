"""What the terminal shows: bars with the time left where there is a terminal, plain lines where there is none."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

_PLAIN_WIDTH = 160


class _Console(Console):
    """A console that goes quiet when its reader has left, as `head` does: the run goes on."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


class Display:
    """Print for people.

    Args:
        quiet: Print nothing but errors.
    """

    def __init__(self, quiet: bool = False) -> None:
        self._quiet = quiet
        self._console = _Console(highlight=False)
        if not self._console.is_terminal:
            self._console = _Console(highlight=False, width=_PLAIN_WIDTH)

    def say(self, text: str) -> None:
        """Print a line."""
        if not self._quiet:
            self._console.print(text, markup=False, soft_wrap=True)

    def show(self, table: Table) -> None:
        """Print a table."""
        if not self._quiet:
            self._console.print(table)

    @contextmanager
    def bar(self, title: str, total: int, done: int = 0) -> Iterator[Callable[[], None]]:
        """Show progress while the block runs; calling what it yields advances by one.

        Args:
            title: What is counted.
            total: How many there are.
            done: How many are done already; they do not enter the time left.
        """
        if self._quiet:
            yield lambda: None
        elif self._console.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("left"),
                TimeRemainingColumn(),
            )
            with Progress(*columns, console=self._console) as progress:
                task = progress.add_task(title, total=total, completed=done)
                yield lambda: progress.advance(task)
        else:
            yield self._lines(title, total, done)

    def _lines(self, title: str, total: int, done: int) -> Callable[[], None]:
        """Return a counter that prints about ten lines on its way."""
        started = time.monotonic()
        count = done

        def advance() -> None:
            nonlocal count
            count = min(count + 1, total)  # an epoch whose checkpoint was not written is done again
            if count == total or (count * 10) // total > ((count - 1) * 10) // total:
                elapsed = time.monotonic() - started
                rate = (count - done) / elapsed if elapsed else math.inf
                left = (total - count) / rate
                self.say(f"{title}: {count}/{total}, {elapsed:.0f} s, {rate:.3g} a second, about {left:.0f} s left")

        return advance
