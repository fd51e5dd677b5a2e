"""`lnas score` on digits: interrupted, killed and resumed in other processes, the numbers are the same."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from lnas.benchmarks import load_scores
from lnas.cli import main
from lnas.store import Store, protocol_key
from lnas.types import Arch

CELLS = """
|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|
|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|
|none~0|+|none~0|none~1|+|none~0|none~1|none~2|
nats_topology:3-1-2-0-4-3
nats_topology:1-1-1-1-1-1
nats_topology:2-0-3-0-0-4
nats_topology:0-0-0-3-0-0
nats_topology:3-0-0-3-0-0
"""
MEASURES = ["params", "relu_logdet", "synflow", "grad_norm"]

# Runs the command line and kills its process when the n-th estimates are to be kept.
DRIVER = """
import os, signal, sys
from lnas.cli import main
from lnas.store import Store

name, left = sys.argv[1], int(sys.argv[2])
add = Store.add

def killing(*arguments):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), getattr(signal, name))
    add(*arguments)

Store.add = killing
sys.exit(main(sys.argv[3:]))
"""


def command(folder: Path, output: Path) -> list[str]:
    (folder / "cells.txt").write_text(CELLS)
    words = f"score --data DigitsData --net.channels 4 --net.cells 1 --measures {','.join(MEASURES)} --quiet"
    return [*words.split(), "--archs", str(folder / "cells.txt"), "--output", str(output)]


def killed(name: str, count: int, arguments: Sequence[str]) -> int:
    """Start the command in a process of its own; return its exit status."""
    driven = [sys.executable, "-c", DRIVER, name, str(count), *arguments]
    return subprocess.run(driven, check=False, timeout=300).returncode


def kept(output: Path) -> list[Any]:
    """Everything the store has of estimates but times and dates."""
    with sqlite3.connect(output / "store.sqlite") as connection:
        query = "select protocol, arch, seed, measure, value, status, detail from estimates"
        return sorted(connection.execute(query).fetchall(), key=repr)


def measurements(output: Path) -> set[tuple[str, str]]:
    """Which protocols the store has estimates under, of which architectures."""
    return {(protocol, arch) for protocol, arch, *_ in kept(output)}


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of it in this process, one after the other."""
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert main(command(folder, folder / "score")) == 0
    return folder / "score"


def test_every_cell_has_every_number_but_a_dead_one(uninterrupted: Path) -> None:
    scores = load_scores(uninterrupted / "scores.parquet")
    assert set(scores.names) == set(MEASURES)
    assert len(scores) == 8
    dead = scores.archs.index(next(arch for arch in scores.archs if not any(arch.genes)))
    for name in MEASURES[1:]:
        assert [row for row, value in enumerate(scores.columns[name]) if value != value][:1] == [dead]
    assert scores.columns["params"].min() > 1000
    assert "relu_logdet" in scores.problems[dead]


@contextmanager
def interrupt_at(count: int) -> Iterator[list[Any]]:
    """Press Ctrl-C when the n-th estimates are to be kept; yield a list of whose were."""
    noted: list[Any] = []
    add = Store.add

    def noting(store: Store, protocol: object, arch: Arch, seed: int, estimates: Any) -> None:
        if len(noted) == count - 1:
            signal.raise_signal(signal.SIGINT)
        add(store, protocol, arch, seed, estimates)
        noted.append((protocol_key(protocol), arch.to_json()))

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Store, "add", noting)
            yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def test_stopped_killed_and_resumed_in_two_processes_it_ends_the_same(
    uninterrupted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "score"
    arguments = command(tmp_path, output)
    with interrupt_at(3):
        assert main(arguments) == 130
    assert capsys.readouterr().err == "lnas: stopped; the same command goes on from here\n"
    assert len(measurements(output)) == 2
    assert killed("SIGKILL", 3, arguments) == -signal.SIGKILL
    before = measurements(output)
    assert len(before) == 4
    assert not (output / "scores.csv").exists()
    with interrupt_at(0) as noted:
        assert main([*arguments, "--processes", "2"]) == 0
    assert sorted([*noted, *before]) == sorted(measurements(uninterrupted)), (
        "something was computed twice, or not at all"
    )
    assert kept(output) == kept(uninterrupted)
    for name in ("scores.csv", "scores.parquet"):
        assert (output / name).read_bytes() == (uninterrupted / name).read_bytes()


def test_started_again_it_reads_and_computes_nothing(
    uninterrupted: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from lnas.estimators import ZeroShotEstimator

    asked: list[Any] = []
    estimate = ZeroShotEstimator.estimate
    monkeypatch.setattr(
        ZeroShotEstimator, "estimate", lambda *given, **seed: asked.append(given[1]) or estimate(*given, **seed)
    )
    before = {name: (uninterrupted / name).read_bytes() for name in ("scores.csv", "config.yaml")}
    assert main(["score", "--config", str(uninterrupted / "config.yaml")]) == 0
    assert asked == []
    assert {name: (uninterrupted / name).read_bytes() for name in before} == before
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_a_terminated_scoring_leaves_no_half(tmp_path: Path) -> None:
    arguments = [*command(tmp_path, tmp_path / "score"), "--processes", "2"]
    assert killed("SIGTERM", 1, arguments) == -signal.SIGTERM
    assert kept(tmp_path / "score") == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("--measures relu_logdett", "unknown measure 'relu_logdett'. Did you mean 'relu_logdet'?"),
        ("--archs nowhere.txt", "archs='nowhere.txt': expected a text file, got 'No such file or directory'"),
        ("--archs 20000", "archs=20000: expected 1 <= archs <= 15,625"),
        ("--once_per clas", "--once_per"),
        ("--output ", "output=''"),
    ],
)
def test_bad_input_is_one_line(arguments: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    option, _, value = arguments.partition(" ")
    assert main([*command(tmp_path, tmp_path / "score"), option, value]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("lnas: ")
    assert line in printed
    assert printed.count("\n") == 1
    assert not (tmp_path / "score").exists()


def test_a_bad_line_of_the_file_is_numbered(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = command(tmp_path, tmp_path / "score")
    (tmp_path / "cells.txt").write_text(f"{CELLS}|conv~0|\n")
    assert main(arguments) == 2
    assert f"line {len(CELLS.splitlines()) + 1}: NatsTopologySpace.parse('|conv~0|')" in capsys.readouterr().err


def test_a_folder_with_other_settings_is_refused(uninterrupted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["score", "--config", str(uninterrupted / "config.yaml"), "--seed", "1"]) == 2
    assert "seed was 0, is 1" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    assert main(command(tmp_path, tmp_path / "file" / "score")) == 1
    assert "a folder that can be written" in capsys.readouterr().err
