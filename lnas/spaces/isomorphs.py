"""The classes of isomorphic architectures that a region has members of."""

from __future__ import annotations

import itertools
import math

from lnas.errors import UsageError, complaint
from lnas.spaces.base import SearchSpace
from lnas.spaces.product import ProductSpace
from lnas.types import Arch, Region

_MOST_LISTED = 1_000_000


def classes_within(space: SearchSpace, region: Region, call: str) -> dict[Arch, tuple[Arch, ...]]:
    """List a region, class by class, which takes some 10 seconds for 100,000 architectures.

    Args:
        space: Where the architectures are from.
        region: The whole space or a part.
        call: What errors begin with.

    Returns:
        Representative of a class, which need not be in the region -> the members that are, in the order of the genes.

    Raises:
        UsageError: If the region is of another space, too large to be listed, or decisions depend on each other.

    Example:
        >>> from lnas.spaces import NatsTopologySpace
        >>> space = NatsTopologySpace()
        >>> found = classes_within(space, space.region, "example")
        >>> len(found), sum(map(len, found.values())), max(map(len, found.values()))
        (6466, 15625, 275)
    """
    space.require_region(region)
    count = math.prod(map(len, region.choices))
    if count > _MOST_LISTED or not isinstance(space, ProductSpace):
        expected = f"a region of independent decisions with at most {_MOST_LISTED:,} architectures, which are listed"
        raise UsageError(complaint(call, expected, f"{count:,} of {space.name}", "Do without classes, or name a part."))
    members: dict[Arch, list[Arch]] = {}
    for genes in itertools.product(*region.choices):
        arch = Arch(space.name, genes)
        members.setdefault(space.canonical(arch), []).append(arch)
    return {representative: tuple(own) for representative, own in members.items()}
