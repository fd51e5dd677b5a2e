"""Which of the processes of a distributed training this is."""

from __future__ import annotations


def is_first() -> bool:
    """Tell whether this is the process that keeps the results. Lightning starts the others by the same command."""
    from lightning.pytorch.utilities import rank_zero_only

    return getattr(rank_zero_only, "rank", 0) == 0
