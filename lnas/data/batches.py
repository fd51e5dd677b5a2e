"""Batches of in-memory images: drawn by index, moved as bytes, augmented and normalised on the device."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from lnas.data.images import ImageData, Split, StoredImages
from lnas.seeds import derive_seed

Batch = tuple[Tensor, Tensor]


class SplitDataset(Dataset[Batch]):
    """A split that is indexed by a whole batch of indices at once."""

    def __init__(self, split: Split) -> None:
        stored = isinstance(split.images, StoredImages)
        self._images = split.images if stored else torch.from_numpy(np.ascontiguousarray(split.images))
        self._labels = torch.from_numpy(np.ascontiguousarray(split.labels))

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, indices: Tensor) -> Batch:
        if isinstance(self._images, StoredImages):
            return torch.from_numpy(self._images[np.asarray(indices)]), self._labels[indices]
        return self._images[indices], self._labels[indices]


class InOrder(Sampler[Tensor]):
    """Batches in the order of the split; the last may be smaller."""

    def __init__(self, length: int, batch_size: int) -> None:
        self._batches = torch.arange(length).split(batch_size)

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Tensor]:
        yield from self._batches


class Shuffled(Sampler[Tensor]):
    """Batches in an order that depends on the seed and the epoch alone; the last, if smaller, is dropped.

    Lightning calls `set_epoch` before each epoch, so a resumed training sees the same batches.
    """

    def __init__(self, length: int, batch_size: int, seed: int) -> None:
        self._length = length
        self._batch_size = min(batch_size, length)
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next pass."""
        self._epoch = epoch

    def batch(self, step: int) -> Tensor:
        """Return the indices of a step, counted from 0 through all passes."""
        epoch, number = divmod(step, len(self))
        return self._order(epoch)[number * self._batch_size : (number + 1) * self._batch_size]

    def __len__(self) -> int:
        return self._length // self._batch_size

    def __iter__(self) -> Iterator[Tensor]:
        yield from self._order(self._epoch).split(self._batch_size)[: len(self)]

    def _order(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(derive_seed(self._seed, "shuffle", epoch))
        return torch.randperm(self._length, generator=generator)


class PreparedBatches:
    """A split in batches as a network takes them, in order and not augmented; made as they are asked for.

    Args:
        split: The images.
        data: Where they are from: their normalisation.
        batch_size: Images per batch; the last may be smaller.
        first: How many batches at most; None is all.
    """

    def __init__(self, split: Split, data: ImageData, batch_size: int, first: int | None = None) -> None:
        self._split = SplitDataset(split)
        self._data = data
        self._order = InOrder(len(split), batch_size)
        self._first = first

    def __len__(self) -> int:
        return len(self._order) if self._first is None else min(self._first, len(self._order))

    def __iter__(self) -> Iterator[Batch]:
        for indices in islice(self._order, self._first):
            yield prepare(self._split[indices], self._data, augment=False)


def batch_loader(split: Split, batches: Sampler[Tensor]) -> DataLoader[Batch]:
    """Load whole batches by index, in this process: the images already lie in memory.

    The loader has a generator of its own, since it draws a number whenever it is iterated, and that may happen once
    more in a resumed epoch than in an uninterrupted one.
    """
    return DataLoader(SplitDataset(split), batch_size=None, sampler=batches, generator=torch.Generator())


def normalize(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Turn bytes (B, C, H, W) into float32 with zero mean and unit deviation, in the layout they came in."""
    shape = (1, len(mean), 1, 1)
    mean_tensor = torch.tensor(mean, device=images.device).view(shape)
    std_tensor = torch.tensor(std, device=images.device).view(shape)
    return images.float().div_(255).sub_(mean_tensor).div_(std_tensor)


def random_flip(images: Tensor) -> Tensor:
    """Mirror each image left to right with probability one half, by the global generator."""
    mirrored = torch.rand(len(images), 1, 1, 1, device=images.device) < 0.5
    return torch.where(mirrored, images.flip(-1), images)


def random_crop(images: Tensor, padding: int) -> Tensor:
    """Pad each image (B, C, H, W) with zeros and cut it back to size at a random place, by the global generator.

    Returns:
        Same shape.
    """
    count, _, height, width = images.shape
    padded = torch.nn.functional.pad(images, [padding] * 4)
    top, left = torch.randint(2 * padding + 1, (2, count, 1), device=images.device)
    rows = (top + torch.arange(height, device=images.device))[:, :, None]
    columns = (left + torch.arange(width, device=images.device))[:, None, :]
    which = torch.arange(count, device=images.device)[:, None, None]
    return padded[which, :, rows, columns].permute(0, 3, 1, 2)


def prepare(batch: Batch, data: ImageData, augment: bool) -> Batch:
    """Turn a batch of bytes into what a network trains on: flipped and cropped if asked, then normalised."""
    images, labels = batch
    if augment and data.horizontal_flip:
        images = random_flip(images)
    if augment and data.crop_padding:
        images = random_crop(images, data.crop_padding)
    return normalize(images, data.mean, data.std).contiguous(), labels
