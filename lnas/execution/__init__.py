"""Where trainings and estimates run: here, or in processes of this machine. Torch-free."""

from lnas.execution.base import Done, Executor
from lnas.execution.local import local_executor
from lnas.execution.processes import Processes
from lnas.execution.serial import Serial

__all__ = ["Done", "Executor", "Processes", "Serial", "local_executor"]
