"""Reading pickled batches of downsampled images without unpickling objects: nothing is imported, called or run."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np

from lnas.errors import UsageError, complaint


def read_pickled_batch(file: Path, pixels: int) -> tuple[np.ndarray, np.ndarray]:
    """Read one file of the downsampled ImageNet.

    Args:
        file: A pickled dictionary with `data`, uint8, shape (n, 3 * pixels * pixels), and `labels`, n integers.
        pixels: Height and width of the images.

    Returns:
        Images, uint8, shape (n, 3, pixels, pixels), and labels, int64, as they are in the file.

    Raises:
        UsageError: If the file is no such pickle, or asks for anything but arrays of plain numbers.

    Source of the format: Chrabaszcz et al. 2017.
    """
    try:
        with file.open("rb") as packed:
            content = _ArrayUnpickler(packed, encoding="latin1").load()
        images = content["data"].array().reshape(-1, 3, pixels, pixels)
        labels = np.array([int(label) for label in content["labels"]], dtype=np.int64)
        if images.dtype != np.uint8 or len(images) != len(labels):
            raise ValueError(f"{len(images)} images of type {images.dtype} with {len(labels)} labels")
    except Exception as error:  # a damaged pickle raises errors of many kinds
        expected = f"pickled images of {pixels} x {pixels} pixels, and nothing but arrays of numbers"
        reason = f"{type(error).__name__}: {error}"
        raise UsageError(complaint(f"read {str(file)!r}", expected, reason, "Fetch the file again.")) from error
    return images, labels


class _Array:
    """What a pickle says of an array."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self._shape, self._type, by_columns, content = state
        if by_columns:
            raise ValueError("an array by columns")
        self._content = content.encode("latin1") if isinstance(content, str) else content

    def array(self) -> np.ndarray:
        return np.frombuffer(self._content, self._type.dtype).reshape(self._shape)


class _Type:
    """What a pickle says of the type of an array's numbers; little-endian, if the order matters."""

    def __init__(self, code: str, *_: object) -> None:
        if code not in ("u1", "i8", "f4", "f8"):
            raise ValueError(f"an array of {code!r}")
        self.dtype = np.dtype(f"<{code}")

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        if state[1] not in ("<", "|"):
            raise ValueError(f"byte order {state[1]!r}")


def _array(*_: object) -> _Array:
    return _Array()


def _encoded(text: str, encoding: str) -> bytes:
    """Do what Python does to bytes in pickles of protocol 2."""
    if encoding != "latin1":
        raise ValueError(f"text in {encoding!r}")
    return text.encode("latin1")


_STAND_INS = {
    "numpy.core.multiarray._reconstruct": _array,
    "numpy._core.multiarray._reconstruct": _array,
    "numpy.ndarray": _Array,
    "numpy.dtype": _Type,
    "_codecs.encode": _encoded,
}


class _ArrayUnpickler(pickle.Unpickler):
    """Puts stand-ins of our own in place of NumPy's names, and knows no others."""

    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in _STAND_INS:
            raise pickle.UnpicklingError(f"the name {module}.{name}; do not trust the file")
        return _STAND_INS[f"{module}.{name}"]
