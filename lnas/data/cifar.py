"""CIFAR-10 and CIFAR-100 from the files a user has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from lnas.data.images import Split
from lnas.data.packed import read_packed
from lnas.data.parted import PartedData
from lnas.data.parting import HeldOut, Official
from lnas.errors import UsageError, complaint

if TYPE_CHECKING:
    from torchvision.datasets import CIFAR10


class Cifar10Data(PartedData):
    """CIFAR-10, its training set parted into "train" and "val", halves of it as the benchmarks of the field have them.

    Args:
        root: Folder that holds torchvision's `cifar-10-batches-py`, or the lossless
            `cifar10_train_resid.npz` and `cifar10_test_resid.npz`, in itself or in a `cifar10` folder below.
        split_file: An `.npz` with the index arrays `train` and `valid`, or NAS-Bench-201's `cifar-split.txt`, for its
            published halves; None parts as `held_out` says.
        seed: Decides random halves.
        held_out: Where there is no split file: "half" draws "val" at random; "last_fifth" takes the last 10,000 images
            in the order of the files, as the study of one-shot estimators does; "test_half" draws it from the test set.

    Source: Krizhevsky 2009. Mean, deviation and augmentation (flip, then crop from 4 pixels of padding) as in
    NAS-Bench-201.
    """

    def __init__(self, root: str, split_file: str | None = None, seed: int = 0, held_out: HeldOut = "half") -> None:
        super().__init__(root, split_file, seed, held_out)

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

    def _read(self) -> Official:
        for folder in (self._root, self._root / "cifar10"):
            if (folder / "cifar-10-batches-py").is_dir():
                from torchvision.datasets import CIFAR10

                return _read_torchvision(CIFAR10, folder, "Cifar10Data")
            if (folder / "cifar10_train_resid.npz").is_file():
                return read_packed(folder / "cifar10_train_resid.npz"), read_packed(folder / "cifar10_test_resid.npz")
        raise self._nothing_there(
            "a folder with `cifar-10-batches-py` or `cifar10_train_resid.npz`",
            ", or fetch CIFAR-10 by torchvision.datasets.CIFAR10(root, download=True)",
        )


class Cifar100Data(PartedData):
    """CIFAR-100: all training images are trained on, halves of the test images are "val" and "test".

    Args:
        root: Folder that holds torchvision's `cifar-100-python`, or `cifar100_small_resid.npz`, a fifth of the images,
            in itself or in a `cifar100` folder below.
        split_file: An `.npz` with the index arrays `xvalid` and `xtest`, or NAS-Bench-201's `cifar100-test-split.txt`,
            for its published halves; None parts as `held_out` says.
        seed: Decides random halves.
        held_out: Where there is no split file: "test_half" draws a half of the test images as "val", as NAS-Bench-201
            does; "half" draws it from the training images; "last_fifth" takes their last fifth.

    The fifth is named "cifar100-small": it is in another order, and other numbers come of it.

    Source: Krizhevsky 2009. Mean, deviation and augmentation as in NAS-Bench-201.
    """

    def __init__(
        self, root: str, split_file: str | None = None, seed: int = 0, held_out: HeldOut = "test_half"
    ) -> None:
        super().__init__(root, split_file, seed, held_out)

    @property
    def name(self) -> str:
        return "cifar100" if self._official_folder or not self._small_file else "cifar100-small"

    @property
    def num_classes(self) -> int:
        return 100

    @property
    def mean(self) -> tuple[float, float, float]:
        return (129.3 / 255, 124.1 / 255, 112.4 / 255)

    @property
    def std(self) -> tuple[float, float, float]:
        return (68.2 / 255, 65.4 / 255, 70.4 / 255)

    @property
    def crop_padding(self) -> int:
        return 4

    def _read(self) -> Official:
        if self._official_folder:
            from torchvision.datasets import CIFAR100

            return _read_torchvision(CIFAR100, self._official_folder, "Cifar100Data")
        small = self._small_file
        if small is None:
            raise self._nothing_there(
                "a folder with `cifar-100-python` or `cifar100_small_resid.npz`",
                ", or fetch CIFAR-100 by torchvision.datasets.CIFAR100(root, download=True)",
            )
        self._require_no_order(small)
        return read_packed(small, "r_train", "y_train"), read_packed(small, "r_test", "y_test")

    @property
    def _official_folder(self) -> Path | None:
        folders = (self._root, self._root / "cifar100")
        return next((folder for folder in folders if (folder / "cifar-100-python").is_dir()), None)

    @property
    def _small_file(self) -> Path | None:
        files = (folder / "cifar100_small_resid.npz" for folder in (self._root, self._root / "cifar100"))
        return next((file for file in files if file.is_file()), None)


def _read_torchvision(dataset: type[CIFAR10], folder: Path, call: str) -> Official:
    try:
        train, test = (dataset(str(folder), train=train, download=False) for train in (True, False))
    except RuntimeError as error:
        expected = f"the official {dataset.__name__} files, checked by their MD5"
        raise UsageError(
            complaint(f"{call}(root={str(folder)!r})", expected, str(error), "Fetch them again.")
        ) from error
    return _as_split(train), _as_split(test)


def _as_split(part: CIFAR10) -> Split:
    return Split(np.ascontiguousarray(part.data.transpose(0, 3, 1, 2)), np.asarray(part.targets, dtype=np.int64))
