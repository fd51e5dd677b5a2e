from __future__ import annotations

import math
import random

import numpy as np
import pytest
import torch
from timm.data.random_erasing import RandomErasing

from lnas.data.augmentation import Augmentation
from lnas.data.augmenting import cutout, erase, mix


def test_cutout_is_a_square_around_any_pixel_cut_at_the_edge() -> None:
    torch.manual_seed(0)
    images = torch.rand(600, 3, 6, 5) + 1
    out = cutout(images, 4)
    cut = (out == 0).all(1)
    assert torch.equal(torch.where(cut[:, None], torch.zeros(()), images), out)
    found = set()
    for mask in cut:
        rows, columns = (mask.any(axis).nonzero()[:, 0].tolist() for axis in (1, 0))
        assert mask.sum() == len(rows) * len(columns)
        found.add((rows[0], rows[-1] + 1, columns[0], columns[-1] + 1))
    expected = {
        (max(row - 2, 0), min(row + 2, 6), max(column - 2, 0), min(column + 2, 5))
        for row in range(6)
        for column in range(5)
    }
    assert found == expected


def erased_rectangles(before: torch.Tensor, after: torch.Tensor) -> np.ndarray:
    """Return height and width of the changed rectangle of each changed image."""
    changed = (before != after).any(1)
    sizes = [(int(mask.any(1).sum()), int(mask.any(0).sum())) for mask in changed if mask.any()]
    assert all(
        math.prod(size) == int(mask.sum()) for size, mask in zip(sizes, changed[changed.any((1, 2))], strict=True)
    )
    return np.array(sizes, dtype=float)


def test_erasing_is_timms() -> None:
    torch.manual_seed(0)
    random.seed(0)
    images = torch.full((2000, 1, 16, 20), 7.0)
    ours = erase(images, 0.4)
    theirs = RandomErasing(0.4, mode="pixel", device="cpu")(images.clone())
    for own, other in zip(*(erased_rectangles(images, out).T for out in (ours, theirs)), strict=True):
        assert own.mean() == pytest.approx(other.mean(), rel=0.06)
        assert own.std() == pytest.approx(other.std(), rel=0.1)
        assert len(own) / 2000 == pytest.approx(0.4, abs=0.04)
    for axis in (2, 3):  # where they lie
        places = [(out != images).double().sum((0, 1, 5 - axis)) for out in (ours, theirs)]
        torch.testing.assert_close(*(place / place.sum() for place in places), atol=0.01, rtol=0)
    noise = ours[ours != 7]
    assert (noise.mean().item(), noise.std().item()) == pytest.approx((0, 1), abs=0.02)


def test_nothing_is_erased_at_probability_zero() -> None:
    images = torch.rand(50, 3, 8, 8)
    assert torch.equal(erase(images, 0.0), images)


@pytest.mark.parametrize("augmentation", [Augmentation(mixup=5.0), Augmentation(cutmix=5.0)])
def test_labels_of_mixed_images_are_their_shares(augmentation: Augmentation) -> None:
    np.random.seed(1)  # noqa: NPY002
    labels = torch.arange(6)
    images = labels.float()[:, None, None, None].expand(6, 1, 8, 8)
    mixed, shares = mix(images, labels, augmentation, 9)
    assert torch.equal(images, labels.float()[:, None, None, None].expand(6, 1, 8, 8))
    torch.testing.assert_close(mixed.mean((1, 2, 3)), shares @ torch.arange(9.0))
    torch.testing.assert_close(shares.sum(1), torch.ones(6))
    assert 0 < float(shares[0, 0]) < 1
    assert float(shares[0, 0]) == pytest.approx(1 - float(shares[0, 5]))
    assert (mixed[0].unique().numel() == 1) == (augmentation.mixup > 0)


def test_both_ways_of_mixing_take_turns() -> None:
    np.random.seed(0)  # noqa: NPY002
    images = torch.arange(2.0)[:, None, None, None].expand(2, 1, 8, 8)
    both = Augmentation(mixup=1.0, cutmix=1.0)
    whole = [mix(images, torch.arange(2), both, 2)[0][0].unique().numel() == 1 for _ in range(60)]
    assert 15 < sum(whole) < 45
