"""`lnas bench import`: a benchmark's official files become a table, once."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal, get_args

from lnas.benchmarks import TabularBenchmark, write_table
from lnas.benchmarks.nats.folder import look_into, read_records
from lnas.errors import UsageError, unknown_name
from lnas.pipeline.display import Display
from lnas.store import write_whole

Format = Literal["nats"]


def import_benchmark(
    format: Format,
    path: str,
    output: str | None = None,
    curves: Literal["none", "all"] = "none",
    quiet: bool = False,
) -> TabularBenchmark:
    """Turn a benchmark's official files into a table that loads in a fraction of a second.

    Files are read one at a time, by an unpickler that takes plain data only: nothing in them is executed.

    Args:
        format: nats is the official folder of NATS-Bench, topology or size: meta.pickle.pbz2 and one file for each
            architecture.
        path: The folder.
        output: The table; NAME.parquet in the current folder if not given.
        curves: all keeps the learning curves, too, which makes the table many times larger.
        quiet: Print errors only.

    Returns:
        The table.

    Raises:
        UsageError: If the folder is not what FORMAT says, or one of its files is damaged.
        RunError: If OUTPUT cannot be written.
    """
    if format not in get_args(Format):
        raise UsageError(f"lnas bench import {format}: {unknown_name('format', format, get_args(Format))}")
    display = Display(quiet)
    contents = look_into(Path(path))
    file = Path(output or f"{contents.name}.parquet")
    with tempfile.TemporaryFile(dir=file.parent):
        pass  # reading takes long: what cannot be written is to be known before
    with display.bar("records", len(contents.indices)) as advance:
        table = read_records(contents, lambda done, total: advance(), curves)
    write_whole(file, write_table(table))
    display.say(f"Table: {file} ({len(table):,} architectures, {len(table.keys())} accuracies of each)")
    display.say(f"Read it with load_benchmark({table.card.name!r}, {str(file)!r})")
    return table
