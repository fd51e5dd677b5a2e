"""Images with named splits, held in memory as bytes or left in files. Torch-free."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.seeds import derive_seed

SplitName = Literal["train", "val", "test"]


class StoredImages(ABC):
    """Images that lie in files: indexed like the array they stand for, and decoded when they are asked for.

    Nothing decoded is kept. `np.asarray` decodes all of them.
    """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int, int]:
        """What the array's would be: (n, 3, H, W)."""

    @abstractmethod
    def decode(self, rows: np.ndarray) -> np.ndarray:
        """Decode some images: uint8, shape (len(rows), 3, H, W)."""

    @abstractmethod
    def identity(self) -> bytes:
        """Return what tells these images from others without decoding them."""

    def decode_whole(self, rows: np.ndarray) -> list[np.ndarray]:
        """Decode some images as large as they are kept: uint8, shape (3, h, w) each, any h and w."""
        return list(self.decode(rows))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        first, *others = index if isinstance(index, tuple) else (index,)
        rows = np.arange(len(self))[first]
        if isinstance(first, slice):
            return self.decode(rows)[:, *others]
        asked, place = np.unique(rows, return_inverse=True)
        return self.decode(asked)[place.reshape(rows.shape), *others]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.asarray(self.decode(np.arange(len(self))), dtype)


class JoinedImages(StoredImages):
    """Images of which at least some lie in files, one collection after the other; all of one size."""

    def __init__(self, first: np.ndarray | StoredImages, second: np.ndarray | StoredImages) -> None:
        self._parts = first, second

    @property
    def shape(self) -> tuple[int, int, int, int]:
        first, second = self._parts
        return (len(first) + len(second), *first.shape[1:])

    def decode(self, rows: np.ndarray) -> np.ndarray:
        return np.stack(self._gathered(rows, lambda images, own: images[own])) if len(rows) else self._parts[0][rows]

    def decode_whole(self, rows: np.ndarray) -> list[np.ndarray]:
        return self._gathered(
            rows, lambda images, own: images.decode_whole(own) if isinstance(images, StoredImages) else images[own]
        )

    def identity(self) -> bytes:
        return b"".join(bytes(_identity(images)) for images in self._parts)

    def _gathered(
        self, rows: np.ndarray, take: Callable[[np.ndarray | StoredImages, np.ndarray], Iterable[np.ndarray]]
    ) -> list[np.ndarray]:
        """Take some rows of each part, in the order asked for."""
        first, second = self._parts
        later = rows >= len(first)
        of_first, of_second = iter(take(first, rows[~later])), iter(take(second, rows[later] - len(first)))
        return [next(of_second if is_later else of_first) for is_later in later]


def _identity(images: np.ndarray | StoredImages) -> bytes | memoryview:
    return images.identity() if isinstance(images, StoredImages) else np.ascontiguousarray(images).data


class Split(NamedTuple):
    """Images and their labels.

    Attributes:
        images: uint8, shape (n, 3, H, W), RGB: an array, or what stands for one until it is needed.
        labels: int64, shape (n,), in 0 .. num_classes - 1.
    """

    images: np.ndarray | StoredImages
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, indices: np.ndarray) -> Split:
        """Return the chosen images, in the order of the indices; those that were stored are decoded."""
        return Split(self.images[indices], self.labels[indices])

    def followed_by(self, other: Split) -> Split:
        """Return the images of both, in order; what lies in files stays there."""
        labels = np.concatenate([self.labels, other.labels])
        if isinstance(self.images, StoredImages) or isinstance(other.images, StoredImages):
            return Split(JoinedImages(self.images, other.images), labels)
        return Split(np.concatenate([self.images, other.images]), labels)

    def fingerprint(self) -> str:
        """Hash the content, or the identity of stored images, to 16 hex digits: what a protocol keeps of the data."""
        images = self.images
        digest = hashlib.sha256(str(images.shape).encode())
        digest.update(_identity(images))
        digest.update(np.ascontiguousarray(self.labels, dtype=np.int64).data)
        return digest.hexdigest()[:16]


@dataclass(frozen=True)
class DataProtocol:
    """What a data set does to its images: with a fingerprint of the images themselves, all that decides a number."""

    name: str
    num_classes: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    crop_padding: int
    horizontal_flip: bool


class ImageData(ABC):
    """A data set: where its images are, how they are split, and what training may do to them.

    Nothing is read before the first split is asked for. Search sees "train" and "val"; "test" is for the end.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """Name for protocols and reports."""

    @property
    @abstractmethod
    def num_classes(self) -> int:
        """Number of classes."""

    @property
    @abstractmethod
    def mean(self) -> tuple[float, float, float]:
        """Per-channel mean of the pixels on the scale 0..1."""

    @property
    @abstractmethod
    def std(self) -> tuple[float, float, float]:
        """Per-channel deviation of the pixels on the scale 0..1."""

    @property
    @abstractmethod
    def crop_padding(self) -> int:
        """Zero pixels added on each side before a random crop back to size; 0 is no crop."""

    @property
    @abstractmethod
    def horizontal_flip(self) -> bool:
        """Whether training may mirror an image."""

    @property
    def holds_out_test_images(self) -> bool:
        """Whether "val" is a part of the official test images, so that all training images are trained on anyway."""
        return False

    def __getstate__(self) -> dict[str, Any]:
        """Leave the images behind, which another process reads for itself."""
        return {name: value for name, value in self.__dict__.items() if name != "splits"}

    @property
    def protocol(self) -> DataProtocol:
        """The properties above, for the protocols of estimators and trainings."""
        return DataProtocol(self.name, self.num_classes, self.mean, self.std, self.crop_padding, self.horizontal_flip)

    @abstractmethod
    def load(self) -> dict[SplitName, Split]:
        """Read all splits.

        Raises:
            UsageError: If the files are not where the arguments say.
        """

    @cached_property
    def splits(self) -> dict[SplitName, Split]:
        """All splits, read once."""
        return self.load()


def proxy_subset(split: Split, classes: int | None, images_per_class: int | None, seed: int) -> Split:
    """Draw the condensed data set of ST-NAS (Sec. 3.3): some classes, a few images of each.

    Args:
        split: Where to draw from.
        classes: How many classes; None is all.
        images_per_class: How many images of each; None is all there are.
        seed: Decides classes and images.

    Returns:
        The images in the order of the split, `classes * images_per_class` where both are numbers; labels are those of
        the split, so that the network keeps the outputs of the full task.

    Raises:
        UsageError: If the split has fewer classes, or a class fewer images.
    """
    rng = np.random.default_rng(derive_seed(seed, "proxy_subset"))
    present, counts = np.unique(split.labels, return_counts=True)
    classes = _within("classes", len(present) if classes is None else classes, len(present))
    chosen = np.sort(rng.choice(present, size=classes, replace=False))
    of_each = [np.flatnonzero(split.labels == label) for label in chosen]
    if images_per_class is not None:
        count = _within("images_per_class", images_per_class, int(counts[np.isin(present, chosen)].min()))
        of_each = [rng.choice(rows, count, replace=False) for rows in of_each]
    return split.take(np.sort(np.concatenate(of_each)))


def _within(name: str, number: int, most: int) -> int:
    if not 1 <= number <= most:
        call = f"proxy_subset({name}={number})"
        raise UsageError(complaint(call, f"1 <= {name} <= {most}", number, "Ask for fewer."))
    return number
