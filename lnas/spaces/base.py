"""What every search space offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from lnas.types import Arch


class SearchSpace(ABC):
    """The set of architectures a search may propose. Torch-free, without state; randomness is always an argument.

    Every method that takes an `Arch` expects one that `validate` accepts; `parse` and `validate` raise `UsageError`
    naming the offending part.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that this space's architectures carry in `Arch.space`."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Number of architectures, twins included."""

    @property
    @abstractmethod
    def class_count(self) -> int:
        """Number of classes of isomorphic architectures, `size` where no two are."""

    @abstractmethod
    def parse(self, text: str) -> Arch:
        """Read the benchmark's own notation."""

    @abstractmethod
    def format(self, arch: Arch) -> str:
        """Write the benchmark's own notation; `parse(format(arch)) == arch`."""

    @abstractmethod
    def validate(self, arch: Arch) -> None:
        """Raise `UsageError` unless the architecture is one of this space."""

    @abstractmethod
    def sample(self, rng: np.random.Generator) -> Arch:
        """Draw one architecture uniformly over the space, twins included."""

    @abstractmethod
    def mutate(self, arch: Arch, rng: np.random.Generator) -> Arch:
        """Draw uniformly from `neighbors(arch)`."""

    @abstractmethod
    def neighbors(self, arch: Arch) -> Iterator[Arch]:
        """Yield every architecture that differs in exactly one decision."""

    @abstractmethod
    def canonical(self, arch: Arch) -> Arch:
        """Return the representative of the architecture's isomorphism class: idempotent, equal for twins."""

    @abstractmethod
    def classes(self) -> Iterator[Arch]:
        """Yield the representative of every isomorphism class once, in a fixed order."""

    @abstractmethod
    def encode(self, arch: Arch) -> np.ndarray:
        """Return a float32 vector of fixed length, one-hot per decision, for predictors and projections."""

    @abstractmethod
    def draw(self, arch: Arch) -> str:
        """Return the architecture as a standalone SVG text, readable on light and dark pages."""
