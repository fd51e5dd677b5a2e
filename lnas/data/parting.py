"""Which of a data set's official images are trained on, which are held out, and which are for the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from lnas.data.images import Split, SplitName
from lnas.data.packed import UNREADABLE
from lnas.errors import UsageError, complaint, unknown_name
from lnas.seeds import derive_seed

HeldOut = Literal["half", "last_fifth", "test_half"]

_OF_TRAIN, _OF_TEST = ("train", "valid"), ("xvalid", "xtest")

Official = tuple[Split, Split]
Indices = tuple[np.ndarray, np.ndarray]


class Parting:
    """How official training and test images become "train", "val" and "test".

    Args:
        data: Name of the class that parts, for errors and as the seed's salt.
        held_out: "half" draws "val" from the training images at random, and leaves all test images for "test";
            "last_fifth" takes the last fifth of the training images in the order of the files, as the study of one-shot
            estimators does; "test_half" trains on all training images, and draws a half of the test images as "val",
            the other being "test", as NAS-Bench-201 does on CIFAR-100 and ImageNet16-120.
        split_file: Published indices, which then decide alone: an `.npz`, or NAS-Bench-201's text, with `train` and
            `valid` of the training images, or `xvalid` and `xtest` of the test images.
        seed: Decides random halves.

    Raises:
        UsageError: If there is no such way of holding out.
    """

    def __init__(self, data: str, held_out: HeldOut, split_file: str | None, seed: int) -> None:
        if held_out not in get_args(HeldOut):
            known = get_args(HeldOut)
            raise UsageError(f"{data}(held_out={held_out!r}): {unknown_name('held_out', str(held_out), known)}")
        self._data = data
        self._held_out: HeldOut = held_out
        self._split_file = None if split_file is None else Path(split_file)
        self._seed = seed

    @property
    def by_order(self) -> bool:
        """Whether it needs the images in their official order."""
        return self._split_file is not None or self._held_out == "last_fifth"

    @property
    def of_test(self) -> bool:
        """Whether "val" is a part of the official test images.

        Raises:
            UsageError: If the split file is none.
        """
        return (
            self._held_out == "test_half"
            if self._split_file is None
            else self._published(self._split_file)[0] == _OF_TEST
        )

    def part(self, read: Callable[[], Official]) -> dict[SplitName, Split]:
        """Read the official images, and part them.

        Raises:
            UsageError: If the split file is none, before anything is read, or does not fit the images.
        """
        if self._split_file is None:
            train, test = read()
            return self._drawn(train, test)
        names, indices = self._published(self._split_file)
        train, test = read()
        of_test = names == _OF_TEST
        self._require_within(indices, len(test if of_test else train))
        return _taken(train, test, of_test, indices)

    def _drawn(self, train: Split, test: Split) -> dict[SplitName, Split]:
        match self._held_out:
            case "test_half":
                return _taken(train, test, True, self._halves(len(test)))
            case "half":
                return _taken(train, test, False, self._halves(len(train)))
            case "last_fifth":
                first, last = np.split(np.arange(len(train)), [len(train) * 4 // 5])
                return _taken(train, test, False, (first, last))

    def _halves(self, length: int) -> Indices:
        order = np.random.default_rng(derive_seed(self._seed, self._data)).permutation(length)
        return np.sort(order[: length // 2]), np.sort(order[length // 2 :])

    def _published(self, file: Path) -> tuple[tuple[str, str], Indices]:
        try:
            arrays = _read_text(file) if file.suffix == ".txt" else _read_arrays(file)
            names = _OF_TEST if set(_OF_TEST) <= arrays.keys() else _OF_TRAIN
            first, second = (np.atleast_1d(arrays[name]) for name in names)
            return names, (first, second)
        except (*UNREADABLE, TypeError, AttributeError) as error:
            raise self._unfit(str(error)) from error

    def _require_within(self, indices: Indices, length: int) -> None:
        both = np.concatenate(indices)
        if both.dtype.kind not in "iu" or not all(len(own) for own in indices):
            raise self._unfit("no indices")
        if len(np.unique(both)) != len(both) or both.min() < 0 or both.max() >= length:
            raise self._unfit(f"indices that overlap or lie outside 0..{length - 1}")

    def _unfit(self, got: str) -> UsageError:
        call = f"{self._data}(split_file={str(self._split_file)!r})"
        expected = "an .npz with index arrays `train` and `valid`, or `xvalid` and `xtest` of the test images"
        return UsageError(complaint(call, expected, got, "Leave split_file out for random halves."))


def _taken(train: Split, test: Split, of_test: bool, indices: Indices) -> dict[SplitName, Split]:
    first, second = ((test if of_test else train).take(own) for own in indices)
    if of_test:
        return {"train": train, "val": first, "test": second}
    return {"train": first, "val": second, "test": test}


def _read_arrays(file: Path) -> Mapping[str, np.ndarray]:
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays}


def _read_text(file: Path) -> Mapping[str, np.ndarray]:
    """Read the text files of NAS-Bench-201: {"xvalid": ["int", ["1", "3", ...]], ...}."""
    parts = json.loads(file.read_text())
    return {name: np.array([int(index) for index in indices]) for name, (_, indices) in parts.items()}
