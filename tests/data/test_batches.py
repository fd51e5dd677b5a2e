from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.data import DigitsData
from lnas.data.batches import (
    InOrder,
    Numbered,
    PreparedBatches,
    Shard,
    Shuffled,
    SplitDataset,
    batch_loader,
    normalize,
    prepare,
    random_crop,
    random_flip,
)

quickly = settings(deadline=None, max_examples=20)


def test_in_order_covers_everything_once() -> None:
    assert torch.cat(list(InOrder(10, 4))).tolist() == list(range(10))
    assert len(InOrder(10, 4)) == 3


def test_shuffled_depends_on_seed_and_epoch_alone() -> None:
    def epoch(seed: int, number: int) -> list[int]:
        sampler = Shuffled(20, 6, seed)
        sampler.set_epoch(number)
        torch.rand(3)
        return torch.cat(list(sampler)).tolist()

    assert epoch(0, 0) == epoch(0, 0)
    assert len({tuple(epoch(seed, number)) for seed in (0, 1) for number in (0, 1)}) == 4
    assert len(set(epoch(0, 0))) == 18 == 3 * 6
    assert len(Shuffled(20, 6, 0)) == 3


def test_shuffled_keeps_a_split_smaller_than_a_batch() -> None:
    assert [len(batch) for batch in Shuffled(5, 64, 0)] == [5]


def test_a_step_of_shuffled_is_the_batch_of_its_pass() -> None:
    sampler = Shuffled(20, 6, 0)
    by_step = [sampler.batch(step).tolist() for step in range(6)]
    for epoch in (0, 1):
        sampler.set_epoch(epoch)
        assert [batch.tolist() for batch in sampler] == by_step[3 * epoch : 3 * epoch + 3]


def test_prepared_batches_are_those_of_evaluation_each_time() -> None:
    data = DigitsData()
    split = data.splits["val"]
    batches = PreparedBatches(split, data, 128)
    expected = prepare((torch.from_numpy(split.images), torch.from_numpy(split.labels)), data, augment=False)
    for _ in range(2):
        images, labels = (torch.cat(parts) for parts in zip(*batches, strict=True))
        assert torch.equal(images, expected[0])
        assert torch.equal(labels, expected[1])


def test_loader_serves_the_indexed_images() -> None:
    split = DigitsData().splits["val"]
    batches = list(batch_loader(SplitDataset(split), InOrder(len(split), 128)))
    images = torch.cat([images for images, _ in batches])
    assert np.array_equal(images.numpy(), split.images)
    assert [len(labels) for _, labels in batches] == [128, 128, 44]


def test_normalize_gives_zero_mean_and_unit_deviation() -> None:
    images = torch.randint(256, (50, 3, 8, 8), dtype=torch.uint8)
    scaled = images.float() / 255
    mean, std = scaled.mean((0, 2, 3)), scaled.std((0, 2, 3))
    out = normalize(images, tuple(mean.tolist()), tuple(std.tolist()))
    torch.testing.assert_close(out.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(out.std((0, 2, 3)), torch.ones(3), atol=1e-4, rtol=0)
    assert images.dtype == torch.uint8


def test_every_flip_is_the_image_or_its_mirror_and_both_occur() -> None:
    torch.manual_seed(0)
    images = torch.rand(64, 3, 4, 4)
    out = random_flip(images)
    same = (out == images).flatten(1).all(1)
    mirrored = (out == images.flip(-1)).flatten(1).all(1)
    assert bool((same | mirrored).all())
    assert 16 < int(mirrored.sum()) < 48


def plain_flip(images: torch.Tensor) -> torch.Tensor:
    """Flip in the straightforward way, by the same draws."""
    mirrored = torch.rand(len(images), 1, 1, 1) < 0.5
    return torch.where(mirrored, images.flip(-1), images)


def plain_crop(images: torch.Tensor, padding: int) -> torch.Tensor:
    """Crop in the straightforward way, by the same draws."""
    count, _, height, width = images.shape
    padded = torch.nn.functional.pad(images, [padding] * 4)
    top, left = torch.randint(2 * padding + 1, (2, count, 1))
    rows, columns = (top + torch.arange(height))[:, :, None], (left + torch.arange(width))[:, None, :]
    return padded[torch.arange(count)[:, None, None], :, rows, columns].permute(0, 3, 1, 2)


@quickly
@given(st.integers(1, 7), st.integers(1, 4), st.integers(2, 9), st.integers(2, 9), st.integers(1, 4), st.integers(0, 9))
def test_flips_and_crops_are_the_plain_ones_for_the_same_draws(
    count: int, channels: int, height: int, width: int, padding: int, seed: int
) -> None:
    images = torch.randint(256, (count, channels, height, width), dtype=torch.uint8)
    torch.manual_seed(seed)
    fast = random_crop(random_flip(images), padding)
    after = torch.rand(1)
    torch.manual_seed(seed)
    plain = plain_crop(plain_flip(images), padding)
    assert torch.equal(fast, plain)
    assert torch.equal(after, torch.rand(1))


def test_shuffled_parts_make_up_each_batch() -> None:
    whole = list(Shuffled(22, 6, 3))
    parts = zip(*(Shuffled(22, 6, 3, Shard(index, 3)) for index in range(3)), strict=True)
    assert [torch.cat(part).tolist() for part in parts] == [batch.tolist() for batch in whole]


def test_numbered_batches_tell_their_epoch() -> None:
    plain, numbered = Shuffled(20, 6, 0), Numbered(20, 6, 0)
    for sampler in (plain, numbered):
        sampler.set_epoch(3)
    for expected, (epoch, indices) in zip(plain, numbered, strict=True):
        assert epoch == 3
        assert torch.equal(indices, expected)


def test_every_crop_is_a_window_of_the_padded_image_and_all_windows_occur() -> None:
    torch.manual_seed(0)
    images = torch.randint(1, 255, (400, 2, 5, 5), dtype=torch.uint8)
    out = random_crop(images, 1)
    assert out.shape == images.shape
    padded = torch.nn.functional.pad(images, [1] * 4)
    seen = torch.zeros(3, 3)
    for index in range(len(images)):
        windows = [
            (i, j)
            for i in range(3)
            for j in range(3)
            if torch.equal(out[index], padded[index, :, i : i + 5, j : j + 5])
        ]
        assert len(windows) == 1
        seen[windows[0]] += 1
    assert bool((seen > 20).all())
