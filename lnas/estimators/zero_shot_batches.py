"""The batches that zero-shot measures are taken on: drawn once, the same for all architectures."""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from lnas.data import ImageData, Split, SplitName
from lnas.data.patches import random_patches
from lnas.errors import UsageError, complaint
from lnas.estimators.zero_shot_settings import ProbeSetting
from lnas.seeds import derive_seed

if TYPE_CHECKING:
    from torch import Tensor

Source = Literal["images", "noise"]
TESTING: Set[str] = {"test_features", "test_labels"}
"""What a measure needs that tests on other images than those it fits."""
_FEWEST = 2


class Shown(NamedTuple):
    """What a network is measured on.

    Attributes:
        inputs: Shape (n, C, H, W).
        labels: Shape (n,); None where nothing asks for them.
        test: Images and labels to test on, where something does.
    """

    inputs: Tensor
    labels: Tensor | None = None
    test: tuple[Tensor, Tensor] | None = None


class ProbeBatches:
    """Batches of a data set, each drawn when it is first asked for and kept; `pickle` leaves them behind.

    What is in a batch depends on the arguments and its number alone. Random generators are left as found.

    Args:
        data: Where the images are from.
        source: "noise" puts standard normal numbers and random labels in the place of images and theirs.
        seed: Decides all draws.
        dtype: Of the inputs.
    """

    def __init__(self, data: ImageData, source: Source, seed: int, dtype: str) -> None:
        self._data = data
        self._source = source
        self._seed = seed
        self._dtype = dtype
        self._drawn: dict[Any, tuple[Tensor, Tensor]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_drawn": {}}

    def shown(self, probe: ProbeSetting, needs: Set[str], number: int) -> Shown:
        """Return a batch by its number.

        Args:
            probe: What the batch is made of.
            needs: What the measures are computed from. Where that is the network alone, no image is read.
            number: Which batch. No image is twice in one, but two may share some.

        Raises:
            UsageError: If the data has fewer images than a batch.
        """
        if probe.inputs == "nothing":
            return Shown(self._blank(needs))
        if probe.inputs == "patches":
            return Shown(self._kept(probe, "train", number)[0])
        test = self._kept(probe, "val", number) if needs & TESTING else None
        return Shown(*self._kept(probe, "train", number), test)

    def _blank(self, needs: Set[str]) -> Tensor:
        import torch

        shape = (3, 1, 1) if needs <= {"net"} else self._data.splits["train"].images.shape[1:]
        return torch.zeros(_FEWEST, *shape, dtype=getattr(torch, self._dtype))

    def _kept(self, probe: ProbeSetting, split: SplitName, number: int) -> tuple[Tensor, Tensor]:
        import torch

        from lnas.nets import isolated_randomness

        key = split, number, probe.inputs, probe.batch_size, probe.augment
        if key not in self._drawn:
            seed = derive_seed(self._seed, "zero_shot", split, number)
            draw = self._patches if probe.inputs == "patches" else self._images
            with isolated_randomness(seed):
                inputs, labels = draw(probe, split, seed)
            self._drawn[key] = inputs.to(getattr(torch, self._dtype)), labels
        return self._drawn[key]

    def _images(self, probe: ProbeSetting, split: SplitName, seed: int) -> tuple[Tensor, Tensor]:
        import torch

        from lnas.data.batches import prepare

        chosen = _choose(self._data.splits[split], probe.batch_size, seed, self._data.name)
        images, labels = torch.from_numpy(chosen.images), torch.from_numpy(chosen.labels)
        if self._source == "noise":
            return torch.randn(images.shape), torch.randint(self._data.num_classes, labels.shape)
        return prepare((images, labels), self._data, augment=probe.augment and split == "train")

    def _patches(self, probe: ProbeSetting, split: SplitName, seed: int) -> tuple[Tensor, Tensor]:
        """Return patches, and labels of no images: an empty tensor."""
        import torch

        patches = torch.from_numpy(random_patches(self._data, probe.batch_size, seed=seed, split=split))
        return torch.randn_like(patches) if self._source == "noise" else patches, torch.empty(0)


def _choose(split: Split, size: int, seed: int, name: str) -> Split:
    if size > len(split):
        call = f"ZeroShotEstimator(batch_size={size})"
        expected = f"at most the {len(split)} images that a split of {name!r} has"
        raise UsageError(complaint(call, expected, size, "Lower it."))
    return split.take(np.random.default_rng(seed).choice(len(split), size, replace=False))
