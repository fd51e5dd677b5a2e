"""`kill -9` at chosen moments: the run goes on and ends as one that was never killed."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CONFIG = Path(__file__).with_name("tiny.yaml")

# Runs the command line and kills the process when a function is called for the n-th time with a text among its
# arguments; writes down every estimate that reached the store.
DRIVER = """
import functools, importlib, os, signal, sys

module, path, count, text, journal = sys.argv[1:6]

def patched(module, path, wrap):
    *parents, name = path.split(".")
    owner = functools.reduce(getattr, parents, importlib.import_module(module))
    setattr(owner, name, wrap(getattr(owner, name)))

def killing(function):
    left = int(count)
    def wrapper(*args, **kwargs):
        nonlocal left
        if text in str(args):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return wrapper

def journaling(function):
    def wrapper(self, protocol, arch, seed, estimates):
        function(self, protocol, arch, seed, estimates)
        with open(journal, "a") as file:
            print(type(protocol).__name__, arch, seed, file=file)
    return wrapper

patched("lnas.store.store", "Store.add", journaling)
if module:
    patched(module, path, killing)
from lnas.cli import main
sys.exit(main(sys.argv[6:]))
"""

MOMENTS = {
    "in a short training": ("lnas.training.callbacks", "LossCallback.on_train_batch_end", 8, ""),
    "before an estimate is committed": ("lnas.store.store", "_replace", 3, "angle"),
    "in an epoch of the first retraining": ("lnas.training.callbacks", "StepCallback.on_train_batch_end", 10, ""),
    "while a checkpoint is written": ("pathlib", "Path.replace", 2, "last.ckpt"),
    "when weights are written but not yet noted": ("lnas.store.store", "_replace", 1, "test_acc"),
    "when a training is noted but not yet tidied up": ("pathlib", "Path.unlink", 1, "last.ckpt"),
    "while the report is written": ("pathlib", "Path.replace", 1, "report.html"),
    "before the run is noted as finished": ("lnas.store.store", "Store.finish_run", 1, ""),
}


def start(output: Path, module: str = "", path: str = "", count: int = 0, text: str = "") -> int:
    """Run the command in a process of its own; return its exit status."""
    journal = output.parent / f"{output.name}.journal"
    arguments = ["run", "--config", str(CONFIG), "--output", str(output), "--quiet"]
    command = [sys.executable, "-c", DRIVER, module, path, str(count), text, str(journal), *arguments]
    return subprocess.run(command, check=False, timeout=300).returncode


def numbers(output: Path) -> dict[str, Any]:
    """Everything a run leaves that must not depend on kills: all but times and dates."""
    with sqlite3.connect(output / "store.sqlite") as connection:

        def rows(query: str) -> list[Any]:
            return sorted(connection.execute(query).fetchall())

        found = {
            "estimates": rows("select protocol, arch, seed, measure, value, status, detail from estimates"),
            "curves": rows("select protocol, arch, seed, series, step, value from curves where series != 'seconds'"),
            "candidates": rows("select number, arch from candidates"),
            "picks": rows("select role, number, arch from picks"),
        }
    found["weights"] = {
        str(file.relative_to(output)): file.read_bytes() for file in sorted(output.rglob("weights.safetensors"))
    }
    return found


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("uninterrupted") / "run"
    assert start(output) == 0
    return output


def test_killed_at_every_stage_it_ends_as_if_never_killed(uninterrupted: Path, tmp_path: Path) -> None:
    output = tmp_path / "run"
    for moment, (module, path, count, text) in MOMENTS.items():
        assert start(output, module, path, count, text) == -signal.SIGKILL, f"not killed {moment}"
    assert start(output) == 0
    found = numbers(output)
    assert len(found["candidates"]) == 5
    assert len(found["weights"]) == 3
    assert found == numbers(uninterrupted)
    noted = (tmp_path / "run.journal").read_text().splitlines()
    assert len(noted) == len(set(noted)) == 5 + 5 + 3, "something was computed twice"
    left_over = [path.name for path in output.rglob("*") if path.name.endswith(("partial", ".ckpt"))]
    assert left_over == []


def test_a_finished_run_only_writes_its_report_again(uninterrupted: Path) -> None:
    before = numbers(uninterrupted)
    (uninterrupted / "report.html").unlink()
    assert start(uninterrupted, "lightning.pytorch", "Trainer.fit", 1) == 0, "something was trained again"
    assert (uninterrupted / "report.html").is_file()
    assert numbers(uninterrupted) == before
