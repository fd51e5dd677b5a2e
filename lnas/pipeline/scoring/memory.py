"""How much memory a process and its workers took."""

from __future__ import annotations

import resource
import sys

_UNIT = 1 if sys.platform == "darwin" else 1024


def peak_memory() -> tuple[int, int]:
    """Return the most bytes that this process held at a time, and the most that any worker did which has ended."""
    own, workers = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own * _UNIT, workers * _UNIT
