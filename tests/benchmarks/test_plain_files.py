from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lnas.benchmarks.plain_files import read_json, read_npz, require_file, require_folder
from lnas.errors import UsageError


def test_json_is_read(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a": [1, 2.5, null]}')
    assert read_json(path) == {"a": [1, 2.5, None]}


def test_arrays_are_read(tmp_path):
    np.savez(tmp_path / "a.npz", one=np.arange(3), two=np.float32(0.5))
    arrays = read_npz(tmp_path / "a.npz")
    assert arrays["one"].tolist() == [0, 1, 2]
    assert arrays["two"].dtype == np.float32


@pytest.mark.parametrize(("read", "kind"), [(read_json, "a JSON file"), (read_npz, "an npz file")])
def test_what_is_not_there_is_named(tmp_path, read, kind):
    for path, got in ((tmp_path / "none", "nothing there"), (tmp_path, "a folder")):
        with pytest.raises(UsageError) as caught:
            read(path)
        assert f"{str(path)!r}: expected {kind}, got {got!r}" in str(caught.value)


def test_what_is_no_regular_file_is_not_said_to_be_missing():
    with pytest.raises(UsageError, match="'/dev/null': expected a thing, got 'no regular file'"):
        require_file(Path("/dev/null"), "a thing")


def test_a_folder_is_required(tmp_path):
    require_folder(tmp_path, "the folder of a")
    (tmp_path / "a").touch()
    for name, got in (("a", "a file"), ("b", "nothing there")):
        with pytest.raises(UsageError, match=rf"{name}': expected the folder of a, got '{got}'\. Look again\."):
            require_folder(tmp_path / name, "the folder of a", "Look again.")


@pytest.mark.parametrize("content", [b"", b'{"a": [1, 2', b"\xff\xfe\x00", b"[" * 100_000, b"PK\x03\x04 no archive"])
@pytest.mark.parametrize("read", [read_json, read_npz])
def test_damaged_files_give_one_clear_error(tmp_path, read, content):
    path = tmp_path / "damaged"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"expected (whole JSON|a whole npz file), got .*Fetch it again\.$"):
        read(path)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_truncated_archives_give_one_clear_error(tmp_path, kept):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, one=np.random.default_rng(0).random(500), two=np.zeros(3))
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(UsageError, match="a whole npz file"):
        read_npz(path)


def test_a_damaged_array_gives_one_clear_error(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, one=np.random.default_rng(0).random(500))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(UsageError, match="a whole npz file"):
        read_npz(path)


@pytest.mark.parametrize("save", [np.save, np.savez])
def test_no_object_is_unpickled(tmp_path, save):
    path = tmp_path / ("a.npy" if save is np.save else "a.npz")
    save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(UsageError, match="a whole npz file"):
        read_npz(path)


def test_a_single_array_is_no_archive(tmp_path):
    np.save(tmp_path / "a.npy", np.arange(3))
    with pytest.raises(UsageError, match="a whole npz file"):
        read_npz(tmp_path / "a.npy")
