"""CIFAR-10 from the files a user has."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from lnas.data.images import ImageData, Split, SplitName
from lnas.errors import UsageError, complaint, unknown_name
from lnas.seeds import derive_seed

_UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)
_TRAIN, _TRAIN_HALF, _TRAIN_FOUR_FIFTHS = 50_000, 25_000, 40_000

HeldOut = Literal["half", "last_fifth"]


class Cifar10Data(ImageData):
    """CIFAR-10, its training set parted into "train" and "val", halves of it as the benchmarks of the field have them.

    Args:
        root: Folder that holds torchvision's `cifar-10-batches-py`, or the lossless
            `cifar10_train_resid.npz` and `cifar10_test_resid.npz`, in itself or in a `cifar10` folder below.
        split_file: An `.npz` with the index arrays `train` and `valid`, such as those of NAS-Bench-201's published
            halves; None parts as `held_out` says.
        seed: Decides random halves.
        held_out: Where there is no split file: "half" draws "val" at random; "last_fifth" takes the last 10,000 images
            in the order of the files, as the study of one-shot estimators does.

    Source: Krizhevsky 2009. Mean, deviation and augmentation (flip, then crop from 4 pixels of padding) as in
    NAS-Bench-201.
    """

    def __init__(self, root: str, split_file: str | None = None, seed: int = 0, held_out: HeldOut = "half") -> None:
        if held_out not in get_args(HeldOut):
            raise UsageError(
                f"Cifar10Data(held_out={held_out!r}): {unknown_name('held_out', str(held_out), get_args(HeldOut))}"
            )
        self._held_out: HeldOut = held_out
        self._root = Path(root)
        self._split_file = None if split_file is None else Path(split_file)
        self._seed = seed

    @property
    def name(self) -> str:
        return "cifar10"

    @property
    def num_classes(self) -> int:
        return 10

    @property
    def mean(self) -> tuple[float, float, float]:
        return (125.3 / 255, 123.0 / 255, 113.9 / 255)

    @property
    def std(self) -> tuple[float, float, float]:
        return (63.0 / 255, 62.1 / 255, 66.7 / 255)

    @property
    def crop_padding(self) -> int:
        return 4

    @property
    def horizontal_flip(self) -> bool:
        return True

    def load(self) -> dict[SplitName, Split]:
        train, val = self._parts()
        everything, test = self._read()
        return {"train": everything.take(train), "val": everything.take(val), "test": test}

    def _parts(self) -> tuple[np.ndarray, np.ndarray]:
        if self._split_file is None and self._held_out == "last_fifth":
            return np.arange(_TRAIN_FOUR_FIFTHS), np.arange(_TRAIN_FOUR_FIFTHS, _TRAIN)
        if self._split_file is None:
            order = np.random.default_rng(derive_seed(self._seed, "Cifar10Data")).permutation(_TRAIN)
            return np.sort(order[:_TRAIN_HALF]), np.sort(order[_TRAIN_HALF:])
        try:
            with np.load(self._split_file, allow_pickle=False) as halves:
                train, val = halves["train"], halves["valid"]
            both = np.concatenate([train, val])
            if len(np.unique(both)) != len(both) or both.min() < 0 or both.max() >= _TRAIN:
                raise ValueError(f"indices that overlap or lie outside 0..{_TRAIN - 1}")
        except _UNREADABLE as error:
            raise UsageError(
                complaint(
                    f"Cifar10Data(split_file={str(self._split_file)!r})",
                    "an .npz with index arrays `train` and `valid`",
                    str(error),
                    "Leave split_file out for random halves.",
                )
            ) from error
        return train, val

    def _read(self) -> tuple[Split, Split]:
        for folder in (self._root, self._root / "cifar10"):
            if (folder / "cifar-10-batches-py").is_dir():
                return _read_torchvision(folder)
            if (folder / "cifar10_train_resid.npz").is_file():
                return _read_residuals(folder / "cifar10_train_resid.npz"), _read_residuals(
                    folder / "cifar10_test_resid.npz"
                )
        raise UsageError(
            complaint(
                f"Cifar10Data(root={str(self._root)!r})",
                "a folder with `cifar-10-batches-py` or `cifar10_train_resid.npz`",
                "none of them there" if self._root.is_dir() else "no such folder",
                "Point --data.root at one, or fetch CIFAR-10 by torchvision.datasets.CIFAR10(root, download=True).",
            )
        )


def _read_torchvision(folder: Path) -> tuple[Split, Split]:
    from torchvision.datasets import CIFAR10

    try:
        parts = [CIFAR10(str(folder), train=train, download=False) for train in (True, False)]
    except RuntimeError as error:
        raise UsageError(
            complaint(
                f"Cifar10Data(root={str(folder)!r})",
                "the official CIFAR-10 files, checked by their MD5",
                str(error),
                "Fetch them again.",
            )
        ) from error
    train, test = (
        Split(np.ascontiguousarray(part.data.transpose(0, 3, 1, 2)), np.asarray(part.targets, dtype=np.int64))
        for part in parts
    )
    return train, test


def _read_residuals(file: Path) -> Split:
    """Decode images stored as 2-D differences of the planes G, R-G, B-G, all modulo 256."""
    try:
        with np.load(file, allow_pickle=False) as packed:
            planes = np.cumsum(np.cumsum(packed["r"], axis=2, dtype=np.uint8), axis=3, dtype=np.uint8)
            labels, expected = packed["y"].astype(np.int64), str(packed["sha256"])
    except _UNREADABLE as error:
        raise UsageError(
            complaint(f"read {str(file)!r}", "a packed image file", str(error), "Fetch the file again.")
        ) from error
    images = np.stack([planes[:, 1] + planes[:, 0], planes[:, 0], planes[:, 2] + planes[:, 0]], axis=1)
    found = hashlib.sha256(images.data).hexdigest()
    if found != expected:
        raise UsageError(complaint(f"read {str(file)!r}", f"content {expected}", found, "Fetch the file again."))
    return Split(images, labels)
