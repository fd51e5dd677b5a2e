"""Scikit-learn's handwritten digits: real images that need no download."""

from __future__ import annotations

import numpy as np

from lnas.data.images import ImageData, Split, SplitName
from lnas.seeds import derive_seed

_TRAIN, _VAL = 897, 300


class DigitsData(ImageData):
    """1,797 handwritten digits of 8 x 8 pixels, ten classes: 897 to train, 300 to validate, 600 to test.

    Grey values 0..16 are spread over 0..255 and repeated in three channels. Training may shift a digit by a pixel.

    Args:
        seed: Decides the split.

    Source: Alpaydin and Kaynak 1998, UCI Machine Learning Repository (CC BY 4.0), the test part, as scikit-learn
    ships it.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed

    @property
    def name(self) -> str:
        return "digits"

    @property
    def num_classes(self) -> int:
        return 10

    @property
    def mean(self) -> tuple[float, float, float]:
        return (0.305, 0.305, 0.305)

    @property
    def std(self) -> tuple[float, float, float]:
        return (0.376, 0.376, 0.376)

    @property
    def crop_padding(self) -> int:
        return 1

    @property
    def horizontal_flip(self) -> bool:
        return False

    def load(self) -> dict[SplitName, Split]:
        from sklearn.datasets import load_digits

        digits = load_digits()
        grey = np.round(digits.images * (255 / 16)).astype(np.uint8)
        everything = Split(np.repeat(grey[:, None], 3, axis=1), digits.target.astype(np.int64))
        order = np.random.default_rng(derive_seed(self._seed, "DigitsData")).permutation(len(everything))
        train, val, test = np.split(order, [_TRAIN, _TRAIN + _VAL])
        return {"train": everything.take(train), "val": everything.take(val), "test": everything.take(test)}
