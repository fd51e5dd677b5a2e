"""Which cells are trivial: those that compute without a convolution."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnas.spaces import NatsTopologySpace, SearchSpace
from lnas.types import Arch


def are_trivial(archs: Sequence[Arch], space: SearchSpace) -> np.ndarray:
    """Tell which cells have no convolution on any path from input to output; shape (n,).

    Only NATS topology cells can be so; of any other space none is.

    Source: Yang et al., "Revisiting Training-free NAS Metrics", supplement, Sec. 2: cells composed of zeroize,
    skip-connect and average pooling, which the angle ranks first.
    """
    if not isinstance(space, NatsTopologySpace):
        return np.zeros(len(archs), dtype=bool)
    return np.array([not space.is_valid(arch) for arch in archs], dtype=bool)
