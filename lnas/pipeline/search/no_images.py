"""What stands for the images where none are given: searches on tables need none."""

from __future__ import annotations

from typing import NoReturn

from lnas.data import ImageData
from lnas.data.images import Split, SplitName
from lnas.errors import UsageError, complaint


class _NoImages(ImageData):  # so named that no help lists it
    """Refuses to be looked at."""

    def _refuse(self) -> NoReturn:
        raise UsageError(complaint("lnas search", "images to measure on", "none", "Example: --data DigitsData."))

    @property
    def name(self) -> str:
        self._refuse()

    @property
    def num_classes(self) -> int:
        self._refuse()

    @property
    def mean(self) -> tuple[float, float, float]:
        self._refuse()

    @property
    def std(self) -> tuple[float, float, float]:
        self._refuse()

    @property
    def crop_padding(self) -> int:
        self._refuse()

    @property
    def horizontal_flip(self) -> bool:
        self._refuse()

    def load(self) -> dict[SplitName, Split]:
        self._refuse()


NO_IMAGES: ImageData = _NoImages()
"""Stands for images; whoever asks it for anything gets a `UsageError`."""
