"""Files that are either whole or absent, and a folder that one process at a time works in."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lnas.errors import RunError, complaint

_PARTIAL = ".lnas-partial"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that, whenever the process dies, `path` holds the old content or the new, never a part.

    Raises:
        RunError: If the folder cannot be written or is full; nothing is left behind then.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}.", suffix=_PARTIAL, delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if not isinstance(error, OSError):
            raise
        raise RunError(
            complaint(f"write {str(path)!r}", "a folder that can be written", error.strerror, "Name another folder.")
        ) from error


def sweep_partial_files(folder: Path) -> None:
    """Remove what `write_whole` left in a folder, and in those below, when its process was killed."""
    for path in folder.rglob(f".*{_PARTIAL}"):
        path.unlink(missing_ok=True)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Make a folder and hold it for this process; the system lets go of it when the process ends, however it ends.

    Raises:
        RunError: If another process holds it, or it cannot be made or written.
    """
    lock = folder / ".lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = lock.open("a+")
    except OSError as error:
        raise RunError(
            complaint(
                f"output folder {str(folder)!r}",
                "a folder that can be written",
                error.strerror,
                "Name another with --output.",
            )
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError(
                complaint(
                    f"output folder {str(folder)!r}",
                    "no other lnas at work in it",
                    "a running one",
                    "Wait for it, or name another folder with --output.",
                )
            ) from error
        yield
