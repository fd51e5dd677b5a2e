"""Which executor serves on this machine."""

from __future__ import annotations

from lnas.execution.base import Executor
from lnas.execution.processes import Processes
from lnas.execution.serial import Serial


def local_executor(processes: int, threads: int) -> Executor:
    """Return what runs so many tasks at a time, each in a process of its own; one at a time, in this process."""
    return Serial() if processes == 1 else Processes(processes, threads)
