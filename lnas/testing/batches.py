"""A loader that a resumed training goes on with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


class ResumableBatches:
    """Serve the same batches in each epoch; resumed, go on where the checkpoint was written.

    Lightning keeps the state of a loader that has one. With it, a callback can be tested on a training that is resumed
    amid an epoch.

    Args:
        batches: Of one epoch.

    Example:
        >>> batches = ResumableBatches("abc")
        >>> next(iter(batches)), batches.state_dict(), list(batches), list(batches)
        ('a', {'at': 1}, ['b', 'c'], ['a', 'b', 'c'])
    """

    def __init__(self, batches: Sequence[Any]) -> None:
        self._batches = batches
        self._at = 0

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Any]:
        for at in range(self._at, len(self)):
            self._at = (at + 1) % len(self)
            yield self._batches[at]

    def state_dict(self) -> dict[str, int]:
        """Return which batch comes next."""
        return {"at": self._at}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        """Go on with that batch."""
        self._at = state_dict["at"]
