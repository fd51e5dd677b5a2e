from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from torchvision.transforms import functional

from lnas.data import ImageFolderData, StoredImages, proxy_subset, random_patches
from lnas.data import folder as module
from lnas.data.augmentation import Augmentation
from lnas.data.batches import SplitDataset
from lnas.data.module import ImageDataModule
from lnas.errors import UsageError
from lnas.estimators import ZeroShotEstimator
from lnas.nets import NetBuilder
from lnas.types import Arch

CLASSES = ("n01", "n02", "n03")
OF_EACH = {"train": 6, "val": 2}


def drawn(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    return Image.fromarray(rng.integers(256, size=(height, width, 3), dtype=np.uint8))


def save(image: Image.Image, file: Path) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    image.save(file)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three classes of small images of several shapes: six to train on and two to test."""
    rng = np.random.default_rng(0)
    for split, count in OF_EACH.items():
        for name in CLASSES:
            for number in range(count):
                save(
                    drawn(rng, 11 + number, 17 - 2 * number), tmp_path / "tiny" / split / name / f"{name}_{number}.png"
                )
    return tmp_path / "tiny"


def tiny(root: Path, **options: Any) -> ImageFolderData:
    return ImageFolderData(str(root), **{"pixels": 8, **options})


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were decoded so far."""
    files: list[Path] = []
    plain = module.FileImages._decoded

    def watched(self: module.FileImages, file: Path) -> np.ndarray:
        files.append(file)
        return plain(self, file)

    monkeypatch.setattr(module.FileImages, "_decoded", watched)
    return files


def test_half_of_each_class_is_held_out_and_the_folders_own_val_is_the_test(root: Path) -> None:
    data = tiny(root)
    assert (data.name, data.num_classes, data.classes) == ("tiny", 3, CLASSES)
    assert {name: split.labels.tolist() for name, split in data.splits.items()} == {
        "train": [0, 0, 0, 1, 1, 1, 2, 2, 2],
        "val": [0, 0, 0, 1, 1, 1, 2, 2, 2],
        "test": [0, 0, 1, 1, 2, 2],
    }
    everything = [image.tobytes() for split in data.splits.values() for image in np.asarray(split.images)]
    assert len(set(everything)) == 3 * (6 + 2)


@pytest.mark.parametrize(("fraction", "held_out"), [(0.01, 1), (0.34, 2), (0.99, 5)])
def test_a_fraction_leaves_at_least_one_image_on_either_side(root: Path, fraction: float, held_out: int) -> None:
    splits = tiny(root, val_fraction=fraction).splits
    assert np.bincount(splits["val"].labels).tolist() == [held_out] * 3
    assert np.bincount(splits["train"].labels).tolist() == [6 - held_out] * 3


def test_what_is_held_out_does_not_depend_on_the_other_classes(root: Path) -> None:
    some, every = tiny(root, classes=["n03"]).splits["val"], tiny(root).splits["val"]
    np.testing.assert_array_equal(np.asarray(some.images), every.images[every.labels == 2])
    assert set(some.labels) == {0}


@pytest.mark.parametrize(("width", "height", "pixels"), [(11, 17, 8), (17, 11, 8), (9, 9, 8), (8, 8, 8), (5, 6, 9)])
def test_pixels_are_those_of_torchvision(tmp_path: Path, width: int, height: int, pixels: int) -> None:
    image = drawn(np.random.default_rng(1), width, height)
    for name in ("train/a/1.png", "train/a/2.png", "val/a/1.png"):
        save(image, tmp_path / name)
    own = np.asarray(tiny(tmp_path, pixels=pixels).splits["test"].images)[0]
    expected = functional.center_crop(functional.resize(image, pixels), [pixels, pixels])
    np.testing.assert_array_equal(own, np.asarray(expected).transpose(2, 0, 1))


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "1"])
def test_images_of_other_modes_become_rgb(root: Path, mode: str) -> None:
    image = drawn(np.random.default_rng(2), 8, 8).convert(mode)
    file = root / "val" / "n01" / ("n01_0.tif" if mode == "CMYK" else "n01_0.png")
    (root / "val" / "n01" / "n01_0.png").unlink()
    save(image, file)
    first = tiny(root).splits["test"].images[0]
    np.testing.assert_array_equal(first, np.asarray(image.convert("RGB")).transpose(2, 0, 1))
    if mode == "L":
        assert (first[0] == first[1]).all()


