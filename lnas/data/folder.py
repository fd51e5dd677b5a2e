"""Images in folders, one for each class: ImageNet, and whatever is laid out alike."""

from __future__ import annotations

import os
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from lnas.data.images import ImageData, Split, SplitName, StoredImages
from lnas.errors import UsageError, complaint, unknown_name
from lnas.seeds import derive_seed

if TYPE_CHECKING:
    from PIL import Image

_TRAIN, _TEST = ("train",), ("val", "validation")
_SUFFIXES = (".jpg", ".jpeg", ".png", ".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp")
_FEWEST = 2

Corrupt = Literal["refuse", "skip"]


class FileImages(StoredImages):
    """Image files as square RGB images.

    The shorter side is scaled to `pixels`, bilinearly, and the middle of the longer one kept: the numbers are those of
    torchvision's `Resize(pixels)` and `CenterCrop(pixels)`.

    Args:
        root: Folder of the files.
        names: Of the files, below it.
        pixels: Height and width of the images.
    """

    def __init__(self, root: Path, names: Sequence[str], pixels: int) -> None:
        self._root = root
        self._names = names
        self._pixels = pixels

    def of(self, rows: np.ndarray) -> FileImages:
        """Return some of the images, in files as before."""
        return FileImages(self._root, [self._names[row] for row in rows.tolist()], self._pixels)

    def files(self, rows: Sequence[int]) -> list[Path]:
        """Return the files of some images."""
        return [self._root / self._names[row] for row in rows]

    @property
    def shape(self) -> tuple[int, int, int, int]:
        return (len(self._names), 3, self._pixels, self._pixels)

    def decode(self, rows: np.ndarray) -> np.ndarray:
        images = np.empty((len(rows), *self.shape[1:]), dtype=np.uint8)
        for image, row in zip(images, rows.tolist(), strict=True):
            image[:] = self._decoded(self._root / self._names[row])
        return images

    def unreadable(self) -> list[int]:
        """Return the rows of images that cannot be decoded: decodes all of them, on all cores."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            sound = list(pool.map(self._is_sound, self._names))
        return [row for row, is_sound in enumerate(sound) if not is_sound]

    def decode_whole(self, rows: np.ndarray) -> list[np.ndarray]:
        whole = [self._opened(self._root / self._names[row], np.asarray) for row in rows.tolist()]
        return [np.ascontiguousarray(image.transpose(2, 0, 1)) for image in whole]

    def identity(self) -> bytes:
        """Return the files' names and sizes in bytes: reading ImageNet takes hours, and this seconds."""
        return "\n".join(f"{name} {(self._root / name).stat().st_size}" for name in self._names).encode()

    def _is_sound(self, name: str) -> bool:
        try:
            self._opened(self._root / name, np.asarray)
        except UsageError:
            return False
        return True

    def _decoded(self, file: Path) -> np.ndarray:
        return self._opened(file, lambda image: np.asarray(_middle(image, self._pixels))).transpose(2, 0, 1)

    @staticmethod
    def _opened(file: Path, take: Callable[[Image.Image], np.ndarray]) -> np.ndarray:
        from PIL import Image, UnidentifiedImageError

        try:
            with Image.open(file) as image:
                return take(image.convert("RGB"))
        except Exception as error:  # each decoder has its own kinds
            unknown = isinstance(error, UnidentifiedImageError)
            reason = "no format that Pillow knows" if unknown else f"{type(error).__name__}: {error}"
            step = "Fetch it again, or take it out."
            raise UsageError(complaint(f"image {str(file)!r}", "an image", reason, step)) from error


