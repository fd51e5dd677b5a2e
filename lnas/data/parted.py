"""What data sets of small images with official training and test parts have in common."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path

from lnas.data.images import ImageData, Split, SplitName
from lnas.data.parting import HeldOut, Official, Parting
from lnas.errors import UsageError, complaint


class PartedData(ImageData):
    """Official training and test images in files, parted into "train", "val" and "test"; mirrored in training.

    Args:
        root: Folder of the files.
        split_file: Published indices, as `Parting` says.
        seed: Decides random halves.
        held_out: What "val" is without a split file, as `Parting` says.
    """

    def __init__(self, root: str, split_file: str | None, seed: int, held_out: HeldOut) -> None:
        self._root = Path(root)
        self._parting = Parting(type(self).__name__, held_out, split_file, seed)

    @property
    def horizontal_flip(self) -> bool:
        return True

    @property
    def holds_out_test_images(self) -> bool:
        return self._parting.of_test

    def load(self) -> dict[SplitName, Split]:
        return self._parting.part(self._read)

    @abstractmethod
    def _read(self) -> Official:
        """Read all training images and all test images."""

    def _require_no_order(self, file: Path) -> None:
        """Refuse a file whose images are not in the official order, where parting them needs it."""
        if self._parting.by_order:
            step = "Leave split_file and held_out out."
            raise UsageError(complaint(self._call, "images in the official order", file.name, step))

    @property
    def _call(self) -> str:
        return f"{type(self).__name__}(root={str(self._root)!r})"

    def _nothing_there(self, expected: str, next_step: str) -> UsageError:
        got = "none of them there" if self._root.is_dir() else "no such folder"
        return UsageError(complaint(self._call, expected, got, f"Point --data.root at one{next_step}."))
