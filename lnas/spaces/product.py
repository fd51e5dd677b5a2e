"""Spaces whose decisions are independent: list the decisions, and the rest follows."""

from __future__ import annotations

import itertools
import math
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.reading import read_text
from lnas.spaces.base import SearchSpace
from lnas.spaces.drawing import Svg, draw_decisions
from lnas.types import Arch, Region


@dataclass(frozen=True)
class Decision:
    """One thing to decide, and the labels of what can be chosen; gene k of an architecture indexes them.

    Raises:
        UsageError: If there are no labels, or they are no text, empty, with space around them or not all different.
    """

    name: str
    choices: tuple[str, ...]

    def __post_init__(self) -> None:
        labels = self.choices
        listed = isinstance(labels, list | tuple) and all(
            isinstance(label, str) and label and label == label.strip() for label in labels
        )
        if not (listed and labels and len({*labels}) == len(labels)):
            expected = "labels, at least one, all different, none empty or with space around it"
            raise UsageError(complaint(f"Decision({self.name!r}, ...)", expected, labels, 'Example: ("8", "16").'))
        object.__setattr__(self, "choices", tuple(labels))


class ProductSpace(SearchSpace):
    """Every combination of independent decisions, no two of them isomorphic unless a subclass says so.

    A subclass gives `name` and `decisions`. The notation is the chosen labels joined by `separator`, and a drawing is
    rows of boxes; both can be overridden.

    Example:
        >>> class Widths(ProductSpace):
        ...     name = "widths"
        ...     decisions = (Decision("first layer", ("8", "16")), Decision("second layer", ("8", "16", "32")))
        >>> space = Widths()
        >>> space.size, space.parse("16:32")
        (6, Arch(space='widths', genes=(1, 2)))
        >>> [space.format(arch) for arch in space.neighbors(space.parse("16:32"))]
        ['8:32', '16:8', '16:16']
    """

    separator = ":"

    @property
    @abstractmethod
    def decisions(self) -> tuple[Decision, ...]:
        """What is decided, in the order of the genes."""

    @property
    def size(self) -> int:
        return math.prod(len(decision.choices) for decision in self.decisions)

    @property
    def class_count(self) -> int:
        return self.size

    @property
    def region(self) -> Region:
        return _region(self.name, tuple(self.decisions))

    def choice_name(self, decision: int, choice: int) -> str:
        return self.decisions[decision].choices[choice]

    def gene_names(self) -> tuple[str, ...]:
        return tuple(decision.name for decision in self.decisions)

    def labels(self, arch: Arch) -> tuple[str, ...]:
        """Return what was chosen, decision by decision."""
        return tuple(decision.choices[gene] for decision, gene in zip(self.decisions, arch.genes, strict=True))

    def parse(self, text: str) -> Arch:
        _require_separable(tuple(self.decisions), self.separator)
        call = f"{type(self).__name__}.parse({text!r})"
        written = read_text(call, text, self._example())
        words = written.split(self.separator) if self.separator else list(written)
        if len(words) != len(self.decisions):
            expected = f"{len(self.decisions)} values joined by {self.separator!r}: {', '.join(self.gene_names())}"
            raise UsageError(complaint(call, expected, text, self._example()))
        for word, decision in zip(words, self.decisions, strict=True):
            if word not in decision.choices:
                expected = f"{decision.name} of {', '.join(decision.choices)}"
                raise UsageError(complaint(call, expected, word, self._example()))
        pairs = zip(words, self.decisions, strict=True)
        return Arch(self.name, tuple(decision.choices.index(word) for word, decision in pairs))

    def format(self, arch: Arch) -> str:
        self.validate(arch)
        _require_separable(tuple(self.decisions), self.separator)
        return self.separator.join(self.labels(arch))

    def validate(self, arch: Arch) -> None:
        self.require_genes(arch)

    def sample_from(self, region: Region, rng: np.random.Generator) -> Arch:
        self.require_region(region)
        return Arch(self.name, tuple(int(allowed[rng.integers(len(allowed))]) for allowed in region.choices))

    def sample_class(self, rng: np.random.Generator) -> Arch:
        return self.sample(rng) if self.class_count == self.size else super().sample_class(rng)

    def mutate(self, arch: Arch, rng: np.random.Generator) -> Arch:
        self.validate(arch)
        mutants = sum(len(decision.choices) - 1 for decision in self.decisions)
        if not mutants:
            call = f"{type(self).__name__}.mutate(...)"
            raise UsageError(complaint(call, "a decision of two choices", str(arch), "There is nothing to mutate."))
        return next(itertools.islice(self.with_one_gene_changed(arch), int(rng.integers(mutants)), None))

    def neighbors(self, arch: Arch) -> Iterator[Arch]:
        self.validate(arch)
        yield from self.with_one_gene_changed(arch)

    def canonical(self, arch: Arch) -> Arch:
        self.validate(arch)
        return arch

    def classes(self) -> Iterator[Arch]:
        for genes in itertools.product(*self.region.choices):
            yield Arch(self.name, genes)

    def draw(self, arch: Arch) -> Svg:
        self.validate(arch)
        return draw_decisions(self.gene_names(), self.labels(arch), title=self.format(arch))

    def _example(self) -> str:
        return f"Example: {self.separator.join(decision.choices[-1] for decision in self.decisions)}."


@lru_cache
def _region(name: str, decisions: tuple[Decision, ...]) -> Region:
    return Region(name, tuple(tuple(range(len(decision.choices))) for decision in decisions))


@lru_cache
def _require_separable(decisions: tuple[Decision, ...], separator: str) -> None:
    """Raise `UsageError` if joined labels cannot be told apart."""
    for decision in decisions:
        for label in decision.choices:
            clear = separator not in label if separator else len(label) == 1
            if not clear:
                expected = f"labels without the separator {separator!r}" if separator else "labels of one character"
                step = "Give the space another `separator`."
                raise UsageError(complaint(f"decision {decision.name!r}", expected, label, step))
