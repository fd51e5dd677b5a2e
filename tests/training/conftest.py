"""Scripts that start processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def run_to_its_end(script: Path, *arguments: str) -> None:
    with subprocess.Popen(
        [sys.executable, str(script), *arguments],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=300)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    assert process.returncode == 0, output


@pytest.fixture
def run_script() -> Callable[..., None]:
    """Run a script with arguments; whatever it started ends with it, and it must succeed."""
    return run_to_its_end
