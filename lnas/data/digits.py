"""Scikit-learn's handwritten digits: real images that need no download."""

from __future__ import annotations

import numpy as np

from lnas.data.images import ImageData, Split, SplitName
from lnas.errors import UsageError, complaint
from lnas.seeds import derive_seed

_IMAGES, _VAL, _LEAST = 1797, 300, 10


class DigitsData(ImageData):
    """1,797 handwritten digits of 8 x 8 pixels, ten classes: 300 to validate, the others to train and to test.

    Grey values 0..16 are spread over 0..255 and repeated in three channels. Training may shift a digit by a pixel.

    Args:
        seed: Decides the split, and the noise.
        train_images: How many to train on.
        noise: Deviation of Gaussian noise that is added to every pixel, once and for all, as a fraction of the range
            from black to white: makes the task harder. Values beyond black or white are cut.

    Source: Alpaydin and Kaynak 1998, UCI Machine Learning Repository (CC BY 4.0), the test part, as scikit-learn
    ships it.
    """

    def __init__(self, seed: int = 0, train_images: int = 897, noise: float = 0.0) -> None:
        if not _LEAST <= train_images <= _IMAGES - _VAL - _LEAST:
            expected = f"{_LEAST} <= train_images <= {_IMAGES - _VAL - _LEAST}"
            call = f"DigitsData(train_images={train_images})"
            raise UsageError(complaint(call, expected, train_images, "Change it."))
        if not 0 <= noise <= 1:
            raise UsageError(complaint(f"DigitsData(noise={noise})", "0 <= noise <= 1", noise, "Change it."))
        self._seed = seed
        self._train_images = train_images
        self._noise = noise

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
        grey = np.round(self._noisy(digits.images / 16) * 255).astype(np.uint8)
        everything = Split(np.repeat(grey[:, None], 3, axis=1), digits.target.astype(np.int64))
        order = np.random.default_rng(derive_seed(self._seed, "DigitsData")).permutation(len(everything))
        train, val, test = np.split(order, [self._train_images, self._train_images + _VAL])
        return {"train": everything.take(train), "val": everything.take(val), "test": everything.take(test)}

    def _noisy(self, images: np.ndarray) -> np.ndarray:
        if not self._noise:
            return images
        rng = np.random.default_rng(derive_seed(self._seed, "DigitsData noise"))
        return np.clip(images + self._noise * rng.standard_normal(images.shape), 0, 1)
