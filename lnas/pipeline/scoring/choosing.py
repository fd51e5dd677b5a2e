"""Which architectures are measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.pipeline.scoring.arch_file import read_arch_file
from lnas.seeds import derive_seed
from lnas.spaces import SearchSpace
from lnas.types import Arch

_EVERY = "all"
_LISTABLE = 1_000_000


def choose_archs(archs: int | str, space: SearchSpace, seed: int) -> list[Arch]:
    """Return the architectures that are meant.

    Args:
        archs: "all" is the whole space in the order of the genes; a number is a sample of so many; else a file.
        space: Where they are from.
        seed: Of the sample. A larger sample begins with the smaller one of the same seed.

    Raises:
        UsageError: If the space is too large to list, has fewer architectures, or the file is not as it should be.
    """
    if archs == _EVERY:
        return _listed(space)
    if isinstance(archs, str):
        return read_arch_file(Path(archs), space)
    if not 1 <= archs <= space.size:
        expected = f"1 <= archs <= {space.size:,}, the size of {space.name!r}"
        raise UsageError(complaint(f"archs={archs}", expected, archs, "Draw fewer, or name all."))
    return _sample(space, archs, np.random.default_rng(derive_seed(seed, "scored architectures")))


def _sample(space: SearchSpace, count: int, rng: np.random.Generator) -> list[Arch]:
    """Draw without replacement, uniformly over the architectures: isomorphic twins may be among them."""
    if space.size <= _LISTABLE:
        listed = _listed(space)
        return [listed[k] for k in rng.permutation(len(listed))[:count]]
    drawn: dict[Arch, None] = {}
    while len(drawn) < count:
        drawn[space.sample(rng)] = None
    return list(drawn)


def _listed(space: SearchSpace) -> list[Arch]:
    if space.size > _LISTABLE:
        expected = f"a space of at most {_LISTABLE:,} architectures"
        got = f"{space.size:.2e} of {space.name!r}"
        raise UsageError(complaint("archs='all'", expected, got, "Draw some: --archs 1000."))
    return list(space.archs())
