from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from lnas.data import Cifar10Data
from lnas.data.cifar import _read_residuals
from lnas.errors import UsageError


def pack(images: np.ndarray, labels: np.ndarray, file: Path, sha256: str | None = None) -> None:
    """Write the packed form: 2-D differences of G, R-G, B-G."""
    red, green, blue = images[:, 0], images[:, 1], images[:, 2]
    planes = np.stack([green, red - green, blue - green], axis=1)
    rows = np.diff(planes, axis=2, prepend=np.zeros_like(planes[:, :, :1]))
    residuals = np.diff(rows, axis=3, prepend=np.zeros_like(rows[..., :1]))
    digest = hashlib.sha256(images.tobytes()).hexdigest() if sha256 is None else sha256
    np.savez(file, r=residuals, y=labels, sha256=digest)


def test_packed_images_come_back_bit_for_bit(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(256, size=(5, 3, 32, 32), dtype=np.uint8), rng.integers(10, size=5)
    pack(images, labels, tmp_path / "x.npz")
    split = _read_residuals(tmp_path / "x.npz")
    assert np.array_equal(split.images, images)
    assert np.array_equal(split.labels, labels)


def test_damaged_packed_images_are_refused(tmp_path: Path) -> None:
    images = np.zeros((2, 3, 32, 32), dtype=np.uint8)
    pack(images, np.zeros(2, dtype=int), tmp_path / "x.npz", sha256="0" * 64)
    with pytest.raises(UsageError, match="expected content 0000"):
        _read_residuals(tmp_path / "x.npz")


def write_torchvision_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Write files in the official format, 10,000 images each, and teach torchvision their MD5."""
    from torchvision.datasets import CIFAR10

    folder = root / "cifar-10-batches-py"
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    content = rng.integers(256, size=(10_000, 3072), dtype=np.uint8)
    known = {}
    for number, name in enumerate([*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]):
        batch = {"data": content + np.uint8(number), "labels": [number] * 10_000}
        known[name] = _write(folder / name, batch)
    meta = _write(folder / "batches.meta", {"label_names": [str(k) for k in range(10)]})
    monkeypatch.setattr(CIFAR10, "train_list", [[f"data_batch_{k}", known[f"data_batch_{k}"]] for k in range(1, 6)])
    monkeypatch.setattr(CIFAR10, "test_list", [["test_batch", known["test_batch"]]])
    monkeypatch.setattr(CIFAR10, "meta", {"filename": "batches.meta", "key": "label_names", "md5": meta})
    return content


def _write(file: Path, value: object) -> str:
    file.write_bytes(pickle.dumps(value))
    return hashlib.md5(file.read_bytes()).hexdigest()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchvision_files_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = write_torchvision_files(tmp_path, monkeypatch)
    splits = Cifar10Data(str(tmp_path)).splits
    assert {name: len(split) for name, split in splits.items()} == {"train": 25_000, "val": 25_000, "test": 10_000}
    assert np.array_equal(splits["test"].images[7], (content[7] + np.uint8(5)).reshape(3, 32, 32))
    assert set(splits["test"].labels) == {5}
    assert sorted(np.bincount(splits["train"].labels) + np.bincount(splits["val"].labels)) == [10_000] * 5


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Cifar10Data\(root='.*nowhere'\).*got 'no such folder'.*--data.root"):
        Cifar10Data(str(tmp_path / "nowhere")).load()


def test_a_damaged_official_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-py").mkdir()
    with pytest.raises(UsageError, match="checked by their MD5"):
        Cifar10Data(str(tmp_path)).load()


def test_a_split_file_that_is_none_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "halves.npz", train=np.arange(5))
    with pytest.raises(UsageError, match=r"split_file='.*halves.npz'.*`train` and `valid`"):
        Cifar10Data(str(tmp_path), split_file=str(tmp_path / "halves.npz")).load()


def test_a_way_of_holding_out_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="unknown held_out 'fifth'"):
        Cifar10Data("images", held_out="fifth")  # type: ignore[arg-type]


@pytest.mark.data
def test_the_last_fifth_is_held_out_in_the_order_of_the_files(data_root: Path) -> None:
    parted = data_root / "images" / "cifar10" / "nb201_cifar10_split.npz"
    halves = Cifar10Data(str(data_root / "images"), split_file=str(parted))
    data = Cifar10Data(str(data_root / "images"), held_out="last_fifth")
    assert (len(data.splits["train"]), len(data.splits["val"])) == (40_000, 10_000)
    with np.load(parted) as indices:
        place = int(np.flatnonzero(indices["valid"] >= 40_000)[0])
        index = int(indices["valid"][place])
    assert np.array_equal(data.splits["val"].images[index - 40_000], halves.splits["val"].images[place])


@pytest.mark.data
def test_published_halves_of_the_real_images(data_root: Path) -> None:
    folder = data_root / "images" / "cifar10"
    data = Cifar10Data(str(data_root / "images"), split_file=str(folder / "nb201_cifar10_split.npz"))
    train, val = data.splits["train"], data.splits["val"]
    assert len(train) == len(val) == 25_000
    whole = np.concatenate([train.images, val.images])
    assert whole.mean(axis=(0, 2, 3)) / 255 == pytest.approx(data.mean, abs=2e-3)
    assert sorted(np.bincount(train.labels) + np.bincount(val.labels)) == [5000] * 10
