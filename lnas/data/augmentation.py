"""What training does to its images beyond flips and crops, by the names and numbers of the field. Torch-free."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lnas.errors import UsageError, complaint

POLICIES = ("trivial", "rand", "autoaugment-cifar10", "autoaugment-imagenet")
"""The policies of torchvision that `Augmentation.auto` knows by name."""

_TIMM_POLICY = re.compile(r"rand-m\d+(-n\d+)?(-mstd\d+(\.\d+)?)?(-inc[01])?")


@dataclass(frozen=True)
class Augmentation:
    """How training images are changed after the flips and crops of their data set; as it is, not at all.

    In this order: `scale`, `auto` and `jitter` as an image is loaded; the data set's flips and padded crops, as the
    released AutoAugment has them, and its normalisation; `erasing`, `cutout`, and `mixup` or `cutmix`. Every image has
    draws of its own, but for the last two, which draw once for a batch.

    Args:
        cutout: Side in pixels of a square of zeros, its centre uniform over the image, so that it may hang over the
            edge. DARTS takes 16 on CIFAR-10.
        erasing: Probability that a rectangle of an image becomes noise: timm's `RandomErasing`, mode "pixel".
        mixup: Alpha of the Beta distribution of the weights by which images are mixed: timm's `Mixup`. 0 is never.
        cutmix: Alpha of the same for rectangles put into other images. With both, each batch takes either by a coin.
        auto: A policy of random operations: timm's "rand-m9-n2", or torchvision's "trivial", "rand",
            "autoaugment-cifar10" or "autoaugment-imagenet".
        scale: Smallest and largest part of an image's area that a random crop keeps, its sides 3:4 to 4:3, scaled to
            the size of the images: torchvision's `RandomResizedCrop`, in place of the padded crop. ImageNet trainings
            take (0.08, 1).
        jitter: How far brightness, contrast and saturation are scaled, 1 - jitter .. 1 + jitter, and twice how far the
            hue is turned: torchvision's `ColorJitter`. DARTS takes 0.4 on ImageNet.

    Raises:
        UsageError: If a number is out of its range or a policy unknown.

    Example:
        >>> Augmentation(cutout=16).plain
        False
        >>> Augmentation(erasing=2.0)
        Traceback (most recent call last):
        lnas.errors.UsageError: Augmentation(erasing=2.0): expected 0 <= erasing <= 1, got 2.0. Change it.
    """

    cutout: int = 0
    erasing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0
    auto: str | None = None
    scale: tuple[float, float] | None = None
    jitter: float = 0.0

    def __post_init__(self) -> None:
        _require(self.cutout >= 0, "cutout", self.cutout, "cutout >= 0 pixels")
        _require(0 <= self.erasing <= 1, "erasing", self.erasing, "0 <= erasing <= 1")
        _require(self.mixup >= 0, "mixup", self.mixup, "mixup >= 0")
        _require(self.cutmix >= 0, "cutmix", self.cutmix, "cutmix >= 0")
        _require(0 <= self.jitter <= 1, "jitter", self.jitter, "0 <= jitter <= 1")
        _require(_is_policy(self.auto), "auto", self.auto, f"None, 'rand-m9-n2' or one of {', '.join(POLICIES)}")
        _require(
            self.scale is None or 0 < self.scale[0] <= self.scale[1] <= 1, "scale", self.scale, "0 < from <= to <= 1"
        )

    @property
    def mixes(self) -> bool:
        """Whether images are mixed with each other, so that labels are probabilities (B, classes)."""
        return self.mixup > 0 or self.cutmix > 0

    @property
    def by_image(self) -> bool:
        """Whether it changes each image by itself, as the image is loaded."""
        return self.auto is not None or self.scale is not None or self.jitter > 0

    @property
    def plain(self) -> bool:
        """Whether it changes nothing."""
        return self == PLAIN


def _is_policy(name: str | None) -> bool:
    return name is None or name in POLICIES or _TIMM_POLICY.fullmatch(name) is not None


def _require(sound: bool, name: str, value: object, expected: str) -> None:
    if not sound:
        raise UsageError(complaint(f"Augmentation({name}={value!r})", expected, value, "Change it."))


PLAIN = Augmentation()
"""No change at all."""
