"""The architectures that a study is about: drawn from those whose accuracy is known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lnas.analysis.trivial_cells import are_trivial
from lnas.errors import UsageError, complaint
from lnas.pipeline.scoring.choosing import choose_archs
from lnas.pipeline.truth import Truth
from lnas.spaces import SearchSpace
from lnas.types import Arch


class Pool(NamedTuple):
    """Some architectures and what is true of them.

    Attributes:
        archs: In the order drawn.
        accuracies: In percent, shape (n,).
        trivial: Whether each is a trivial cell, shape (n,).
    """

    archs: list[Arch]
    accuracies: np.ndarray
    trivial: np.ndarray

    def first(self, count: int) -> Pool:
        """Return the pool of the first so many."""
        return Pool(self.archs[:count], self.accuracies[:count], self.trivial[:count])


def draw_pool(count: int, truth: Truth, space: SearchSpace, seed: int) -> Pool:
    """Draw architectures without replacement, uniformly over those of a space that a benchmark holds.

    They are the first of `lnas score --archs` with the same seed that it holds, so that a larger pool begins with a
    smaller one.

    Raises:
        UsageError: If the benchmark does not hold so many.
    """
    if count < 1:
        raise UsageError(complaint(f"archs={count}", "archs >= 1", count, "Example: 100."))
    drawn = min(count, space.size)
    while True:
        chosen = choose_archs(drawn, space, seed)
        known = [
            (arch, accuracy)
            for arch, accuracy in zip(chosen, truth.accuracies(chosen, space), strict=True)
            if accuracy is not None
        ][:count]
        if len(known) == count:
            archs = [arch for arch, _ in known]
            return Pool(archs, np.array([accuracy for _, accuracy in known]), are_trivial(archs, space))
        if drawn == space.size:
            expected = f"archs <= {len(known):,}, which is all that {truth.benchmark!r} holds"
            raise UsageError(complaint(f"archs={count}", expected, count, "Ask for fewer."))
        drawn = min(2 * drawn, space.size)
