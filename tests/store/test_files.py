from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lnas.errors import RunError
from lnas.store import exclusive, sweep_partial_files, write_whole

OLD, NEW = b"old" * 1000, b"new" * 5000


def listed(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_with_its_folders(tmp_path):
    path = tmp_path / "a" / "b" / "file.bin"
    write_whole(path, NEW)
    assert path.read_bytes() == NEW
    assert listed(path.parent) == ["file.bin"]


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "file.bin"
    write_whole(path, OLD)
    write_whole(path, NEW)
    assert path.read_bytes() == NEW
    assert listed(tmp_path) == ["file.bin"]


def test_others_may_read_the_file(tmp_path):
    write_whole(tmp_path / "file.bin", NEW)
    assert (tmp_path / "file.bin").stat().st_mode & 0o777 == 0o644


def no_space(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize(("owner", "step"), [(os, "fsync"), (Path, "chmod"), (Path, "replace")])
def test_a_failed_write_keeps_the_old_content_and_leaves_nothing_behind(tmp_path, monkeypatch, owner, step):
    path = tmp_path / "file.bin"
    write_whole(path, OLD)
    with monkeypatch.context() as patched:
        patched.setattr(owner, step, no_space)
        with pytest.raises(RunError) as caught:
            write_whole(path, NEW)
    assert f"write {str(path)!r}: expected a folder that can be written, got 'No space left on device'" in str(
        caught.value
    )
    assert path.read_bytes() == OLD
    assert listed(tmp_path) == ["file.bin"]


def test_the_content_is_on_disk_before_the_name_points_to_it(tmp_path, monkeypatch):
    steps = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda number: (steps.append("fsync"), fsync(number)))
    monkeypatch.setattr(Path, "replace", lambda self, target: (steps.append("replace"), replace(self, target)))
    write_whole(tmp_path / "file.bin", NEW)
    assert steps == ["fsync", "replace"]


def test_a_file_in_the_way_of_the_folder_is_reported(tmp_path):
    (tmp_path / "a").write_bytes(OLD)
    with pytest.raises(RunError, match=r"expected a folder that can be written, got '(File exists|Not a directory)'"):
        write_whole(tmp_path / "a" / "file.bin", NEW)


def test_a_folder_in_the_way_of_the_file_is_reported(tmp_path):
    (tmp_path / "file.bin").mkdir()
    with pytest.raises(RunError, match="got 'Is a directory'"):
        write_whole(tmp_path / "file.bin", NEW)
    assert listed(tmp_path) == ["file.bin"]


OVERWRITER = """
import sys
from pathlib import Path
from lnas.store import write_whole

print("begun", flush=True)
while True:
    for content in (b"old" * 1000, b"new" * 5000):
        write_whole(Path(sys.argv[1]), content)
"""


@pytest.mark.parametrize("delay", [0.01, 0.05, 0.2])
def test_kill_9_leaves_the_old_content_or_the_new(tmp_path, delay):
    path = tmp_path / "file.bin"
    write_whole(path, OLD)
    with subprocess.Popen([sys.executable, "-c", OVERWRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        writer.stdout.readline()
        with pytest.raises(subprocess.TimeoutExpired):
            writer.wait(delay)
        writer.send_signal(signal.SIGKILL)
    assert path.read_bytes() in (OLD, NEW)
    sweep_partial_files(tmp_path)
    assert listed(tmp_path) == ["file.bin"]


def test_sweeping_removes_partial_files_alone(tmp_path):
    keep = [".hidden", "file.lnas-partial", ".thesis.partial", ".lock", ".file.lnas-partial.txt", "file.bin"]
    for name in [*keep, ".file.bin.abc123.lnas-partial", ".partial.lnas-partial"]:
        (tmp_path / name).write_bytes(OLD)
    (tmp_path / "inner").mkdir()
    for name in (".file.bin.abc123.lnas-partial", "file.bin"):
        (tmp_path / "inner" / name).write_bytes(OLD)
    sweep_partial_files(tmp_path)
    assert listed(tmp_path) == sorted([*keep, "inner"])
    assert listed(tmp_path / "inner") == ["file.bin"]


HOLDER = """
import sys
from pathlib import Path
from lnas.store import exclusive

with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that works in the folder."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "run")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.usefixtures("holder")
def test_a_held_folder_refuses_a_second_process(tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(RunError) as caught, exclusive(folder):
        pass
    assert str(caught.value) == (
        f"output folder {str(folder)!r}: expected no other lnas at work in it, got 'a running one'. "
        "Wait for it, or name another folder with --output."
    )


@pytest.mark.parametrize("end", ["kill", "finish"])
def test_a_folder_is_free_again_when_its_process_ends(tmp_path, holder, end):
    if end == "kill":
        holder.kill()
        assert holder.wait() == -signal.SIGKILL
    else:
        holder.stdin.close()
        assert holder.wait() == 0
    with exclusive(tmp_path / "run"):
        assert (tmp_path / "run").is_dir()


def test_a_folder_is_free_again_after_an_error(tmp_path):
    with pytest.raises(KeyError), exclusive(tmp_path):
        raise KeyError
    with exclusive(tmp_path):
        pass


def test_two_folders_do_not_hinder_each_other(tmp_path):
    with exclusive(tmp_path / "a"), exclusive(tmp_path / "b"):
        assert listed(tmp_path) == ["a", "b"]


def test_a_folder_that_cannot_be_made_is_reported(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(RunError) as caught, exclusive(tmp_path / "file"):
        pass
    assert f"output folder {str(tmp_path / 'file')!r}: expected a folder that can be written" in str(caught.value)
    assert "got 'File exists'. Name another with --output." in str(caught.value)
