"""What lies in a store: whether a file is one, and the protocols in it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from lnas.errors import StoreError, complaint


class StoredProtocol(NamedTuple):
    """A protocol and what was measured under it.

    Attributes:
        described: The protocol as `lnas.types.describe` gives it; `Store` takes it for the protocol itself.
        measures: Names, in alphabetical order.
        seeds: Of the estimates, ascending.
    """

    described: Mapping[str, Any]
    measures: tuple[str, ...]
    seeds: tuple[int, ...]


def is_store(file: Path) -> bool:
    """Tell whether a file is an SQLite store of lnas."""
    try:
        with closing(_opened(file)) as connection:
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.Error:
        return False
    return {"meta", "runs", "protocols", "estimates"} <= names


def stored_protocols(file: Path) -> dict[str, StoredProtocol]:
    """Return the protocols of a store by key.

    Raises:
        StoreError: If it cannot be read.
    """
    query = "SELECT DISTINCT protocol, measure, seed FROM estimates ORDER BY protocol, measure, seed"
    try:
        with closing(_opened(file)) as connection:
            texts = dict(connection.execute("SELECT protocol, text FROM protocols ORDER BY protocol"))
            rows = list(connection.execute(query))
    except sqlite3.Error as error:
        call, step = f"store {str(file)!r}", "Check the file, or name another."
        raise StoreError(complaint(call, "a store that can be read", str(error), step)) from error
    return {
        key: StoredProtocol(
            json.loads(text),
            tuple(dict.fromkeys(measure for protocol, measure, _ in rows if protocol == key)),
            tuple(sorted({seed for protocol, _, seed in rows if protocol == key})),
        )
        for key, text in texts.items()
    }


def _opened(file: Path) -> sqlite3.Connection:
    """Open a database that is there; in mode ro SQLite would leave the files of its log behind."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)
