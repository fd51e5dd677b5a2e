"""A space so small that everything about it can be checked by listing it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.spaces import SearchSpace
from lnas.types import Arch

_NAME = "tiny"
_DECISIONS = 3
_STEP, _SIDE = 34, 24


class TinySpace(SearchSpace):
    """Three independent binary decisions: eight architectures, of which no two are isomorphic.

    The notation is one digit per decision, such as `101`.

    Example:
        >>> space = TinySpace()
        >>> space.parse("101").genes
        (1, 0, 1)
        >>> [space.format(arch) for arch in space.neighbors(space.parse("101"))]
        ['001', '111', '100']
    """

    @property
    def name(self) -> str:
        return _NAME

    @property
    def size(self) -> int:
        return 2**_DECISIONS

    @property
    def class_count(self) -> int:
        return self.size

    def parse(self, text: str) -> Arch:
        if len(text) != _DECISIONS or not set(text) <= set("01"):
            raise UsageError(
                complaint(f"TinySpace.parse({text!r})", f"{_DECISIONS} digits, each 0 or 1", text, "Example: 101.")
            )
        return Arch(_NAME, tuple(int(digit) for digit in text))

    def format(self, arch: Arch) -> str:
        self.validate(arch)
        return "".join(map(str, arch.genes))

    def validate(self, arch: Arch) -> None:
        call = f"space {_NAME!r}"
        if arch.space != _NAME:
            raise UsageError(complaint(call, f"an arch of {_NAME!r}", str(arch), "Use the space that made it."))
        if len(arch.genes) != _DECISIONS:
            raise UsageError(complaint(call, f"{_DECISIONS} genes", arch.genes, "Example: (1, 0, 1)."))
        for number, gene in enumerate(arch.genes):
            if gene not in (0, 1):
                raise UsageError(
                    complaint(call, "genes in 0..1", arch.genes, f"Gene {number}, {gene}, is out of range.")
                )

    def sample(self, rng: np.random.Generator) -> Arch:
        return Arch(_NAME, tuple(int(gene) for gene in rng.integers(2, size=_DECISIONS)))

    def mutate(self, arch: Arch, rng: np.random.Generator) -> Arch:
        self.validate(arch)
        return _flipped(arch, int(rng.integers(_DECISIONS)))

    def neighbors(self, arch: Arch) -> Iterator[Arch]:
        self.validate(arch)
        yield from (_flipped(arch, number) for number in range(_DECISIONS))

    def canonical(self, arch: Arch) -> Arch:
        self.validate(arch)
        return arch

    def classes(self) -> Iterator[Arch]:
        yield from (Arch(_NAME, genes) for genes in itertools.product(range(2), repeat=_DECISIONS))

    def encode(self, arch: Arch) -> np.ndarray:
        self.validate(arch)
        return np.eye(2, dtype=np.float32)[list(arch.genes)].reshape(-1)

    def draw(self, arch: Arch) -> str:
        """Draw a row of squares, filled where the decision is 1."""
        squares = "".join(
            f'<rect x="{5 + _STEP * number}" y="5" width="{_SIDE}" height="{_SIDE}" stroke="#8a94a3" stroke-width="2" '
            f'fill="{"#2e86ab" if gene else "none"}"/>'
            for number, gene in enumerate(arch.genes)
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_STEP * _DECISIONS} {_STEP}" role="img">'
            f"<title>{self.format(arch)}</title>{squares}</svg>"
        )


def _flipped(arch: Arch, number: int) -> Arch:
    return Arch(_NAME, tuple(1 - gene if index == number else gene for index, gene in enumerate(arch.genes)))
