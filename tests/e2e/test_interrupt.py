"""Ctrl-C and SIGTERM while something trains: said, with the right exit status, and resumable."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = Path(__file__).with_name("tiny.yaml")

# Sends itself a signal in the middle of a training, as a terminal or a batch system does.
DRIVER = """
import os, signal, sys
from lnas.training.callbacks import LossCallback, StepCallback

name, callback = sys.argv[1], {"search": LossCallback, "retraining": StepCallback}[sys.argv[2]]
signal.signal(signal.SIGINT, signal.default_int_handler)  # a child of a background job ignores it otherwise
before, left = callback.on_train_batch_end, 8

def hook(*arguments):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), getattr(signal, name))
    return before(*arguments)

callback.on_train_batch_end = hook
from lnas.cli import main
sys.exit(main(sys.argv[3:]))
"""


@pytest.mark.parametrize(
    ("name", "stage", "status", "said"),
    [
        ("SIGINT", "search", 130, "lnas: stopped; the same command goes on from here\n"),
        ("SIGTERM", "retraining", 128 + signal.SIGTERM, ""),
    ],
)
def test_a_signal_is_no_success(name: str, stage: str, status: int, said: str, tmp_path: Path) -> None:
    arguments = ["run", "--config", str(CONFIG), "--output", str(tmp_path / "run"), "--quiet"]
    command = [sys.executable, "-c", DRIVER, name, stage, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == status, done.stderr
    assert done.stderr.replace("\n\n", "\n").strip().endswith(said.strip())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run" / "report.html").exists()
