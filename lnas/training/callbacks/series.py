"""Numbers that come one by one from a device."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


class Series:
    """A list of numbers that waits for the device only when it is read.

    Args:
        values: What it begins with.
    """

    def __init__(self, values: Iterable[float] = ()) -> None:
        self._read = list(values)
        self._pending: list[Tensor] = []

    def append(self, number: Tensor) -> None:
        """Add a tensor of one number, which must not change afterwards."""
        self._pending.append(number)

    def __len__(self) -> int:
        return len(self._read) + len(self._pending)

    @property
    def values(self) -> list[float]:
        """All of them; those that are new come over in one transfer."""
        if self._pending:
            self._read += torch.stack(self._pending).tolist()
            self._pending = []
        return list(self._read)
