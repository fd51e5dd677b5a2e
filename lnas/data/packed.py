"""Arrays of images as `.npz` files, plain or packed without loss."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from lnas.data.images import Split
from lnas.errors import UsageError, complaint

UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
"""What reading an `.npz` file raises where it is none."""


def read_packed(file: Path, residuals: str = "r", labels: str = "y") -> Split:
    """Decode images stored as 2-D differences of the planes G, R-G, B-G, all modulo 256.

    Args:
        file: An `.npz`; where it has a `sha256` of the images, that is checked.
        residuals: Name of the array of differences, uint8, shape (n, 3, H, W).
        labels: Name of the array of labels.

    Raises:
        UsageError: If the file is none of them, or damaged.
    """
    with _opened(file) as packed:
        planes = np.cumsum(np.cumsum(packed[residuals], axis=2, dtype=np.uint8), axis=3, dtype=np.uint8)
        numbers, expected = packed[labels].astype(np.int64), str(packed.get("sha256", ""))
    images = np.stack([planes[:, 1] + planes[:, 0], planes[:, 0], planes[:, 2] + planes[:, 0]], axis=1)
    if expected:
        found = hashlib.sha256(images.data).hexdigest()
        if found != expected:
            raise UsageError(complaint(f"read {str(file)!r}", f"content {expected}", found, "Fetch the file again."))
    return Split(images, numbers)


def read_plain(file: Path, images: str, labels: str) -> Split:
    """Read images, uint8, shape (n, 3, H, W), and labels by the names of their arrays.

    Raises:
        UsageError: If the file has no such arrays.
    """
    with _opened(file) as arrays:
        return Split(arrays[images], arrays[labels].astype(np.int64))


@contextmanager
def _opened(file: Path) -> Iterator[np.lib.npyio.NpzFile]:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            yield arrays
    except UNREADABLE as error:
        raise UsageError(
            complaint(f"read {str(file)!r}", "a packed image file", str(error), "Fetch the file again.")
        ) from error
