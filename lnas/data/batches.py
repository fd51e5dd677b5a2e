"""Batches of in-memory images: drawn by index, moved as bytes, augmented and normalised on the device."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from lnas.data.images import ImageData, Split, StoredImages
from lnas.data.windows import mirror, windows_at
from lnas.seeds import derive_seed

Batch = tuple[Tensor, Tensor]


class SplitDataset(Dataset[Batch]):
    """A split that is indexed by a whole batch of indices at once."""

    def __init__(self, split: Split) -> None:
        self._images: StoredImages | Tensor = (
            split.images
            if isinstance(split.images, StoredImages)
            else torch.from_numpy(np.ascontiguousarray(split.images))
        )
        self._labels = torch.from_numpy(np.ascontiguousarray(split.labels))

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, indices: Tensor) -> Batch:
        if isinstance(self._images, StoredImages):
            return torch.from_numpy(self._images[np.asarray(indices)]), self._labels[indices]
        indices = torch.as_tensor(indices)
        return self._images.index_select(0, indices), self._labels.index_select(0, indices)


@dataclass(frozen=True)
class Shard:
    """One of `count` equal parts of each batch, the `index`-th from 0; by default all of it."""

    index: int = 0
    count: int = 1

    def of(self, batch: Tensor) -> Tensor:
        """Return this part of a batch.

        Example:
            >>> Shard(1, 2).of(torch.arange(6)).tolist()
            [3, 4, 5]
        """
        return batch.chunk(self.count)[self.index]


WHOLE = Shard()


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

    Args:
        length: Images in all.
        batch_size: Images of a batch, over all processes.
        seed: Decides the order, together with the epoch.
        shard: Which part of each batch is served.
    """

    def __init__(self, length: int, batch_size: int, seed: int, shard: Shard = WHOLE) -> None:
        self._length = length
        self._batch_size = min(batch_size, length)
        self._seed = seed
        self._shard = shard
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next pass."""
        self._epoch = epoch

    def batch(self, step: int) -> Tensor:
        """Return the indices of a step, counted from 0 through all passes."""
        epoch, number = divmod(step, len(self))
        return self._shard.of(self._order(epoch)[number * self._batch_size : (number + 1) * self._batch_size])

    def __len__(self) -> int:
        return self._length // self._batch_size

    def __iter__(self) -> Iterator[Tensor]:
        for batch in self._order(self._epoch).split(self._batch_size)[: len(self)]:
            yield self._shard.of(batch)

    def _order(self, epoch: int) -> Tensor:
        generator = torch.Generator().manual_seed(derive_seed(self._seed, "shuffle", epoch))
        return torch.randperm(self._length, generator=generator)


class Numbered(Shuffled):
    """The batches of `Shuffled`, each with the number of its epoch."""

    def __iter__(self) -> Iterator[tuple[int, Tensor]]:  # type: ignore[override]
        for batch in super().__iter__():
            yield self._epoch, batch


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


def batch_loader(dataset: SplitDataset, batches: Sampler[Any], workers: int = 0) -> DataLoader[Batch]:
    """Load whole batches by index: in this process, where the images lie in memory already, or in others.

    The loader has a generator of its own, since it draws a number whenever it is iterated, and that may happen once
    more in a resumed epoch than in an uninterrupted one.
    """
    return DataLoader(
        dataset,
        batch_size=None,
        sampler=batches,
        num_workers=workers,
        persistent_workers=workers > 0,
        generator=torch.Generator(),
    )


def normalize(images: Tensor, mean: tuple[float, ...], std: tuple[float, ...]) -> Tensor:
    """Turn bytes (B, C, H, W) into float32 with zero mean and unit deviation, in the layout they came in."""
    shape = (1, len(mean), 1, 1)
    mean_tensor = torch.tensor(mean, device=images.device).view(shape)
    std_tensor = torch.tensor(std, device=images.device).view(shape)
    return images.float().div_(255).sub_(mean_tensor).div_(std_tensor)


def random_flip(images: Tensor) -> Tensor:
    """Mirror each image (B, C, H, W) left to right with probability one half, by the global generator."""
    drawn = torch.rand(len(images), 1, 1, 1, device=images.device)
    return mirror(images, drawn.flatten() < 0.5)


def random_crop(images: Tensor, padding: int) -> Tensor:
    """Pad each image (B, C, H, W) with zeros and cut it back to size at a random place, by the global generator.

    Returns:
        Same shape.
    """
    count, _, height, width = images.shape
    top, left = torch.randint(2 * padding + 1, (2, count, 1), device=images.device).squeeze(-1)
    padded = torch.nn.functional.pad(images, [padding] * 4)
    return windows_at(padded, top, left, height, width)


def prepare(batch: Batch, data: ImageData, augment: bool, padding: int | None = None) -> Batch:
    """Turn a batch of bytes into what a network trains on: flipped and cropped if asked, then normalised.

    Args:
        batch: Images, uint8, shape (B, 3, H, W), and labels.
        data: Where they are from.
        augment: Whether they are flipped and cropped as the data allows.
        padding: Of the crop, in place of the data's.

    Returns:
        Images, float32, contiguous, and labels.
    """
    images, labels = batch
    padding = data.crop_padding if padding is None else padding
    if augment and data.horizontal_flip:
        images = random_flip(images)
    if augment and padding:
        images = random_crop(images, padding)
    return normalize(images, data.mean, data.std).contiguous(), labels
