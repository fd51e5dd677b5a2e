"""What a piece of code costs, added up."""

from __future__ import annotations

import time


class Stopwatch:
    """Add up the wall time of the `with` blocks it is used for.

    Args:
        seconds: What it begins with.

    Attributes:
        seconds: The sum so far.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self._started = 0.0

    def __enter__(self) -> None:
        self._started = time.perf_counter()

    def __exit__(self, *error: object) -> None:
        self.seconds += time.perf_counter() - self._started
