from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from lnas.data import DigitsData
from lnas.data.augmentation import Augmentation
from lnas.data.image_changes import ChangedDataset, image_change

MEAN = (0.5, 0.4, 0.3)
DATA = DigitsData()


def changed(augmentation: Augmentation, seed: int = 0) -> ChangedDataset:
    return ChangedDataset(DATA.splits["val"], DATA, augmentation, seed)


@pytest.mark.parametrize(
    "policy", ["trivial", "rand", "autoaugment-cifar10", "autoaugment-imagenet", "rand-m9-n2-inc1"]
)
def test_policies_change_images_one_by_one(policy: str) -> None:
    indices = torch.tensor([4] * 40)
    torch.manual_seed(0)
    dataset = changed(Augmentation(auto=policy))
    images, labels = zip(*(dataset[epoch, indices[:1]] for epoch in range(40)), strict=True)
    assert all(image.shape == (1, 3, 8, 8) and image.dtype == torch.uint8 for image in images)
    assert {int(label) for label in labels} == {int(DATA.splits["val"].labels[4])}
    assert len({image.numpy().tobytes() for image in images}) > 4


def test_draws_depend_on_seed_epoch_and_image_alone() -> None:
    augmentation = Augmentation(auto="rand-m9-n2", scale=(0.2, 1.0), jitter=0.4)
    dataset = changed(augmentation)
    together = dataset[3, torch.tensor([5, 0, 9])][0]
    alone = [dataset[3, torch.tensor([index])][0][0] for index in (9, 5)]
    assert torch.equal(together[2], alone[0])
    assert torch.equal(together[0], alone[1])
    assert not torch.equal(together, dataset[2, torch.tensor([5, 0, 9])][0])
    assert not torch.equal(together, changed(augmentation, seed=1)[3, torch.tensor([5, 0, 9])][0])


def test_the_generators_of_the_process_are_left_alone() -> None:
    def next_draws() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002

    for generator in (random.seed, np.random.seed, torch.manual_seed):
        generator(3)
    expected = next_draws()
    for generator in (random.seed, np.random.seed, torch.manual_seed):
        generator(3)
    _ = changed(Augmentation(auto="rand-m9-n2", scale=(0.2, 1.0)))[0, torch.arange(3)]
    assert next_draws() == expected


def test_a_crop_keeps_as_much_as_was_asked_for() -> None:
    """Of a ramp from left to right, the range of values tells the width of a crop; of its transpose, the height."""
    torch.manual_seed(0)
    change = image_change(Augmentation(scale=(0.25, 0.25)), (16, 16), MEAN)
    ramp = torch.arange(200, dtype=torch.uint8).expand(3, 200, 200).contiguous()
    widths, heights = ([float(np.ptp(change(image).numpy())) / 200 for _ in range(50)] for image in (ramp, ramp.mT))
    assert change(ramp).shape == (3, 16, 16)
    for sides in (widths, heights):
        assert 0.5 * 0.75**0.5 - 0.07 < min(sides) < 0.45
        assert 0.55 - 0.07 < max(sides) < 0.5 * (4 / 3) ** 0.5 + 0.01


def test_colours_are_turned_by_half_of_what_they_are_scaled() -> None:
    change = image_change(Augmentation(jitter=0.4), (8, 8), MEAN)
    assert [*change.brightness, *change.contrast, *change.saturation] == [0.6, 1.4] * 3
    assert change.hue == (-0.2, 0.2)
