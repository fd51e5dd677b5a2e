"""Loading 32-pixel images for training: ours against torchvision's pipeline of one image after the other, in one run.

    python scripts/benchmark_loading.py [--batches 40] [--rounds 5] [--threads 1] [--workers 2]

Both flip, crop from 4 pixels of padding and normalise, in batches of 256, the same number of random images as CIFAR-10
has to train on in NAS-Bench-201. Theirs are PIL images of a Dataset on the same array, transformed by torchvision in
the workers of a DataLoader; the time until the first batch, in which workers start, is left out. Ours are what
`ImageDataModule` serves to training, in this process. Rounds alternate; the medians count. Images per second, and their
ratio. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import Compose, Normalize, RandomCrop, RandomHorizontalFlip, ToTensor

from lnas.data import Cifar10Data, Split, SplitName
from lnas.data.module import ImageDataModule

IMAGES = 25_000
BATCH_SIZE = 256


class RandomImages(Cifar10Data):
    """Images as CIFAR-10's, filled at random."""

    def load(self) -> dict[SplitName, Split]:
        """Make images to train on."""
        rng = np.random.default_rng(0)
        return {
            "train": Split(rng.integers(256, size=(IMAGES, 3, 32, 32), dtype=np.uint8), rng.integers(10, size=IMAGES))
        }


class PerImage(Dataset[tuple[Tensor, int]]):
    """The straightforward data set: each image by itself through PIL."""

    def __init__(self, data: RandomImages) -> None:
        split = data.splits["train"]
        self._images = np.ascontiguousarray(np.asarray(split.images).transpose(0, 2, 3, 1))
        self._labels = split.labels
        self._transform = Compose(
            [RandomHorizontalFlip(), RandomCrop(32, data.crop_padding), ToTensor(), Normalize(data.mean, data.std)]
        )

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self._transform(Image.fromarray(self._images[index])), int(self._labels[index])


def per_image(data: RandomImages, workers: int) -> Iterable[Any]:
    """Load as torchvision's examples do."""
    return DataLoader(PerImage(data), BATCH_SIZE, shuffle=True, drop_last=True, num_workers=workers)


def ours(data: RandomImages) -> Iterable[Any]:
    """Load as retraining does: a loader, and what is done to its batches before the network."""
    module = ImageDataModule(data, BATCH_SIZE, seed=0)
    module.trainer = SimpleNamespace(training=True, global_rank=0, world_size=1)  # type: ignore[assignment]
    return (module.on_after_batch_transfer(batch, 0) for batch in module.train_dataloader())


def rate(batches: Iterable[Any], count: int) -> float:
    """Return images per second from the second batch on."""
    batches = iter(batches)
    next(batches)
    started = time.perf_counter()
    served = sum(len(labels) for _, labels in itertools.islice(batches, count))
    return served / (time.perf_counter() - started)


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=40, help="that each is timed on in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="of ours")
    parser.add_argument("--workers", type=int, default=2, help="of theirs")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    data = RandomImages("")
    rates: dict[str, list[float]] = {"torchvision, per image": [], "lnas, batched": []}
    for number in range(arguments.rounds):
        found = rate(per_image(data, arguments.workers), arguments.batches), rate(ours(data), arguments.batches)
        for (name, own), value in zip(rates.items(), found, strict=True):
            own.append(value)
            print(f"round {number + 1}: {name:24} {value:10,.0f} images/s", flush=True)
    theirs, mine = (statistics.median(own) for own in rates.values())
    print(f"median: {theirs:,.0f} and {mine:,.0f} images/s, {mine / theirs:.1f} times as many")


if __name__ == "__main__":
    main()
