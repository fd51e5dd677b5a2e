"""How many threads linear algebra uses in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def limited_threads(number: int) -> Iterator[None]:
    """Compute with as many threads as one of several processes would have: the numbers are the same."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
