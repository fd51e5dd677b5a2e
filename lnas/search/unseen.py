"""Drawing what was not drawn before."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.spaces import SearchSpace
from lnas.types import Arch

# With this many misses in a row, the chance that something unseen is left is below exp(-20).
_MISSES_PER_ARCH = 20


def draw_unseen(
    space: SearchSpace, rng: np.random.Generator, seen: set[Arch], key: Callable[[Arch], Arch], call: str
) -> Arch:
    """Draw uniformly from what was not seen, by rejection, and note that it is seen now.

    Args:
        space: Where to draw from.
        rng: Decides.
        seen: Keys of what was drawn; added to.
        key: What two architectures share that count as one.
        call: What an error begins with.

    Raises:
        UsageError: If nothing unseen turns up.
    """
    for _ in range(_MISSES_PER_ARCH * space.size):
        arch = space.sample(rng)
        if key(arch) not in seen:
            seen.add(key(arch))
            return arch
    raise UsageError(complaint(call, "an unseen architecture", len(seen), "The space is exhausted."))


def itself(arch: Arch) -> Arch:
    """Count every architecture for itself."""
    return arch
