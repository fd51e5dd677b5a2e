"""Full trainings: images per second of a step, ours against the straightforward loop, in one run.

    python scripts/benchmark_training.py [--nets nats darts] [--size paper] [--steps 4] [--rounds 5] [--threads 2]
        [--precision bf16-mixed] [--layout measured] [--compile off]

Ours is `fit` as `lnas retrain` calls it: Lightning Trainer, callbacks, images as bytes in memory, augmented by batches.
The straightforward loop trains the same network in NCHW and single precision, each edge by modules of its own, on
images that two workers load and augment one by one by torchvision, and asks for the loss as a number after each step.
A step counts from the end of the one before it, loading included; the first is left out. The two alternate, and the
median of the rounds' ratios counts. Run it on an idle machine. With `--profile` it tells what our steps are made of.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile
from torchvision import transforms

from lnas.data import ImageData, Split, SplitName
from lnas.data.module import ImageDataModule
from lnas.nets import build_net
from lnas.spaces import NatsTopologySpace, published_genotype
from lnas.training import Retraining, fit, quiet_lightning
from lnas.types import Arch

CLASSES, PIXELS, PADDING, WORKERS = 10, 32, 4, 2
NATS_CELL = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_1x1~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|"


class Noise(ImageData):
    """Images of CIFAR-10's size and treatment, drawn at random."""

    name, num_classes = "noise", CLASSES
    mean, std = (0.49, 0.48, 0.45), (0.25, 0.24, 0.26)
    crop_padding, horizontal_flip = PADDING, True

    def __init__(self, count: int) -> None:
        self._count = count

    def load(self) -> dict[SplitName, Split]:
        """Draw all; a few are held out."""
        rng = np.random.default_rng(0)
        counts: dict[SplitName, int] = {"train": self._count, "val": CLASSES, "test": CLASSES}
        return {
            name: Split(
                rng.integers(256, size=(count, 3, PIXELS, PIXELS), dtype=np.uint8), rng.integers(CLASSES, size=count)
            )
            for name, count in counts.items()
        }


class OneByOne(torch.utils.data.Dataset[tuple[torch.Tensor, int]]):
    """A split as torchvision's data sets serve theirs."""

    def __init__(self, data: ImageData) -> None:
        self._split = data.splits["train"]
        self._change = transforms.Compose(
            [
                transforms.ToPILImage(),
                transforms.RandomCrop(PIXELS, PADDING),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(data.mean, data.std),
            ]
        )

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self._change(self._split.images[index].transpose(1, 2, 0)), int(self._split.labels[index])


@dataclass(frozen=True)
class Task:
    """A network, and how many images it is trained on at a time."""

    arch: Arch
    channels: int
    cells: int
    batch_size: int

    def net(self, **options: Any) -> nn.Module:
        """Build it, with the same weights each time."""
        torch.manual_seed(0)
        return build_net(self.arch, CLASSES, self.channels, self.cells, **options)


class StepTimes(pl.Callback):
    """Note when steps end."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, trainer: pl.Trainer, *arguments: Any) -> None:
        self.ends.append(time.perf_counter())


def our_rate(task: Task, data: ImageData, recipe: Retraining) -> float:
    """Train by `fit`; return images per second."""
    times = StepTimes()
    with quiet_lightning():
        fit(task.net(), CLASSES, ImageDataModule(data, task.batch_size, 0), recipe, 0, ignored, callbacks=[times])
    return rate(times.ends, task.batch_size)


def ignored(epoch: int, numbers: object) -> None:
    """Take an epoch's numbers and keep nothing."""


def plain_rate(task: Task, data: ImageData) -> float:
    """Train by the straightforward loop; return images per second."""
    options = {"dead_edges": "computed"} if task.arch.space == "nats_topology" else {}
    net = task.net(**options).to(memory_format=torch.contiguous_format)
    loader = torch.utils.data.DataLoader(
        OneByOne(data), task.batch_size, shuffle=True, num_workers=WORKERS, drop_last=True
    )
    return rate(list(plain_steps(net, loader)), task.batch_size)


def plain_steps(net: nn.Module, loader: Any) -> Iterator[float]:
    """Train for an epoch; yield when each step ended."""
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9, nesterov=True, weight_decay=5e-4)
    for images, labels in loader:
        optimizer.zero_grad()
        loss = functional.cross_entropy(net(images), labels)
        loss.backward()
        optimizer.step()
        loss.item()
        yield time.perf_counter()


def rate(ends: list[float], batch_size: int) -> float:
    """Return images per second between the ends of the first and the last step."""
    return (len(ends) - 1) * batch_size / (ends[-1] - ends[0])


def tasks(size: str, batch: int | None) -> dict[str, Task]:
    """Return what is trained, as published or reduced."""
    nats, darts = NatsTopologySpace().parse(NATS_CELL), published_genotype("DARTS_V2")
    if size == "paper":
        return {"nats": Task(nats, 16, 5, batch or 256), "darts": Task(darts, 16, 8, batch or 96)}
    return {"nats": Task(nats, 16, 1, batch or 32), "darts": Task(darts, 16, 3, batch or 16)}


def compare(name: str, task: Task, steps: int, rounds: int, recipe: Retraining) -> None:
    """Alternate both ways and print the rates."""
    data = Noise((steps + 1) * task.batch_size)
    pairs = []
    for number in range(rounds):
        pairs.append((plain_rate(task, data), our_rate(task, data, recipe)))
        plain, ours = pairs[-1]
        print(f"{name} round {number + 1}: plain {plain:.1f}, ours {ours:.1f} images/s, {ours / plain:.2f}", flush=True)
    ratio = statistics.median(ours / plain for plain, ours in pairs)
    plain, ours = (statistics.median(rates) for rates in zip(*pairs, strict=True))
    print(f"{name}: plain {plain:.1f}, ours {ours:.1f} images/s, median ratio {ratio:.2f} of {rounds}", flush=True)


def show_profile(task: Task, recipe: Retraining) -> None:
    """Print what two steps of ours are made of."""
    data = Noise(2 * task.batch_size)
    our_rate(task, data, recipe)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        our_rate(task, data, recipe)
    print(seen.key_averages().table(sort_by="self_cpu_time_total", row_limit=25, max_name_column_width=50))


def main() -> None:
    """Time both and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nets", nargs="+", choices=["nats", "darts"], default=["nats", "darts"])
    parser.add_argument("--size", choices=["paper", "reduced"], default="paper")
    parser.add_argument("--batch", type=int, help="images per step; those of the size if not given")
    parser.add_argument("--steps", type=int, default=4, help="of each round, after the first")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--precision", default="32-true")
    parser.add_argument("--layout", choices=["measured", "contiguous", "channels_last"], default="measured")
    parser.add_argument("--compile", choices=["off", "inductor"], default="off")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    recipe = Retraining(
        epochs=1, accelerator="cpu", precision=options.precision, layout=options.layout, compile=options.compile
    )
    print(
        f"{options.size}, {options.precision}, {options.layout}, compile {options.compile}, {options.threads} threads"
    )
    for name in options.nets:
        task = tasks(options.size, options.batch)[name]
        if options.profile:
            show_profile(task, recipe)
        else:
            compare(name, task, options.steps, options.rounds, recipe)


if __name__ == "__main__":
    main()
