"""Spaces whose decisions are the operations on the edges of a cell: what differentiable search is for. Torch-free."""

from __future__ import annotations

from typing import NamedTuple

from lnas.errors import UsageError, complaint
from lnas.spaces import DartsSpace
from lnas.spaces.darts.notation import OPS as DARTS_OPS
from lnas.spaces.nats_topology import EDGES, NODES
from lnas.spaces.nats_topology import OPS as NATS_OPS
from lnas.types import Region


class EdgeSpace(NamedTuple):
    """What the decisions of a space mean.

    Attributes:
        nodes: The decisions that are edges into the same node, for each node.
        none: The choice that is no operation.
        kept: How many edges of a node an architecture has; None is all, those that are `none` included.
    """

    nodes: tuple[tuple[int, ...], ...]
    none: int
    kept: int | None


_NATS_NODES = tuple(tuple(k for k, (_, end) in enumerate(EDGES) if end == target) for target in range(1, NODES))
_EDGE_SPACES = {
    "nats_topology": EdgeSpace(_NATS_NODES, NATS_OPS.index("none"), kept=None),
    "darts": EdgeSpace(tuple(map(tuple, DartsSpace().edges_by_node)), DARTS_OPS.index("none"), kept=2),
}


def edge_space_of(region: Region, call: str) -> EdgeSpace:
    """Return what the decisions of a region's space mean.

    Args:
        region: A part of the space.
        call: The call to blame in errors.

    Raises:
        UsageError: If they are not operations on edges.
    """
    if region.space not in _EDGE_SPACES:
        expected = f"a space whose decisions are operations on edges ({', '.join(_EDGE_SPACES)})"
        raise UsageError(complaint(call, expected, region.space, "Train a SupernetModule on sampled paths instead."))
    return _EDGE_SPACES[region.space]
