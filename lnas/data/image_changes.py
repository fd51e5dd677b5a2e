"""Augmentation of one image by itself, as bytes: crops at a random scale, policies of random operations, colours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from PIL import Image
from timm.data.auto_augment import rand_augment_transform
from torch import Tensor
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional

from lnas.data.augmentation import Augmentation
from lnas.data.batches import Batch, SplitDataset
from lnas.data.images import ImageData, Split, StoredImages
from lnas.randomness import isolated_randomness, seed_generators
from lnas.seeds import derive_seed

ImageChange = Callable[[Tensor], Tensor]


def image_change(augmentation: Augmentation, pixels: tuple[int, int], mean: tuple[float, ...]) -> ImageChange:
    """Make what changes one image: uint8, shape (3, h, w), to (3, *pixels) if it is cropped at a random scale.

    It draws from the global generators of Python, NumPy and PyTorch.

    Args:
        augmentation: Says which of scale, policy and colours.
        pixels: Height and width after a crop at a random scale.
        mean: Of the images' channels on the scale 0..1: the colour of what timm's operations move in from outside.
    """
    steps: list[Any] = []
    if augmentation.scale is not None:
        steps.append(v2.RandomResizedCrop(pixels, scale=augmentation.scale, antialias=True))
    if augmentation.auto is not None:
        steps.append(_policy(augmentation.auto, mean))
    if augmentation.jitter:
        jitter = augmentation.jitter
        steps.append(v2.ColorJitter(brightness=jitter, contrast=jitter, saturation=jitter, hue=jitter / 2))
    return steps[0] if len(steps) == 1 else v2.Compose(steps)


def _policy(name: str, mean: tuple[float, ...]) -> ImageChange:
    match name:
        case "trivial":
            return v2.TrivialAugmentWide()
        case "rand":
            return v2.RandAugment()
        case "autoaugment-cifar10":
            return v2.AutoAugment(v2.AutoAugmentPolicy.CIFAR10)
        case "autoaugment-imagenet":
            return v2.AutoAugment(v2.AutoAugmentPolicy.IMAGENET)
    change = rand_augment_transform(name, {"img_mean": tuple(round(255 * channel) for channel in mean)})
    return partial(_by_pillow, change)


def _by_pillow(change: Callable[[Image.Image], Image.Image], image: Tensor) -> Tensor:
    return functional.pil_to_tensor(change(functional.to_pil_image(image)))


class ChangedDataset(SplitDataset):
    """A split of which each image is changed anew in each epoch, before anything else is done to it.

    Indexed by the number of an epoch and the indices of a batch. What is drawn for an image depends on the seed, the
    epoch and the image's index alone: not on batches, workers or processes.

    Args:
        split: The images.
        data: Where they are from: their mean.
        augmentation: What changes them.
        seed: Decides all draws, together with epoch and index.
    """

    def __init__(self, split: Split, data: ImageData, augmentation: Augmentation, seed: int) -> None:
        super().__init__(split)
        height, width = split.images.shape[2:]
        self._change = image_change(augmentation, (height, width), data.mean)
        self._scaled = augmentation.scale is not None
        self._seed = seed

    def __getitem__(self, drawn: tuple[int, Tensor]) -> Batch:  # type: ignore[override]
        epoch, indices = drawn
        images, labels = self._unchanged(indices)
        changed = []
        with isolated_randomness(0, "cpu"):
            for index, image in zip(indices.tolist(), images, strict=True):
                seed_generators(derive_seed(self._seed, "image", epoch, index), "cpu")
                changed.append(self._change(image))
        return torch.stack(changed), labels

    def _unchanged(self, indices: Tensor) -> tuple[Tensor | list[Tensor], Tensor]:
        """Return images and labels; images that are cut at a random scale as large as they lie in their files."""
        if self._scaled and isinstance(self._images, StoredImages):
            whole = self._images.decode_whole(indices.numpy())
            return [torch.from_numpy(image) for image in whole], self._labels.index_select(0, indices)
        return super().__getitem__(indices)