def test_folders_inside_a_class_belong_to_it_and_other_files_are_left_out(root: Path) -> None:
    for file in (root / "train" / "n02").iterdir():
        (root / "train" / "n02" / "images").mkdir(exist_ok=True)
        file.rename(root / "train" / "n02" / "images" / file.name)
    (root / "train" / "n02" / "n02_boxes.txt").write_text("none")
    (root / "val").rename(root / "validation")
    assert {name: len(split) for name, split in tiny(root).splits.items()} == {"train": 9, "val": 9, "test": 6}


@pytest.mark.parametrize(("asked", "expected"), [(2, ("n01", "n02")), (["n03", "n01"], ("n01", "n03"))])
def test_classes_may_be_limited(root: Path, asked: int | list[str], expected: tuple[str, ...]) -> None:
    data = tiny(root, classes=asked)
    assert (data.classes, data.num_classes) == (expected, 2)
    assert [len(split) for split in data.splits.values()] == [6, 6, 4]


def test_nothing_is_decoded_but_what_is_asked_for(root: Path, decoded: list[Path]) -> None:
    data = tiny(root)
    train = data.splits["train"]
    assert (train.images.shape, len(train), data.num_classes) == ((9, 3, 8, 8), 9, 3)
    assert train.fingerprint() == tiny(root).splits["train"].fingerprint()
    assert decoded == []
    proxy = proxy_subset(train, 2, 2, seed=0)
    assert len(decoded) == len(set(decoded)) == 4
    assert isinstance(proxy.images, np.ndarray)
    proxy.fingerprint()
    random_patches(data, 2)
    assert len(decoded) == 4 + 2


@pytest.mark.parametrize(
    "index",
    [
        3,
        -1,
        slice(1, 7, 2),
        np.array([4, 0, 4]),
        np.array([[4, 0], [8, 8]]),
        np.array([], dtype=int),
        np.arange(9) > 5,
        (slice(0, 3), 1),
        (2, slice(None), np.array([0, 5])),
        (slice(0, 2), np.array([2, 0, 1]), np.array([1, 1, 1])),
        (np.array([5, 1])[:, None], np.array([0, 2]), 3),
    ],
    ids=repr,
)
def test_stored_images_are_indexed_as_the_array_they_stand_for(root: Path, index: Any) -> None:
    images = tiny(root).splits["train"].images
    assert isinstance(images, StoredImages)
    np.testing.assert_array_equal(images[index], np.asarray(images)[index])


def test_fingerprints_see_names_sizes_pixels_and_classes(root: Path) -> None:
    def fingerprint(**options: Any) -> str:
        return tiny(root, **options).splits["train"].fingerprint()

    prints = {fingerprint(), fingerprint(pixels=9), fingerprint(classes=2), fingerprint(val_fraction=0.34)}
    for file in (root / "train" / "n01").iterdir():
        with file.open("ab") as more:
            more.write(b"more")
    prints.add(fingerprint())
    for file in (root / "train" / "n01").iterdir():
        file.rename(file.with_name(f"other_{file.name}"))
    prints.add(fingerprint())
    assert len(prints) == 6


def test_a_training_sees_the_images(root: Path) -> None:
    data = tiny(root)
    images, labels = SplitDataset(data.splits["train"])[np.array([8, 0])]
    np.testing.assert_array_equal(images.numpy(), data.splits["train"].images[np.array([8, 0])])
    assert labels.tolist() == [2, 0]
    assert len(list(ImageDataModule(data, 4, seed=0).train_dataloader())) == 2


def test_networks_are_measured_on_them(root: Path, decoded: list[Path]) -> None:
    estimator = ZeroShotEstimator(NetBuilder(channels=4, cells=1), tiny(root), ["snip"], batch_size=4)
    assert estimator.estimate(Arch("nats_topology", (3,) * 6), seed=0)["snip"].status == "ok"
    assert len(decoded) == 4


def test_another_process_gets_the_arguments_only(root: Path) -> None:
    data = tiny(root)
    before = data.splits["train"].fingerprint()
    packed = pickle.dumps(data)
    assert len(packed) < 1000
    assert pickle.loads(packed).splits["train"].fingerprint() == before


