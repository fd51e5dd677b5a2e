from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from lnas.data import Cifar10Data, Cifar100Data
from lnas.data.packed import read_packed
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
    split = read_packed(tmp_path / "x.npz")
    assert np.array_equal(split.images, images)
    assert np.array_equal(split.labels, labels)


def test_damaged_packed_images_are_refused(tmp_path: Path) -> None:
    images = np.zeros((2, 3, 32, 32), dtype=np.uint8)
    pack(images, np.zeros(2, dtype=int), tmp_path / "x.npz", sha256="0" * 64)
    with pytest.raises(UsageError, match="expected content 0000"):
        read_packed(tmp_path / "x.npz")


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


def write_cifar100(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write 20 + 10 images in the official format; image k of either part is filled with k."""
    from torchvision.datasets import CIFAR100

    folder = root / "cifar-100-python"
    folder.mkdir(parents=True)
    known = {}
    for name, count in (("train", 20), ("test", 10)):
        content = np.repeat(np.arange(count, dtype=np.uint8)[:, None], 3072, axis=1)
        known[name] = _write(folder / name, {"data": content, "fine_labels": list(range(count))})
        monkeypatch.setattr(CIFAR100, f"{name}_list", [[name, known[name]]])
    meta = _write(folder / "meta", {"fine_label_names": [str(k) for k in range(100)]})
    monkeypatch.setattr(CIFAR100, "meta", {"filename": "meta", "key": "fine_label_names", "md5": meta})


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_cifar100_holds_out_halves_of_the_test_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cifar100(tmp_path / "cifar100", monkeypatch)
    data = Cifar100Data(str(tmp_path))
    assert (data.name, data.num_classes) == ("cifar100", 100)
    assert data.splits["train"].labels.tolist() == list(range(20))
    halves = [data.splits[name].labels.tolist() for name in ("val", "test")]
    assert sorted(halves[0] + halves[1]) == list(range(10))
    assert [len(half) for half in halves] == [5, 5]
    assert (data.splits["val"].images == np.array(halves[0])[:, None, None, None]).all()
    assert Cifar100Data(str(tmp_path), seed=1).splits["val"].labels.tolist() != halves[0]
    assert Cifar100Data(str(tmp_path), held_out="last_fifth").splits["val"].labels.tolist() == [16, 17, 18, 19]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("suffix", ["npz", "txt"])
def test_published_halves_of_the_test_images_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    write_cifar100(tmp_path, monkeypatch)
    file = tmp_path / f"halves.{suffix}"
    if suffix == "npz":
        np.savez(file, xvalid=np.array([1, 3, 4]), xtest=np.array([0, 2]))
    else:
        file.write_text('{"xvalid": ["int", ["1", "3", "4"]], "xtest": ["int", ["0", "2"]]}')
    splits = Cifar100Data(str(tmp_path), split_file=str(file)).splits
    assert [splits[name].labels.tolist() for name in ("val", "test")] == [[1, 3, 4], [0, 2]]
    assert len(splits["train"]) == 20


@pytest.mark.parametrize(
    ("xtest", "message"),
    [
        ([0, 1], r"overlap or lie outside 0\.\.9"),
        ([0, 10], r"outside 0\.\.9"),
        ([-1, 0], r"outside 0\.\.9"),
        ([0.0, 2.0], "no indices"),
        ([], "no indices"),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_indices_that_do_not_fit_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, xtest: list[float], message: str
) -> None:
    write_cifar100(tmp_path, monkeypatch)
    np.savez(tmp_path / "halves.npz", xvalid=np.array([1, 3]), xtest=np.array(xtest))
    with pytest.raises(UsageError, match=message):
        Cifar100Data(str(tmp_path), split_file=str(tmp_path / "halves.npz")).load()


@pytest.mark.parametrize("text", ["1 2 3", "[1, 2]", '{"xvalid": [1, 2]}', '{"xvalid": ["int", ["1"]]}'])
def test_a_text_that_is_no_split_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "halves.txt").write_text(text)
    with pytest.raises(UsageError, match=r"Cifar100Data\(split_file='.*halves.txt'\).*`xvalid` and `xtest`"):
        Cifar100Data(str(tmp_path), split_file=str(tmp_path / "halves.txt")).load()


@pytest.mark.data
def test_the_small_cifar100_says_what_it_is(data_root: Path) -> None:
    data = Cifar100Data(str(data_root / "images"))
    assert data.name == "cifar100-small"
    train, val, test = (data.splits[name] for name in ("train", "val", "test"))
    assert (len(train), len(val), len(test)) == (10_000, 1_000, 1_000)
    assert np.bincount(train.labels).tolist() == [100] * 100
    assert train.images.mean(axis=(0, 2, 3)) / 255 == pytest.approx(data.mean, abs=6e-3)
    with pytest.raises(UsageError, match=r"images in the official order, got 'cifar100_small_resid\.npz'"):
        Cifar100Data(str(data_root / "images"), held_out="last_fifth").load()


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
