from __future__ import annotations

import numpy as np
import pytest

from lnas.data import DigitsData, Split, proxy_subset
from lnas.errors import UsageError


@pytest.fixture(scope="module")
def train() -> Split:
    return DigitsData().splits["train"]


def test_digits_are_split_without_overlap_and_without_loss() -> None:
    splits = DigitsData().splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 897, "val": 300, "test": 600}
    images = np.concatenate([split.images for split in splits.values()])
    assert images.shape == (1797, 3, 8, 8)
    assert images.dtype == np.uint8
    from sklearn.datasets import load_digits

    assert int(images[:, 0].astype(int).sum()) == int(np.round(load_digits().images * 255 / 16).astype(int).sum())


def test_digits_take_as_many_training_images_as_asked_for() -> None:
    splits = DigitsData(train_images=497).splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 497, "val": 300, "test": 1000}


def test_noise_is_of_the_size_asked_for_and_the_same_each_time(train: Split) -> None:
    noisy = DigitsData(noise=0.2).splits["train"]
    assert noisy.fingerprint() == DigitsData(noise=0.2).splits["train"].fingerprint()
    np.testing.assert_array_equal(noisy.labels, train.labels)
    grey = (train.images > 64) & (train.images < 192)  # far from black and white, where noise is cut
    assert np.std((noisy.images.astype(float) - train.images)[grey]) / 255 == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize("options", [{"noise": -0.1}, {"noise": 2}, {"train_images": 5}, {"train_images": 1500}])
def test_digits_refuse_what_cannot_be(options: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=next(iter(options))):
        DigitsData(**options)  # type: ignore[arg-type]


def test_digits_mean_and_deviation_are_those_of_the_data(train: Split) -> None:
    data = DigitsData()
    assert (train.images / 255).mean() == pytest.approx(data.mean[0], abs=0.005)
    assert (train.images / 255).std() == pytest.approx(data.std[0], abs=0.005)


def test_another_seed_splits_otherwise(train: Split) -> None:
    assert DigitsData(seed=1).splits["train"].fingerprint() != train.fingerprint()
    assert DigitsData().splits["train"].fingerprint() == train.fingerprint()


def test_fingerprint_sees_labels_and_pixels(train: Split) -> None:
    labels = train.labels.copy()
    labels[0] += 1
    images = train.images.copy()
    images[-1, 0, 0, 0] ^= 1
    prints = {train.fingerprint(), Split(train.images, labels).fingerprint(), Split(images, train.labels).fingerprint()}
    assert len(prints) == 3


@pytest.mark.parametrize(("classes", "images"), [(10, 10), (3, 7), (1, 1)])
def test_proxy_has_so_many_classes_and_images(train: Split, classes: int, images: int) -> None:
    proxy = proxy_subset(train, classes, images, seed=0)
    labels, counts = np.unique(proxy.labels, return_counts=True)
    assert len(labels) == classes
    assert set(counts) == {images}
    assert len({image.tobytes() for image in proxy.images}) == classes * images


def test_proxy_depends_on_the_seed_alone(train: Split) -> None:
    prints = [proxy_subset(train, 5, 5, seed).fingerprint() for seed in (0, 0, 1)]
    assert prints[0] == prints[1] != prints[2]


@pytest.mark.parametrize(
    ("classes", "images", "message"),
    [(11, 1, r"1 <= classes <= 10, got 11"), (0, 1, r"got 0"), (10, 500, r"images_per_class <= \d+, got 500")],
)
def test_more_than_there_is_is_refused(train: Split, classes: int, images: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        proxy_subset(train, classes, images, seed=0)


def test_the_whole_of_a_split_is_a_proxy_too(train: Split) -> None:
    everything = proxy_subset(train, None, None, seed=0)
    assert everything.fingerprint() == train.fingerprint()
    assert np.bincount(proxy_subset(train, None, 3, seed=0).labels).tolist() == [3] * 10
    of_two = proxy_subset(train, 2, None, seed=0)
    assert len(of_two) == np.isin(train.labels, np.unique(of_two.labels)).sum()