def test_options_are_in_the_protocol(root: Path) -> None:
    grey = {"mean": (0.5,) * 3, "std": (0.25,) * 3, "crop_padding": 0, "horizontal_flip": False, "name": "mine"}
    told, default = tiny(root, **grey).protocol, tiny(root, pixels=64).protocol
    assert (told.name, told.mean, told.std, told.crop_padding) == ("mine", (0.5,) * 3, (0.25,) * 3, 0)
    assert not told.horizontal_flip
    assert (default.name, default.crop_padding, default.horizontal_flip) == ("tiny", 8, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pixels": 0}, "expected pixels >= 1, got 0"),
        ({"val_fraction": 0.0}, "expected 0 < val_fraction < 1"),
        ({"val_fraction": 1.0}, "expected 0 < val_fraction < 1"),
        ({"crop_padding": -1}, "expected crop_padding >= 0"),
        ({"std": (0.2, 0.0, 0.2)}, "expected deviations > 0"),
        ({"classes": 4}, "expected 1 <= classes <= 3, got 4"),
        ({"classes": 0}, "expected 1 <= classes <= 3, got 0"),
        ({"classes": []}, r"expected at least one class, got \[\]"),
        ({"classes": ["n04"]}, r"unknown class 'n04'\. Did you mean 'n0\d'\?"),
    ],
)
def test_what_cannot_be_is_refused(root: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _ = tiny(root, **options).num_classes


def test_a_root_that_is_none_is_said(tmp_path: Path, root: Path) -> None:
    with zipfile.ZipFile(tmp_path / "tiny.zip", "w") as packed:
        packed.writestr("train/a/1.png", b"")
    (tmp_path / "file").write_text("text")
    for wrong, message in (
        (tmp_path / "nowhere", r"a folder with `train`, got 'no such folder'\. Point --data\.root at one"),
        (tmp_path / "tiny.zip", r"got 'a zip file'\. Unpack it, and name the folder"),
        (tmp_path / "file", r"got 'a file'\. Name the folder"),
        (root / "train", r"got 'one with n01, n02, n03'\. Point --data\.root at the folder above"),
    ):
        with pytest.raises(UsageError, match=message):
            tiny(wrong).load()


def test_folders_that_are_not_of_classes_are_said(root: Path) -> None:
    (root / "val" / "n03").rename(root / "val" / "images")
    with pytest.raises(UsageError, match=r"folders of the classes of '.*train' in '.*val', got 'images'\. Put each"):
        tiny(root).load()
    (root / "val" / "images").rename(root / "away")
    with pytest.raises(UsageError, match=r"at least one image in '.*val/n03', got 0\. An image's name ends in \.jpg"):
        tiny(root).load()
    (root / "val").rename(root / "tests")
    with pytest.raises(UsageError, match=r"a folder with `val` or `validation`, got 'one with away, tests, train'"):
        tiny(root).load()
    (root / "val").mkdir()
    with pytest.raises(UsageError, match=r"a folder for each class in '.*val', got 'none'"):
        tiny(root).load()


def test_a_class_of_one_image_cannot_be_divided(root: Path) -> None:
    for file in sorted((root / "train" / "n02").iterdir())[1:]:
        file.unlink()
    with pytest.raises(UsageError, match=r"at least 2 images in '.*train/n02', got 1"):
        tiny(root).load()


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_no_image_is_named(root: Path, content: bytes) -> None:
    (root / "val" / "n02" / "n02_1.png").write_bytes(content)
    test = tiny(root).splits["test"]
    assert test.images[:3].shape == (3, 3, 8, 8)
    with pytest.raises(UsageError, match=r"image '.*n02_1\.png': expected an image, got 'no format that Pillow knows'"):
        test.take(np.array([0, 3]))


def test_a_file_that_was_cut_short_is_named(root: Path) -> None:
    file = root / "val" / "n02" / "n02_1.png"
    file.write_bytes(file.read_bytes()[:-60])
    with pytest.raises(UsageError, match=r"image '.*n02_1\.png': expected an image, got 'OSError: .*truncated"):
        np.asarray(tiny(root).splits["test"].images)


@pytest.mark.data
def test_images_of_tiny_imagenet(data_root: Path, tmp_path: Path, decoded: list[Path]) -> None:
    """Ten classes of the sample: 100 images of 64 pixels each to train on, 50 to test."""
    packed = data_root / "images" / "tiny_imagenet" / "tiny_imagenet_40c.zip"
    if not packed.is_file():
        pytest.skip(f"no {packed.name} in the data folder")
    with zipfile.ZipFile(packed) as archive:
        classes = sorted({name.split("/")[1] for name in archive.namelist() if name.startswith("train/")})[:10]
        wanted = tuple(f"{split}/{name}/" for split in OF_EACH for name in classes)
        archive.extractall(tmp_path, [name for name in archive.namelist() if name.startswith(wanted)])
    data = ImageFolderData(str(tmp_path), pixels=64)
    assert data.classes == tuple(classes)
    assert {name: len(split) for name, split in data.splits.items()} == {"train": 500, "val": 500, "test": 500}
    proxy = proxy_subset(data.splits["train"], 10, 10, seed=0)
    assert len(decoded) == 100
    assert np.bincount(proxy.labels).tolist() == [10] * 10
    assert np.abs(proxy.images.mean((0, 2, 3)) / 255 - data.mean).max() < 0.1
    assert np.abs(proxy.images.std((0, 2, 3)) / 255 - data.std).max() < 0.1
    with Image.open(decoded[-1]) as image:
        np.testing.assert_array_equal(proxy.images[-1], np.asarray(image.convert("RGB")).transpose(2, 0, 1))


def damage(root: Path, *names: str) -> None:
    for name in names:
        content = (root / name).read_bytes()
        (root / name).write_bytes(content[: len(content) // 2])


def test_damaged_images_are_refused_or_left_out_and_counted(root: Path) -> None:
    whole = tiny(root).splits
    label_of = {
        image.tobytes(): label
        for split in whole.values()
        for image, label in zip(np.asarray(split.images), split.labels, strict=True)
    }
    damage(root, "train/n01/n01_0.png", "train/n02/n02_3.png", "val/n03/n03_1.png")
    with pytest.raises(UsageError, match=r"n01_0|n02_3"):
        [np.asarray(split.images) for split in tiny(root).splits.values()]
    data = tiny(root, corrupt="skip")
    with pytest.warns(UserWarning, match=r"3 images cannot be decoded and are left out: .*n01_0\.png"):
        splits = data.splits
    assert set(data.skipped) == {"train/n01/n01_0.png", "train/n02/n02_3.png", "val/n03/n03_1.png"}
    assert sum(len(split) for split in splits.values()) == sum(len(split) for split in whole.values()) - 3
    for name, split in splits.items():
        assert [label_of[image.tobytes()] for image in np.asarray(split.images)] == split.labels.tolist()
        assert (split.fingerprint() == tiny(root).splits[name].fingerprint()) == (len(split) == len(whole[name]))


def test_sound_images_are_the_same_either_way(root: Path) -> None:
    data = tiny(root, corrupt="skip")
    for name, split in tiny(root).splits.items():
        assert data.splits[name].fingerprint() == split.fingerprint()
    assert data.skipped == ()


def test_a_class_without_a_sound_image_is_refused(root: Path) -> None:
    damage(root, "val/n02/n02_0.png", "val/n02/n02_1.png")
    with pytest.raises(UsageError, match="images of each class in 'test' that can be decoded, got \"none of 'n02'\""):
        tiny(root, corrupt="skip").load()
    with pytest.raises(UsageError, match="unknown corrupt 'ignore'"):
        tiny(root, corrupt="ignore")


def test_crops_at_a_random_scale_are_cut_out_of_whole_files(root: Path) -> None:
    data = tiny(root, pixels=4)
    images = data.splits["train"].images
    whole = images.decode_whole(np.array([8, 0]))
    assert {image.shape for image in whole} == {
        np.asarray(Image.open(file)).transpose(2, 0, 1).shape for file in images.files([8, 0])
    }
    module = ImageDataModule(data, 4, seed=0, augmentation=Augmentation(scale=(0.5, 1.0)))
    assert [tuple(batch.shape) for batch, _ in module.train_dataloader()] == [(4, 3, 4, 4)] * 2


def test_both_splits_of_a_folder_are_trained_on(root: Path) -> None:
    splits = tiny(root).splits
    both = splits["train"].followed_by(splits["val"])
    expected = np.concatenate([np.asarray(splits[name].images) for name in ("train", "val")])
    rows = np.array([17, 0, 9, 8, 17])
    np.testing.assert_array_equal(np.asarray(both.images), expected)
    np.testing.assert_array_equal(both.images[rows], expected[rows])
    assert both.fingerprint() != splits["val"].followed_by(splits["train"]).fingerprint()
    assert [image.shape for image in both.images.decode_whole(rows)][1] == splits["train"].images.decode_whole(
        np.array([0])
    )[0].shape
