"""What is wrong is said in one line, with the right exit status, and nothing half-written stays behind."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lnas.cli import main

CONFIG = Path(__file__).with_name("tiny.yaml")


def complain(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run the command line; return its status and its one line."""
    status = main(list(arguments))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("lnas: ")
    assert captured.err.count("\n") == 1, captured.err
    assert "Traceback" not in captured.err
    return status, captured.err


USAGE = {
    "unknown command": (["rnu"], r"unknown command 'rnu'\. Did you mean 'run'\?"),
    "unknown option": (["--candidate", "3"], r"--candidate\b.*Did you mean '--candidates'\?"),
    "option without a value": (["--rank"], r"--rank.*expected"),
    "not a number": (["--candidates", "many"], r"candidates.*many"),
    "misspelt measure": (["--rank", "angel+loss"], r"unknown measure 'angel'\. Did you mean 'angle'\?"),
    "malformed rank": (["--rank", "(angle+loss"], r"rank expression '\(angle\+loss': expected .* brackets closed"),
    "misspelt estimator": (["--estimators", "[ShortTrainingEstimater]"], r"Did you mean 'ShortTrainingEstimator'\?"),
    "misspelt data": (["--data", "DigitData"], r"Did you mean 'DigitsData'\?"),
    "missing data folder": (
        ["--data", "Cifar10Data", "--data.root", "/nowhere"],
        r"Cifar10Data\(root='/nowhere'\).*no such folder.*--data\.root",
    ),
    "missing config": (["--config", "nowhere.yaml"], r"nowhere\.yaml"),
    "more candidates than there are": (["--candidates", "6467"], r"candidates=6467.*<= 6466.*got 6467"),
    "fewer candidates than picks": (["--candidates", "2"], r"candidates=2.*3 <= candidates"),
    "more classes than there are": (
        ["--estimators", "[{class_path: ShortTrainingEstimator, init_args: {classes: 11}}]", "--rank", "angle"],
        r"classes=11.*classes <= 10.*'digits'",
    ),
    "more images than there are": (
        ["--estimators", "[{class_path: ShortTrainingEstimator, init_args: {images_per_class: 99}}]", "--rank", "loss"],
        r"images_per_class=99.*got 99",
    ),
    "a search among regions": (["--strategy", "PruningSearch"], r"proposes architectures, got 'PruningSearch'"),
    "a race that ends too early": (["--racing.rungs", "[12, 25]"], r"rungs that end at \d+, .* got 25"),
    "rungs that are no list": (["--racing.rungs", "12,25"], r"--racing: rungs: expected a list, written \[12,25\]"),
    "arch that does not parse": (["--controls", "[lowest, '|conv~0|']"], r"'\|conv~0\|'.*three nodes joined by '\+'"),
    "arch with an unknown operation": (
        ["--controls", "['|conv3~0|+|none~0|none~1|+|none~0|none~1|none~2|']"],
        r"expected an operation of none, skip_connect.*got 'conv3'",
    ),
    "the same measure twice": (["--estimators", "[ZeroShotEstimator, ZeroShotEstimator]"], r"got 'params'"),
    "misspelt optimizer": (["--retraining.optimizer", "sgdd"], r"unknown optimizer 'sgdd'\. Did you mean 'sgd'\?"),
    "misspelt schedule": (["--retraining.schedule", "cosin"], r"--retraining.*cosine"),
    "training that cannot be": (["--retraining.lr", "-1"], r"Retraining\(\.\.\.\).*learning rate"),
    "precision that is none": (["--retraining.precision", "12"], r"Retraining\(\.\.\.\).*12"),
    "device that is not here": (["--retraining.accelerator", "abacus"], r"Retraining\(\.\.\.\).*abacus"),
    "negative seed": (["--seed", "-1"], r"0 <= seed < 2\*\*31, got -1"),
    "no folder": (["--output", ""], r"output=''.*--output"),
    "recipe out of range": (["--retraining.epochs", "0"], r"epochs=0.*epochs >= 1"),
}


@pytest.mark.parametrize("case", USAGE)
def test_a_wrong_call_is_answered_in_one_line_with_status_2(
    case: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    arguments, message = USAGE[case]
    if case != "unknown command":
        arguments = ["run", "--config", str(CONFIG), "--output", str(tmp_path / "run"), *arguments]
    status, line = complain(capsys, *arguments)
    assert status == 2
    assert re.search(message, line), line
    assert not (tmp_path / "run").exists()


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--config", str(CONFIG), "--rank", "angel", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_corrupt_store_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(os.urandom(4096))
    status, line = complain(capsys, "run", "--config", str(CONFIG), "--output", str(tmp_path))
    assert status == 1
    assert re.search(r"store\.sqlite.*not a database", line), line


def test_a_folder_with_another_run_is_refused_and_left_alone(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from lnas.store import Store

    store = Store(tmp_path / "store.sqlite")
    store.begin_run("run", {"seed": 7}, {})
    store.close()
    status, line = complain(capsys, "run", "--config", str(CONFIG), "--output", str(tmp_path))
    assert status == 2
    assert re.search(r"seed was 7, is 0.*--output", line), line
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "store.sqlite"]


def test_a_folder_in_use_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    from lnas.store import exclusive

    with exclusive(tmp_path):
        status, line = complain(capsys, "run", "--config", str(CONFIG), "--output", str(tmp_path))
    assert status == 1
    assert "a running one" in line


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 kB: room for a store, none for a report."""
    yield from _mounted(tmp_path / "small", "size=300k")


@pytest.fixture
def read_only_disk(tmp_path: Path) -> Iterator[Path]:
    yield from _mounted(tmp_path / "sealed", "ro")


def _mounted(folder: Path, options: str) -> Iterator[Path]:
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def run_apart(output: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lnas", "run", "--config", str(CONFIG), "--output", str(output), "--quiet"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_full_disk_is_said_in_one_line_and_leaves_no_part(small_disk: Path) -> None:
    result = run_apart(small_disk / "run")
    assert result.returncode == 1, result.stderr
    assert re.fullmatch(r"lnas: .*(No space left on device|disk is full).*\n", result.stderr), result.stderr
    assert not list(small_disk.rglob("*partial"))
    assert not (small_disk / "run" / "report.html").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a tmpfs")
def test_a_read_only_disk_is_said_in_one_line(read_only_disk: Path) -> None:
    result = run_apart(read_only_disk / "run")
    assert result.returncode == 1
    assert re.fullmatch(r"lnas: .*Read-only file system.*--output\.\n", result.stderr), result.stderr