class ImageFolderData(ImageData):
    """Images in folders, as torchvision's `ImageFolder` takes them: ROOT/train/CLASS/... and ROOT/val/CLASS/...

    A part of each class's training images is held out as "val"; the folder's own validation images are "test". Folders
    inside a class's folder belong to it. An image is decoded when it is needed, so that a search on a proxy subset
    reads its images only; a retraining decodes each batch anew, by as many workers as it is given, and trainings in a
    few steps hold all images of a split in memory.

    Args:
        root: Folder with `train`, and `val` or `validation`.
        pixels: Height and width of the images: the shorter side is scaled to it, the longer one's ends cut off.
        classes: Which classes, by the names of their folders; or how many, the first in the order of names. All if not
            given.
        val_fraction: How much of each class's training images is held out, drawn once and for all.
        name: Of the data, for protocols and reports; the root folder's own if not given.
        mean: Per-channel mean of the pixels on the scale 0..1; ImageNet's if not given.
        std: Per-channel deviation of the pixels on the scale 0..1; ImageNet's if not given.
        crop_padding: Zero pixels added on each side before a random crop; an eighth of `pixels` if not given, as the 4
            of CIFAR-10's 32.
        horizontal_flip: Whether training may mirror an image.
        corrupt: What is done about files that cannot be decoded: "refuse" ends at the first that is needed; "skip"
            decodes all files once when the splits are first asked for, leaves out those that cannot be, and warns of
            their number. What is held out does not depend on it, and fingerprints of splits tell what was left out.

    Attributes:
        skipped: The files that were left out, relative to the root, once the splits were read.

    Raises:
        UsageError: If a number is out of its range. When the folders are first looked at: if they are not as described,
            a class has fewer than two training images, `val` has no images of it, or none is left of those that can be
            decoded. When an image is decoded: if its file is none.

    Trainings on ImageNet usually crop at a random scale, too: `Augmentation(scale=(0.08, 1))` does, out of images as
    large as they lie in their files.
    """

    def __init__(
        self,
        root: str,
        pixels: int = 224,
        classes: int | list[str] | None = None,
        val_fraction: float = 0.5,
        name: str | None = None,
        mean: tuple[float, float, float] = (0.485, 0.456, 0.406),
        std: tuple[float, float, float] = (0.229, 0.224, 0.225),
        crop_padding: int | None = None,
        horizontal_flip: bool = True,
        corrupt: Corrupt = "refuse",
    ) -> None:
        _require(pixels >= 1, "pixels", pixels, "pixels >= 1")
        _require(0 < val_fraction < 1, "val_fraction", val_fraction, "0 < val_fraction < 1")
        _require(crop_padding is None or crop_padding >= 0, "crop_padding", crop_padding, "crop_padding >= 0")
        _require(min(std) > 0, "std", std, "deviations > 0")
        if corrupt not in get_args(Corrupt):
            known = get_args(Corrupt)
            raise UsageError(f"ImageFolderData(corrupt={corrupt!r}): {unknown_name('corrupt', str(corrupt), known)}")
        self.skipped: tuple[str, ...] = ()
        self._root = Path(root)
        self._pixels = pixels
        self._classes = classes
        self._val_fraction = val_fraction
        self._name = name
        self._mean = mean
        self._std = std
        self._crop_padding = pixels // 8 if crop_padding is None else crop_padding
        self._horizontal_flip = horizontal_flip
        self._corrupt: Corrupt = corrupt

    @property
    def name(self) -> str:
        return self._name or self._root.resolve().name

    @property
    def num_classes(self) -> int:
        return len(self.classes)

    @property
    def mean(self) -> tuple[float, float, float]:
        return self._mean

    @property
    def std(self) -> tuple[float, float, float]:
        return self._std

    @property
    def crop_padding(self) -> int:
        return self._crop_padding

    @property
    def horizontal_flip(self) -> bool:
        return self._horizontal_flip

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes; label k is the k-th."""
        found = self._class_folders(_TRAIN)
        if self._classes is None:
            return tuple(found)
        if isinstance(self._classes, int):
            _require(1 <= self._classes <= len(found), "classes", self._classes, f"1 <= classes <= {len(found)}")
            return tuple(found[: self._classes])
        for name in self._classes:
            if name not in found:
                raise UsageError(f"ImageFolderData(classes=...): {unknown_name('class', name, found)}")
        _require(len(self._classes) > 0, "classes", self._classes, "at least one class")
        return tuple(sorted(set(self._classes)))

    def load(self) -> dict[SplitName, Split]:
        train, val = {}, {}
        for name, files in self._files(_TRAIN, _FEWEST).items():
            train[name], val[name] = self._divided(name, files)
        self._require_known(self._class_folders(_TEST))
        test = self._files(_TEST, 1)
        every: dict[SplitName, Split] = {
            "train": self._split(_TRAIN, train),
            "val": self._split(_TRAIN, val),
            "test": self._split(_TEST, test),
        }
        return every if self._corrupt == "refuse" else self._decodable(every)

    def _decodable(self, splits: Mapping[SplitName, Split]) -> dict[SplitName, Split]:
        """Leave out what cannot be decoded, and say so."""
        kept, skipped = {}, []
        for name, split in splits.items():
            images: Any = split.images
            corrupt = images.unreadable()
            sound = np.setdiff1d(np.arange(len(split)), corrupt)
            self._require_every_class(name, split.labels[sound])
            kept[name] = Split(images.of(sound), split.labels[sound])
            skipped += [str(file.relative_to(self._root)) for file in images.files(corrupt)]
        self.skipped = tuple(skipped)
        if skipped:
            what = "image cannot be decoded and is" if len(skipped) == 1 else "images cannot be decoded and are"
            warnings.warn(f"{self._call}: {len(skipped)} {what} left out: {_first_of(skipped)}", stacklevel=2)
        return kept

    def _require_every_class(self, name: SplitName, labels: np.ndarray) -> None:
        missing = sorted(set(range(self.num_classes)) - set(labels.tolist()))
        if missing:
            expected = f"images of each class in {name!r} that can be decoded"
            got = f"none of {self.classes[missing[0]]!r}"
            raise UsageError(complaint(self._call, expected, got, "Fetch them again."))

    def _divided(self, name: str, files: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return what remains to train on and what is held out, at least one of each, in order."""
        order = np.random.default_rng(derive_seed("ImageFolderData", name)).permutation(len(files))
        held_out = min(max(round(self._val_fraction * len(files)), 1), len(files) - 1)
        val, train = np.sort(order[:held_out]), np.sort(order[held_out:])
        return [files[k] for k in train], [files[k] for k in val]

    def _require_known(self, tested: Sequence[str]) -> None:
        unknown = sorted({*tested} - {*self._class_folders(_TRAIN)})
        if unknown:
            where, step = str(self._folder(_TEST)), "Put each image into the folder of its class."
            expected = f"folders of the classes of {str(self._folder(_TRAIN))!r} in {where!r}"
            raise UsageError(complaint(self._call, expected, unknown[0], step))

    def _split(self, folder: Sequence[str], files: Mapping[str, Sequence[str]]) -> Split:
        names = [name for of_class in files.values() for name in of_class]
        labels = np.repeat(np.arange(len(files)), [len(of_class) for of_class in files.values()])
        return Split(FileImages(self._folder(folder), names, self._pixels), labels.astype(np.int64))

    def _files(self, folder: Sequence[str], fewest: int) -> dict[str, list[str]]:
        """Return the names of each class's files, in order, relative to the folder of the classes."""
        top = self._folder(folder)
        files = {name: sorted(_images_below(top, name)) for name in self.classes}
        for name, found in files.items():
            if len(found) < fewest:
                expected = f"at least {_several(fewest)} in {str(top / name)!r}"
                step = f"An image's name ends in {', '.join(_SUFFIXES)}."
                raise UsageError(complaint(self._call, expected, len(found), step))
        return files

    def _class_folders(self, folder: Sequence[str]) -> list[str]:
        top = self._folder(folder)
        found = sorted(entry.name for entry in os.scandir(top) if entry.is_dir())
        if not found:
            step = "Put the images of each class into a folder of its own."
            raise UsageError(complaint(self._call, f"a folder for each class in {str(top)!r}", "none", step))
        return found

    def _folder(self, names: Sequence[str]) -> Path:
        found = [self._root / name for name in names if (self._root / name).is_dir()]
        if not found:
            expected = f"a folder with {' or '.join(f'`{name}`' for name in names)}"
            raise UsageError(complaint(self._call, expected, *_what_is_at(self._root)))
        return found[0]

    @property
    def _call(self) -> str:
        return f"ImageFolderData(root={str(self._root)!r})"


