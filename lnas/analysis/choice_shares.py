"""Which part of an architecture's decisions each choice has, such as each operation among the edges of a cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnas.spaces import SearchSpace
from lnas.types import Arch


def choice_shares(archs: Sequence[Arch], space: SearchSpace) -> dict[str, np.ndarray]:
    """Return for each choice the share of an architecture's decisions that it has.

    All decisions count, those that decide nothing too, such as an operation behind `none`; an absent edge of DARTS is a
    decision for `none`. Choices of one name are one, whatever decisions offer them.

    Args:
        archs: The n architectures.
        space: Theirs.

    Returns:
        Name of each choice, in the order of the space -> shape (n,), in [0, 1], of which an architecture's sum to 1.

    Raises:
        UsageError: If an architecture is not of the space.

    Example:
        >>> from lnas.spaces import NatsTopologySpace
        >>> space = NatsTopologySpace()
        >>> cell = space.parse("|nor_conv_3x3~0|+|none~0|skip_connect~1|+|none~0|none~1|nor_conv_1x1~2|")
        >>> {name: share.round(2).item() for name, share in choice_shares([cell], space).items()}
        {'none': 0.5, 'skip_connect': 0.17, 'nor_conv_1x1': 0.17, 'nor_conv_3x3': 0.17, 'avg_pool_3x3': 0.0}
    """
    for arch in archs:
        space.validate(arch)
    names = [
        {choice: space.choice_name(decision, choice) for choice in allowed}
        for decision, allowed in enumerate(space.region.choices)
    ]
    every = list(dict.fromkeys(name for own in names for name in own.values()))
    chosen = [[every.index(own[gene]) for own, gene in zip(names, arch.genes, strict=True)] for arch in archs]
    numbers = np.array(chosen, dtype=int).reshape(-1, len(names))
    return {name: (numbers == number).mean(axis=1) for number, name in enumerate(every)}
