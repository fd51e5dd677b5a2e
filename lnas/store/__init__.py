"""Estimates and runs that survive a killed process. Torch-free."""

from lnas.store.files import exclusive, sweep_partial_files, write_whole
from lnas.store.store import Pick, RunRecord, Store, protocol_key

__all__ = ["Pick", "RunRecord", "Store", "exclusive", "protocol_key", "sweep_partial_files", "write_whole"]
