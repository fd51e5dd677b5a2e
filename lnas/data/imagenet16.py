"""ImageNet16-120 from the released files of the downsampled ImageNet."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lnas.data.image_pickles import read_pickled_batch
from lnas.data.images import Split
from lnas.data.packed import read_plain
from lnas.data.parted import PartedData
from lnas.data.parting import HeldOut, Official

_PIXELS, _CLASSES = 16, 120
_TRAIN_FILES = tuple(f"train_data_batch_{number}" for number in range(1, 11))
_TEST_FILES = ("val_data",)
_STAND_IN = "tin16_120_small.npz"


class ImageNet16Data(PartedData):
    """ImageNet16-120: the first 120 classes of ImageNet at 16 x 16 pixels, 151,700 images to train on.

    Halves of the 6,000 validation images are "val" and "test".

    Args:
        root: Folder that holds `train_data_batch_1` .. `train_data_batch_10` and `val_data`, or the stand-in
            `tin16_120_small.npz`, in itself or in a folder `ImageNet16` or `tiny_imagenet` below.
        split_file: An `.npz` with the index arrays `xvalid` and `xtest`, or NAS-Bench-201's
            `imagenet-16-120-test-split.txt`, for its published halves; None parts as `held_out` says.
        seed: Decides random halves.
        held_out: Where there is no split file: "test_half" draws a half of the validation images as "val", as
            NAS-Bench-201 does; "half" draws it from the training images; "last_fifth" takes their last fifth.

    The stand-in is 12,000 + 3,000 images of 120 classes of Tiny ImageNet. It is named "tin16-120": of the same shape
    and statistics of normalisation, but of other classes, its accuracies are no ImageNet16-120's.

    Source: Chrabaszcz et al. 2017; classes, mean, deviation and augmentation (flip, then crop from 2 pixels of padding)
    as in NAS-Bench-201.
    """

    def __init__(
        self, root: str, split_file: str | None = None, seed: int = 0, held_out: HeldOut = "test_half"
    ) -> None:
        super().__init__(root, split_file, seed, held_out)

    @property
    def name(self) -> str:
        return "tin16-120" if self._folder_with(_TEST_FILES[0]) is None and self._stand_in else "imagenet16-120"

    @property
    def num_classes(self) -> int:
        return _CLASSES

    @property
    def mean(self) -> tuple[float, float, float]:
        return (122.68 / 255, 116.66 / 255, 104.01 / 255)

    @property
    def std(self) -> tuple[float, float, float]:
        return (63.22 / 255, 61.26 / 255, 65.09 / 255)

    @property
    def crop_padding(self) -> int:
        return 2

    def _read(self) -> Official:
        folder, stand_in = self._folder_with(_TEST_FILES[0]), self._stand_in
        if folder is not None:
            return _read_released(folder, _TRAIN_FILES), _read_released(folder, _TEST_FILES)
        if stand_in is None:
            raise self._nothing_there(
                "a folder with `train_data_batch_1` .. `train_data_batch_10` and `val_data`, or `tin16_120_small.npz`",
                ", or fetch the downsampled ImageNet, 16 x 16, from image-net.org",
            )
        self._require_no_order(stand_in)
        return read_plain(stand_in, "x_train", "y_train"), read_plain(stand_in, "x_val", "y_val")

    @property
    def _stand_in(self) -> Path | None:
        folder = self._folder_with(_STAND_IN)
        return None if folder is None else folder / _STAND_IN

    def _folder_with(self, name: str) -> Path | None:
        folders = (self._root, self._root / "ImageNet16", self._root / "tiny_imagenet")
        return next((folder for folder in folders if (folder / name).is_file()), None)


def _read_released(folder: Path, names: tuple[str, ...]) -> Split:
    """Read the images of classes 1 to 120, which become 0 to 119."""
    parts = [_of_first_classes(*read_pickled_batch(folder / name, _PIXELS)) for name in names]
    return Split(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _of_first_classes(images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    chosen = (labels >= 1) & (labels <= _CLASSES)
    return images[chosen], labels[chosen] - 1
