"""From a training to the description that is kept beside its weights."""

from __future__ import annotations

import importlib.metadata
import math
from collections.abc import Callable, Mapping
from typing import Any

from lnas.data import ImageData
from lnas.nets import NetBuilder
from lnas.nets.trained_file import ImageTask, SplitFacts, TrainedNet, resolved
from lnas.spaces import SPACES
from lnas.types import Arch, describe

_PACKAGES = ("lnas", "torch", "numpy")


def trained_net(
    arch: Arch,
    net: NetBuilder | Callable[[Arch, int], Any],
    data: ImageData,
    metrics: Mapping[str, float],
    recipe: object,
    seed: int,
    epoch: int | None = None,
) -> TrainedNet:
    """Describe a trained network.

    Args:
        arch: What was trained.
        net: What built it.
        data: What it was trained and tested on.
        metrics: Name -> value, each name beginning with its split; those that are not finite are left out.
        recipe: How it was trained.
        seed: With which seed.
        epoch: After which epoch the weights were taken, from 1.

    Raises:
        UsageError: If a metric does not say its split.
    """
    return TrainedNet(
        arch=arch,
        notation=SPACES[arch.space]().format(arch) if arch.space in SPACES else str(arch),
        net=resolved(net, arch) if isinstance(net, NetBuilder) else describe(net),
        task=image_task(data),
        metrics={name: float(value) for name, value in metrics.items() if math.isfinite(value)},
        recipe=describe(recipe),
        seed=seed,
        epoch=epoch,
        versions={name: importlib.metadata.version(name) for name in _PACKAGES},
    )


def image_task(data: ImageData) -> ImageTask:
    """Say what a network's user must know of the images; reads them."""
    classes = getattr(data, "classes", None)
    _, *input_size = data.splits["test"].images.shape
    return ImageTask(
        name=data.name,
        num_classes=data.num_classes,
        input_size=tuple(input_size),
        mean=data.mean,
        std=data.std,
        classes=None if classes is None else tuple(map(str, classes)),
        splits={name: SplitFacts(len(split), split.fingerprint()) for name, split in data.splits.items()},
    )
