"""Which row of a table holds an architecture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal, Protocol

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.spaces import NatsTopologySpace, SearchSpace
from lnas.types import Arch

Standing = Literal["architecture", "isomorphic", "functional"]
"""What a row stands for: itself, or a class of twins in that sense."""


class Rows(Protocol):
    """Finds the row of a valid architecture of the table's space."""

    def find(self, arch: Arch) -> int | None:
        """Return the row, None where the table has none."""


class RowsByGenes:
    """One row per architecture, found by its genes.

    Args:
        genes: Integers, shape (rows, genes).

    Raises:
        UsageError: If two rows are of the same architecture.
    """

    def __init__(self, genes: np.ndarray) -> None:
        self._rows = {tuple(row): number for number, row in enumerate(genes.tolist())}
        if len(self._rows) < len(genes):
            repeated = next(n for n, row in enumerate(genes.tolist()) if self._rows[tuple(row)] != n)
            twin = self._rows[tuple(genes[repeated].tolist())]
            got = f"rows {repeated} and {twin}"
            step = "Read a file in which each stands once."
            raise UsageError(complaint("benchmark table", "each architecture once", got, step))

    def find(self, arch: Arch) -> int | None:
        return self._rows.get(arch.genes)


class RowsByClass:
    """One row per class of equal architectures, found by its representative.

    Args:
        genes: Those of the representatives, shape (rows, genes).
        canonical: Turns an architecture into its class's representative.
    """

    def __init__(self, genes: np.ndarray, canonical: Callable[[Arch], Arch]) -> None:
        self._representatives = RowsByGenes(genes)
        self._canonical = canonical

    def find(self, arch: Arch) -> int | None:
        row = self._representatives.find(arch)
        return self._representatives.find(self._canonical(arch)) if row is None else row


def rows_standing_for(standing: Standing, genes: np.ndarray, space: SearchSpace) -> Rows:
    """Return what finds rows that stand for themselves or for a class of twins.

    Args:
        standing: What a row stands for.
        genes: Those of the rows, shape (rows, genes).
        space: Their space; "functional" is a sense of the NATS topology space only.

    Raises:
        UsageError: If two rows are of the same architecture, or the space has no such sense.
    """
    if standing == "architecture":
        return RowsByGenes(genes)
    if standing == "isomorphic":
        return RowsByClass(genes, space.canonical)
    if standing == "functional" and isinstance(space, NatsTopologySpace):
        return RowsByClass(genes, partial(space.canonical, sense=standing))
    raise UsageError(complaint(f"rows of {space.name!r}", "architecture or isomorphic", standing, "It has no other."))
