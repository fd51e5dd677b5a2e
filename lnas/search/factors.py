"""Spaces as categorical choices, made one by one."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lnas.errors import UsageError, complaint
from lnas.spaces import DartsSpace, ProductSpace, SearchSpace
from lnas.types import Arch

Choices = tuple[int | None, ...]
"""One choice per factor; None where a factor has none to make."""


@dataclass(frozen=True)
class Factor:
    """One choice out of several.

    Attributes:
        size: How many there are.
        parent: The factor on whose choice it depends whether this one is made; None where it always is.
        made_when: The choices of the parent with which it is made.
    """

    size: int
    parent: int | None = None
    made_when: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Factors:
    """A space as factors; parents come before their dependents, and have no parents themselves.

    Attributes:
        factors: In a fixed order.
        assemble: From choices to the architecture.
        take_apart: From an architecture to the choices.
    """

    factors: tuple[Factor, ...]
    assemble: Callable[[Choices], Arch]
    take_apart: Callable[[Arch], Choices]


def factorize(space: SearchSpace, call: str) -> Factors:
    """Return the factors of a space, as `known_factors` does.

    Args:
        space: Whose.
        call: What errors begin with.

    Raises:
        UsageError: If the space's decisions depend on each other in a way that is not known here.
    """
    factors = known_factors(space)
    if factors is None:
        step = "Evolution and random search serve it."
        raise UsageError(complaint(call, "a space of independent decisions, or DartsSpace", space.name, step))
    return factors


def known_factors(space: SearchSpace) -> Factors | None:
    """Return the factors of a space; None where its decisions depend on each other in a way that is not known here.

    The decisions of a `ProductSpace` are independent. In DARTS' space a node first chooses its pair of inputs, then the
    operation of each of the two; an edge has the same factor for operations whichever pair it is part of.
    """
    if isinstance(space, ProductSpace):
        return _of_product(space)
    return _of_darts(space) if isinstance(space, DartsSpace) else None


def _of_product(space: ProductSpace) -> Factors:
    factors = tuple(Factor(len(allowed)) for allowed in space.region.choices)
    return Factors(factors, lambda choices: Arch(space.name, choices), lambda arch: arch.genes)  # type: ignore[arg-type]


def _of_darts(space: DartsSpace) -> Factors:
    nodes = space.edges_by_node
    operations = len(space.region.choices[0]) - 1
    pairs_of = [list(itertools.combinations(node, 2)) for node in nodes]
    factors: list[Factor] = []
    place: dict[int, int] = {}
    for node, pairs in zip(nodes, pairs_of, strict=True):
        parent = len(factors)
        factors.append(Factor(len(pairs)))
        for edge in node:
            place[edge] = len(factors)
            factors.append(Factor(operations, parent, frozenset(k for k, pair in enumerate(pairs) if edge in pair)))

    def assemble(choices: Choices) -> Arch:
        genes = [0] * len(place)
        for edge, factor in place.items():
            choice = choices[factor]
            genes[edge] = 0 if choice is None else choice + 1
        return Arch(space.name, tuple(genes))

    def take_apart(arch: Arch) -> Choices:
        choices: list[int | None] = []
        for node, pairs in zip(nodes, pairs_of, strict=True):
            choices.append(pairs.index(_present(arch.genes, node)))
            choices += [arch.genes[edge] - 1 if arch.genes[edge] else None for edge in node]
        return tuple(choices)

    return Factors(tuple(factors), assemble, take_apart)


def _present(genes: Sequence[int], node: Sequence[int]) -> tuple[int, int]:
    first, second = (edge for edge in node if genes[edge])
    return first, second
