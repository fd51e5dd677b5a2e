"""What every search space offers."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.spaces.drawing import Svg
from lnas.types import Arch, Region

_LONG = 100


class SearchSpace(ABC):
    """The set of architectures a search may propose. Torch-free, without state; randomness is always an argument.

    Every method that takes an `Arch` expects one that `validate` accepts; `parse` and `validate` raise `UsageError`
    naming the offending part. A space whose decisions are independent is least work as a `ProductSpace`.
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

    @property
    @abstractmethod
    def region(self) -> Region:
        """The whole space: every choice of every gene. Not all combinations need be architectures."""

    @abstractmethod
    def parse(self, text: str) -> Arch:
        """Read the benchmark's own notation."""

    @abstractmethod
    def format(self, arch: Arch) -> str:
        """Write the benchmark's own notation; `parse(format(arch)) == arch`."""

    def label(self, arch: Arch) -> str:
        """Return what a table calls the architecture: the notation, or `SPACE:GENES` where that is long."""
        notation = self.format(arch)
        return notation if len(notation) <= _LONG else str(arch)

    @abstractmethod
    def validate(self, arch: Arch) -> None:
        """Raise `UsageError` unless the architecture is one of this space."""

    @abstractmethod
    def sample_from(self, region: Region, rng: np.random.Generator) -> Arch:
        """Draw one of the region's architectures uniformly, twins included.

        Raises:
            UsageError: If the region is of another space, or holds no architecture.
        """

    def sample(self, rng: np.random.Generator) -> Arch:
        """Draw one architecture uniformly over the space, twins included."""
        return self.sample_from(self.region, rng)

    def sample_class(self, rng: np.random.Generator) -> Arch:
        """Draw one isomorphism class uniformly and return its representative. Never by rejection."""
        return next(itertools.islice(self.classes(), int(rng.integers(self.class_count)), None))

    @abstractmethod
    def mutate(self, arch: Arch, rng: np.random.Generator) -> Arch:
        """Draw from `neighbors(arch)`, uniformly unless the space says otherwise."""

    @abstractmethod
    def neighbors(self, arch: Arch) -> Iterator[Arch]:
        """Yield every architecture at distance 1."""

    def with_one_gene_changed(self, arch: Arch) -> Iterator[Arch]:
        """Yield, gene by gene, what every other choice of the region makes; not all need be architectures."""
        for k, allowed in enumerate(self.region.choices):
            for choice in allowed:
                if choice != arch.genes[k]:
                    yield Arch(self.name, (*arch.genes[:k], choice, *arch.genes[k + 1 :]))

    def distance(self, arch: Arch, other: Arch) -> int:
        """Count the decisions in which two architectures differ: their genes, unless the space says otherwise."""
        self.validate(arch)
        self.validate(other)
        return sum(one != two for one, two in zip(arch.genes, other.genes, strict=True))

    @abstractmethod
    def canonical(self, arch: Arch) -> Arch:
        """Return the representative of the architecture's isomorphism class: idempotent, equal for twins."""

    @abstractmethod
    def classes(self) -> Iterator[Arch]:
        """Yield the representative of every isomorphism class once, in a fixed order."""

    def archs(self) -> Iterator[Arch]:
        """Yield every architecture once, in the order of the genes: for spaces that are small enough to list."""
        for genes in itertools.product(*self.region.choices):
            arch = Arch(self.name, genes)
            if self._has(arch):
                yield arch

    def _has(self, arch: Arch) -> bool:
        try:
            self.validate(arch)
        except UsageError:
            return False  # not all combinations of genes need be architectures
        return True

    def encode(self, arch: Arch) -> np.ndarray:
        """Return a float32 vector of fixed length, one-hot per gene, for predictors and projections."""
        self.validate(arch)
        codes = [np.array(allowed) == gene for gene, allowed in zip(arch.genes, self.region.choices, strict=True)]
        return np.concatenate(codes).astype(np.float32)

    @abstractmethod
    def draw(self, arch: Arch) -> Svg:
        """Return the architecture as a standalone SVG text, readable on light and dark pages."""

    def require_genes(self, arch: Arch) -> None:
        """Raise `UsageError` unless the architecture carries this space's name and as many genes, each in its range."""
        call, choices = f"space {self.name!r}", self.region.choices
        if not isinstance(arch, Arch):
            raise UsageError(complaint(call, "an Arch", arch, "From its notation: space.parse(text)."))
        if arch.space != self.name:
            raise UsageError(complaint(call, f"an arch of {self.name!r}", str(arch), "Use the space that made it."))
        if len(arch.genes) != len(choices):
            expected = f"{len(choices)} genes"
            raise UsageError(complaint(call, expected, arch.genes, f"They stand for {self.gene_names()}."))
        for k, (gene, allowed) in enumerate(zip(arch.genes, choices, strict=True)):
            if gene not in allowed:
                expected = f"gene {k} ({self.gene_names()[k]}) in {allowed[0]}..{allowed[-1]}"
                raise UsageError(complaint(call, expected, gene, f"The genes were {arch.genes}."))

    def require_region(self, region: Region) -> None:
        """Raise `UsageError` unless the region carries this space's name and only choices of this space."""
        call = f"space {self.name!r}"
        if region.space != self.name or len(region.choices) != len(self.region.choices):
            raise UsageError(complaint(call, f"a region of {self.name!r}", str(region), "Start from `space.region`."))
        for k, (given, known) in enumerate(zip(region.choices, self.region.choices, strict=True)):
            if not set(given) <= set(known):
                expected = f"choices of gene {k} ({self.gene_names()[k]}) in {known[0]}..{known[-1]}"
                raise UsageError(complaint(call, expected, given, "Start from `space.region`."))

    @abstractmethod
    def gene_names(self) -> tuple[str, ...]:
        """Name what each gene decides, for messages and labels."""

    def choice_name(self, decision: int, choice: int) -> str:
        """Name one choice of a decision, for tables and labels; its number where it has no name."""
        return str(choice)
