"""Which paths of a supernet are trained at a step. Torch-free."""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lnas.analysis.trivial_cells import are_trivial
from lnas.errors import UsageError, complaint
from lnas.spaces import ProductSpace, SearchSpace
from lnas.spaces.isomorphs import classes_within
from lnas.types import Arch, Region

_MOST_LISTED = 1_000_000


class PathSampler(ABC):
    """A distribution over the paths of a supernet, without state: what is drawn depends on the generator alone.

    Cells without a convolution on any path from input to output (NATS topology) train nothing but what all cells
    share. Samplers reject them, as the study of one-shot estimators does, unless they are asked for by name.
    """

    @abstractmethod
    def check(self, space: SearchSpace, region: Region) -> None:
        """Raise `UsageError` unless paths can be drawn from a supernet of this region."""

    @abstractmethod
    def draw(self, space: SearchSpace, region: Region, rng: np.random.Generator) -> tuple[Arch, ...]:
        """Draw one path, or those of a round where the sampler draws several at once; never none.

        Args:
            space: Where the architectures are from.
            region: What the supernet was built for.
            rng: Decides what is drawn.
        """


@dataclass(frozen=True)
class UniformPaths(PathSampler):
    """Draw uniformly from the architectures of a region, twins included.

    Args:
        within: A part of the supernet's region, as pruning operations leaves it; None is all of it.
    """

    within: Region | None = None

    def check(self, space: SearchSpace, region: Region) -> None:
        _require_paths(space, _part(region, self.within, "UniformPaths"))

    def draw(self, space: SearchSpace, region: Region, rng: np.random.Generator) -> tuple[Arch, ...]:
        return (_trainable(lambda: space.sample_from(self.within or region, rng), space),)


@dataclass(frozen=True)
class DeisoPaths(PathSampler):
    """Draw uniformly from the classes of isomorphic architectures that a region has members of.

    Of a class always the same member is trained: its representative, or in a part of the space the member with the
    smallest genes. The classes of a part are listed once, which takes seconds for some 100,000 architectures.

    Args:
        within: As in `UniformPaths`.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 4.
    """

    within: Region | None = None

    def check(self, space: SearchSpace, region: Region) -> None:
        part = _part(region, self.within, "DeisoPaths")
        _require_paths(space, part)
        if part == space.region or space.class_count == space.size:
            return
        count = math.prod(map(len, part.choices))
        if count > _MOST_LISTED or not isinstance(space, ProductSpace):
            expected = f"the whole space, or a part of at most {_MOST_LISTED:,} combinations, whose classes are listed"
            raise UsageError(complaint(f"DeisoPaths({str(part)!r})", expected, count, "UniformPaths needs no list."))

    def draw(self, space: SearchSpace, region: Region, rng: np.random.Generator) -> tuple[Arch, ...]:
        part = self.within or region
        if part == space.region:
            return (_trainable(lambda: space.sample_class(rng), space),)
        if space.class_count == space.size:
            return UniformPaths(part).draw(space, region, rng)
        members = _one_of_each_class(space, part)
        return (_trainable(lambda: members[rng.integers(len(members))], space),)


@dataclass(frozen=True)
class FairPaths(PathSampler):
    """Draw a round of paths in which each choice of a decision comes up equally often (FairNAS, strict fairness).

    A round has as many paths as the largest decision has choices: each decision's choices in an order of its own, and
    where it has fewer, those of further orders after them. Paths that train nothing are dropped from the round, as in
    the study, and a round of which nothing is left is drawn again.

    Args:
        within: As in `UniformPaths`.

    Source: Chu et al. 2021 (FairNAS). There a round is accumulated into one step of the optimizer, as it is here.
    """

    within: Region | None = None

    def check(self, space: SearchSpace, region: Region) -> None:
        if not isinstance(space, ProductSpace):
            step = "Take UniformPaths or DeisoPaths."
            raise UsageError(complaint("FairPaths", "a space whose decisions are independent", space.name, step))
        _require_paths(space, _part(region, self.within, "FairPaths"))

    def draw(self, space: SearchSpace, region: Region, rng: np.random.Generator) -> tuple[Arch, ...]:
        choices = (self.within or region).choices
        length = max(map(len, choices))
        kept: tuple[Arch, ...] = ()
        while not kept:
            orders = [_in_orders(allowed, length, rng) for allowed in choices]
            drawn = [Arch(space.name, genes) for genes in zip(*orders, strict=True)]
            kept = tuple(arch for arch in drawn if _trains(arch, space))
        return kept


@dataclass(frozen=True)
class ListedPaths(PathSampler):
    """Draw uniformly from a list, as pruning architectures by their one-shot score leaves it.

    Args:
        archs: The list; none of it is rejected.

    Raises:
        UsageError: If the list is empty.
    """

    archs: tuple[Arch, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "archs", tuple(self.archs))
        if not self.archs:
            raise UsageError(complaint("ListedPaths(archs)", "at least one architecture", self.archs, "List some."))

    def check(self, space: SearchSpace, region: Region) -> None:
        for arch in self.archs:
            space.validate(arch)
            if arch not in region:
                expected = f"archs of the supernet's region of {region.space}"
                raise UsageError(complaint("ListedPaths(archs)", expected, str(arch), f"The region is {region}."))

    def draw(self, space: SearchSpace, region: Region, rng: np.random.Generator) -> tuple[Arch, ...]:
        return (self.archs[rng.integers(len(self.archs))],)


def _part(region: Region, within: Region | None, sampler: str) -> Region:
    if within is None:
        return region
    same = within.space == region.space and len(within.choices) == len(region.choices)
    if not same or any(not set(part) <= set(all_) for part, all_ in zip(within.choices, region.choices, strict=True)):
        step = f"That is {region}."
        raise UsageError(complaint(f"{sampler}(within=...)", "a part of the supernet's region", str(within), step))
    return within


def _require_paths(space: SearchSpace, region: Region) -> None:
    """Raise `UsageError` if a region has no architecture, or none that trains anything."""
    some = space.sample_from(region, np.random.default_rng(0))
    if not _trains(some, space) and not any(_trains(arch, space) for arch in _members(region)):
        expected = "a region with a cell that has a convolution on a path from input to output"
        raise UsageError(complaint("paths of a supernet", expected, str(region), "Allow a convolution."))


def _trains(arch: Arch, space: SearchSpace) -> bool:
    return not are_trivial([arch], space)[0]


def _trainable(draw: Callable[[], Arch], space: SearchSpace) -> Arch:
    """Draw until a path is one that trains something."""
    return next(arch for arch in iter(draw, None) if _trains(arch, space))


def _in_orders(allowed: Sequence[int], length: int, rng: np.random.Generator) -> list[int]:
    """Return so many of the choices, in one random order after another."""
    orders = [rng.permutation(allowed) for _ in range(math.ceil(length / len(allowed)))]
    return np.concatenate(orders)[:length].tolist()


def _members(region: Region) -> Iterator[Arch]:
    """Yield every architecture of a region of independent decisions, in the order of the genes."""
    return (Arch(region.space, genes) for genes in itertools.product(*region.choices))


@lru_cache
def _one_of_each_class(space: SearchSpace, region: Region) -> tuple[Arch, ...]:
    """List the first member, in the order of the genes, of each class."""
    return tuple(members[0] for members in classes_within(space, region, f"DeisoPaths({str(region)!r})").values())
