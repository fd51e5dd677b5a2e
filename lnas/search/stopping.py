"""When a search has nothing more to gain."""

from __future__ import annotations

from collections.abc import Sequence


def stopped_falling(values: Sequence[float], window: int) -> bool:
    """Tell whether none of the last `window` values is lower than all before them.

    Example:
        >>> stopped_falling([3.0, 2.0, 1.0], 2), stopped_falling([3.0, 1.0, 2.0, 1.0], 2)
        (False, True)
    """
    return len(values) > window and min(values[-window:]) >= min(values[:-window])
