"""The pages of a run, kept in its store: what they show, so that they can be made again without data or training."""

from __future__ import annotations

import sqlite3
import zlib
from contextlib import closing
from pathlib import Path

from lnas.errors import RunError, StoreError, complaint
from lnas.pipeline.reporting.contents import Content, from_json, to_json

_STORE = "store.sqlite"
_MAKE = "CREATE TABLE IF NOT EXISTS pages (name TEXT PRIMARY KEY, content BLOB NOT NULL)"
_BUSY_SECONDS = 60


def keep_page(folder: Path, name: str, content: Content) -> None:
    """Keep what a page or the tables of a folder show in its store, in place of what was kept under the name.

    A folder without a store keeps nothing: its command makes it again from files, and measures nothing.

    Raises:
        StoreError: If the store cannot be written.
    """
    file = folder / _STORE
    if not file.is_file():
        return
    packed = zlib.compress(to_json(content).encode())
    try:
        with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS)) as connection, connection:
            connection.execute(_MAKE)
            connection.execute("INSERT OR REPLACE INTO pages VALUES (?, ?)", (name, packed))
    except sqlite3.Error as error:
        call, step = f"store {str(file)!r}", "Check the disk and the permissions."
        raise StoreError(complaint(call, "a store that can be written", str(error), step)) from error


def kept_pages(file: Path) -> dict[str, Content]:
    """Return what a store keeps, by name.

    Raises:
        RunError: If it is no store, keeps nothing, or its pages are damaged or of another lnas.
    """
    call = f"store {str(file)!r}"
    existing = f"{file.absolute().as_uri()}?mode=rw"  # in mode ro SQLite would leave the files of its log behind
    try:
        with closing(sqlite3.connect(existing, uri=True)) as connection:
            there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'pages'").fetchone()
            rows = connection.execute("SELECT name, content FROM pages ORDER BY name").fetchall() if there else []
        found = {name: from_json(zlib.decompress(packed).decode()) for name, packed in rows}
    except (sqlite3.Error, zlib.error, UnicodeDecodeError) as error:
        raise StoreError(complaint(call, "a store that can be read", str(error), "Check the file.")) from error
    if not found:
        step = "Start the command of its config.yaml again: what is measured is taken from the store."
        raise RunError(complaint(call, "a page of a run that came to its end", "none", step))
    return found