def _middle(image: Image.Image, pixels: int) -> Image.Image:
    """Scale the shorter side to so many pixels, and keep the middle of the longer one."""
    from PIL import Image

    shorter = min(image.size)
    width, height = (int(pixels * side / shorter) for side in image.size)
    left, top = round((width - pixels) / 2), round((height - pixels) / 2)
    scaled = image.resize((width, height), Image.Resampling.BILINEAR)
    return scaled.crop((left, top, left + pixels, top + pixels))


def _images_below(top: Path, name: str) -> Iterator[str]:
    for folder, _, files in os.walk(top / name, followlinks=True):
        below = Path(folder).relative_to(top)
        yield from ((below / file).as_posix() for file in files if file.lower().endswith(_SUFFIXES))


def _what_is_at(root: Path) -> tuple[str, str]:
    """Return what a path leads to, and what to do about it."""
    if root.is_file():
        if zipfile.is_zipfile(root):
            return "a zip file", "Unpack it, and name the folder."
        return "a file", "Name the folder."
    if not root.is_dir():
        return "no such folder", "Point --data.root at one."
    return f"one with {_listed(root)}", "Point --data.root at the folder above."


def _listed(folder: Path) -> str:
    return _first_of(sorted(entry.name for entry in os.scandir(folder))) or "nothing"


def _first_of(names: Sequence[str]) -> str:
    shown = ", ".join(names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def _several(number: int) -> str:
    return "one image" if number == 1 else f"{number} images"


def _require(sound: bool, name: str, value: Any, expected: str) -> None:
    if not sound:
        raise UsageError(complaint(f"ImageFolderData({name}={value!r})", expected, value, "Change it."))
