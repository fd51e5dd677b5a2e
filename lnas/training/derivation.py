"""From the weights of a mixture to the architecture that a differentiable search ends in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.training.edge_spaces import EdgeSpace, edge_space_of
from lnas.types import Arch, Region

NoneChoice = Literal["allowed", "excluded"]
"""Whether an edge of NATS topology may become `none`: as any other choice, as in NATS-Bench's released algorithms, or
only where the region allows nothing else, as DARTS derives its own cells."""


def derive(region: Region, weights: Sequence[np.ndarray], none: NoneChoice = "allowed") -> Arch:
    """Return the architecture of the strongest choices; the first of equal ones.

    In NATS topology each edge takes its choice of largest weight. In DARTS each node keeps the two edges whose largest
    weight of an operation other than `none` is largest, and each of them that operation; the others are absent, also
    where the region has no `none`.

    Args:
        region: What the supernet was built for.
        weights: For each decision a vector with a weight for each choice of the region, in its order. Weights of
            different edges are compared, so take them after the softmax.
        none: See `NoneChoice`; in DARTS it is excluded in any case.

    Raises:
        UsageError: If the space is another, or a weight is not finite.

    Source: Liu et al. 2019 (DARTS), Sec. 2.4; D-X-Y/AutoDL-Projects, `exps/NATS-algos`.

    Example:
        >>> region = Region("nats_topology", ((0, 3),) * 6)
        >>> mixture = [np.array([0.6, 0.4])] * 2 + [np.array([0.1, 0.9])] * 4
        >>> str(derive(region, mixture)), str(derive(region, mixture, none="excluded"))
        ('nats_topology:0-0-3-3-3-3', 'nats_topology:3-3-3-3-3-3')
    """
    call = f"derive({region.space}, ...)"
    space = edge_space_of(region, call)
    if not all(np.isfinite(vector).all() for vector in weights):
        got = [vector.tolist() for vector in weights]
        raise UsageError(complaint(call, "finite weights", got, "A search that diverged has no result."))
    if space.kept is not None:
        return Arch(region.space, _kept_edges(region, weights, space))
    excluded = space.none if none == "excluded" else None
    pairs = zip(region.choices, weights, strict=True)
    return Arch(region.space, tuple(_strongest(allowed, vector, excluded)[1] for allowed, vector in pairs))


def _kept_edges(region: Region, weights: Sequence[np.ndarray], space: EdgeSpace) -> tuple[int, ...]:
    genes = [space.none] * len(region.choices)
    for node in space.nodes:
        found = {edge: _strongest(region.choices[edge], weights[edge], space.none) for edge in node}
        operations = [edge for edge in node if found[edge][1] != space.none]
        for edge in sorted(operations, key=lambda edge: -found[edge][0])[: space.kept]:
            genes[edge] = found[edge][1]
    return tuple(genes)


def _strongest(allowed: Sequence[int], weights: np.ndarray, excluded: int | None) -> tuple[float, int]:
    """Return the largest weight and its choice, the excluded one only where it is the only one."""
    pairs = list(zip(weights.tolist(), allowed, strict=True))
    others = [pair for pair in pairs if pair[1] != excluded]
    return max(others or pairs, key=lambda pair: pair[0])
