from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.data import DigitsData, ImageData, Split
from lnas.data.patches import random_patches
from lnas.errors import UsageError

quickly = settings(deadline=None, max_examples=25)

IMAGES, PIXELS = 5, 4


class CountedPixels(ImageData):
    """Five images of 4x4 pixels, no two of them alike: a pixel tells where it is from. Normalising changes nothing."""

    name, num_classes, crop_padding, horizontal_flip = "counted", 2, 0, False
    mean, std = (0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)

    def load(self):
        pixels = np.arange(IMAGES * 3 * PIXELS**2, dtype=np.uint8).reshape(IMAGES, 3, PIXELS, PIXELS)
        train = Split(pixels, np.zeros(IMAGES, np.int64))
        return {"train": train, "val": train.take(np.array([3]))}


class OtherScale(CountedPixels):
    mean, std = (0.1, 0.2, 0.3), (0.5, 0.25, 2.0)


def origins(patches: np.ndarray) -> list[tuple[int, ...]]:
    """Return image, channel, row and column of each patch's first pixel."""
    first = np.round(patches[:, 0, 0, 0]).astype(int)
    return list(zip(*(axis.tolist() for axis in np.unravel_index(first, (IMAGES, 3, PIXELS, PIXELS))), strict=True))


@quickly
@given(st.integers(1, 30), st.integers(1, PIXELS), st.integers(0, 1000))
def test_each_patch_is_a_crop_of_one_channel_of_one_image(count, size, seed):
    data = CountedPixels()
    patches = random_patches(data, count, size, seed)
    assert patches.shape == (count, 1, size, size)
    assert patches.dtype == np.float32
    for patch, (image, channel, row, column) in zip(patches, origins(patches), strict=True):
        crop = data.splits["train"].images[image, channel, row : row + size, column : column + size]
        np.testing.assert_allclose(patch[0], crop, rtol=1e-6)


@quickly
@given(st.integers(1, 23), st.integers(0, 1000))
def test_no_image_comes_again_before_all_have_come(count, seed):
    images = [image for image, *_ in origins(random_patches(CountedPixels(), count, 3, seed))]
    for start in range(0, count, IMAGES):
        among = images[start : start + IMAGES]
        assert len(set(among)) == len(among)


def test_every_channel_and_place_is_drawn_about_equally_often():
    drawn = [origin[1:] for origin in origins(random_patches(CountedPixels(), 6000, 3, seed=0))]
    cases, counts = np.unique(drawn, axis=0, return_counts=True)
    assert len(cases) == 3 * 2 * 2
    assert np.abs(counts - 500).max() < 110  # five deviations of a binomial


def test_pixels_are_normalised_as_their_channel_is():
    plain, scaled = (random_patches(data, 40, 3, seed=1) for data in (CountedPixels(), OtherScale()))
    channels = np.array([channel for _, channel, *_ in origins(plain)])
    mean, std = np.array(OtherScale.mean)[channels], np.array(OtherScale.std)[channels]
    expected = (plain / 255 - mean[:, None, None, None]) / std[:, None, None, None]
    np.testing.assert_allclose(scaled, expected, rtol=1e-5, atol=1e-6)
    assert set(channels.tolist()) == {0, 1, 2}


def test_patches_depend_on_the_seed_alone():
    one, again, other = (random_patches(DigitsData(), 50, 3, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


def test_another_split_can_be_drawn_from():
    assert {image for image, *_ in origins(random_patches(CountedPixels(), 9, 3, 0, split="val"))} == {3}


def test_patches_as_large_as_the_images_have_the_mean_and_deviation_of_the_data():
    data = DigitsData()
    patches = random_patches(data, len(data.splits["train"]), 8, seed=0)
    assert patches.mean() == pytest.approx(0, abs=0.02)
    assert patches.std() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(
    ("count", "size", "message"),
    [(0, 3, "count >= 1, got 0"), (5, 0, "1 <= size <= 4, which the images have, got 0"), (5, 9, "got 9")],
)
def test_what_cannot_be_cut_is_refused(count, size, message):
    with pytest.raises(UsageError, match=message):
        random_patches(CountedPixels(), count, size, 0)
