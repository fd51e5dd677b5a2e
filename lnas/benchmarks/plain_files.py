"""Reading JSON and NumPy archives, with one clear error for a file that is none."""

from __future__ import annotations

import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from lnas.errors import UsageError, complaint

_FETCH = "Fetch it again."
# What numpy and zipfile raise on a file that is none, cut short or has a hole.
_UNREADABLE = (OSError, EOFError, ValueError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error)


def read_json(path: Path) -> Any:
    """Return what a JSON file holds.

    Raises:
        UsageError: If there is no such file, or it is no JSON or ends early.
    """
    call = require_file(path, "a JSON file")
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(complaint(call, "whole JSON", " ".join(str(error).split()), _FETCH)) from error


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an npz file by name; nothing is unpickled.

    Raises:
        UsageError: If there is no such file, or it is no npz, damaged or holds objects.
    """
    call = require_file(path, "an npz file")
    try:
        # From an open file: NumPy leaves one open that it cannot read.
        with path.open("rb") as stream, _archive(np.load(stream, allow_pickle=False)) as archive:
            return {name: archive[name] for name in archive.files}
    except _UNREADABLE as error:
        raise UsageError(complaint(call, "a whole npz file", " ".join(str(error).split()), _FETCH)) from error


def require_file(path: Path, kind: str) -> str:
    """Return how errors name a file.

    Raises:
        UsageError: If there is none.
    """
    call = f"benchmark file {str(path)!r}"
    if not path.is_file():
        got = "a folder" if path.is_dir() else "no regular file" if path.exists() else "nothing there"
        raise UsageError(complaint(call, kind, got, "Check the path."))
    return call


def require_folder(path: Path, kind: str, next_step: str = "Check the path.") -> None:
    """Raise `UsageError` unless there is such a folder."""
    if not path.is_dir():
        got = "a file" if path.exists() else "nothing there"
        raise UsageError(complaint(f"benchmark folder {str(path)!r}", kind, got, next_step))


def _archive(loaded: Any) -> Any:
    if isinstance(loaded, np.ndarray):
        raise ValueError("a single array")
    return loaded
