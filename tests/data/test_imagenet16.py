from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

from lnas.data import ImageNet16Data
from lnas.data.image_pickles import read_pickled_batch
from lnas.errors import UsageError


def batch(labels: list[int], first: int = 0) -> dict[str, object]:
    """Make a batch of which image k is filled with `first + k`."""
    content = np.repeat(np.arange(first, first + len(labels), dtype=np.uint8)[:, None], 768, axis=1)
    return {"data": content, "labels": labels, "mean": np.zeros(768)}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The released files, three images of each to train on and six to test on."""
    folder = tmp_path / "ImageNet16"
    folder.mkdir()
    for number in range(1, 11):
        (folder / f"train_data_batch_{number}").write_bytes(pickle.dumps(batch([number, 121, 120], 3 * number)))
    (folder / "val_data").write_bytes(pickle.dumps(batch([1, 2, 3, 1000, 4, 120])))
    return tmp_path


def test_images_of_the_first_classes_are_kept(root: Path) -> None:
    data = ImageNet16Data(str(root))
    assert (data.name, data.num_classes, data.crop_padding) == ("imagenet16-120", 120, 2)
    train = data.splits["train"]
    assert train.labels.tolist() == [label for number in range(10) for label in (number, 119)]
    assert train.images.shape == (20, 3, 16, 16)
    assert train.images[:, 0, 0, 0].tolist() == [3 * number + k for number in range(1, 11) for k in (0, 2)]
    held_out = [data.splits[name].labels.tolist() for name in ("val", "test")]
    assert sorted(held_out[0] + held_out[1]) == [0, 1, 2, 3, 119]


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_pickles_of_several_protocols_are_read(tmp_path: Path, protocol: int) -> None:
    (tmp_path / "batch").write_bytes(pickle.dumps(batch([7, 9]), protocol=protocol))
    images, labels = read_pickled_batch(tmp_path / "batch", 16)
    assert (images == np.array([0, 1])[:, None, None, None]).all()
    assert labels.tolist() == [7, 9]


class _Print:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("run",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (pickle.dumps({"data": _Print()}), "the name builtins.print; do not trust the file"),
        (pickle.dumps({"data": np.array([print])}), "the name builtins.print|an array of 'O8'"),
        (pickle.dumps(batch([1, 2]))[:-100], "(Unpickling|EOF)Error"),
        (pickle.dumps({"data": np.zeros((2, 768), np.uint8), "labels": [1]}), "2 images of type uint8 with 1 labels"),
        (pickle.dumps({"data": np.zeros((2, 768)), "labels": [1, 2]}), "images of type float64"),
        (pickle.dumps([1, 2]), "TypeError"),
        (b"no pickle", "UnpicklingError"),
    ],
)
def test_nothing_but_images_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    (tmp_path / "batch").write_bytes(content)
    with pytest.raises(UsageError, match=f"read '.*batch'.*({message})"):
        read_pickled_batch(tmp_path / "batch", 16)
    assert capsys.readouterr().out == ""


def test_a_missing_file_and_a_missing_folder_are_named(root: Path) -> None:
    (root / "ImageNet16" / "train_data_batch_7").unlink()
    with pytest.raises(UsageError, match="train_data_batch_7"):
        ImageNet16Data(str(root)).load()
    with pytest.raises(UsageError, match=r"ImageNet16Data\(root='.*nowhere'\).*got 'no such folder'"):
        ImageNet16Data(str(root / "nowhere")).load()


@pytest.mark.data
def test_the_stand_in_says_what_it_is(data_root: Path) -> None:
    data = ImageNet16Data(str(data_root / "images"))
    assert (data.name, data.num_classes) == ("tin16-120", 120)
    assert [len(data.splits[name]) for name in ("train", "val", "test")] == [12_000, 1_500, 1_500]
    assert set(data.splits["train"].labels) == set(range(120))
    with pytest.raises(UsageError, match=r"images in the official order, got 'tin16_120_small\.npz'"):
        ImageNet16Data(str(data_root / "images"), held_out="last_fifth").load()
