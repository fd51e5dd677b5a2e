"""What a worker does: ask estimators about one architecture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lnas.estimators import Estimator
from lnas.pipeline.asking import ask
from lnas.pipeline.scoring.parts import Part
from lnas.seeds import derive_seed
from lnas.types import Arch, Estimate


class MeasuringTask(NamedTuple):
    """An architecture, and by number which parts are asked about it."""

    arch: Arch
    parts: tuple[int, ...]


@dataclass(frozen=True)
class Measuring:
    """Ask estimators about an architecture; picklable where they are.

    A worker gets it once, so that what an estimator keeps, such as its batches, is made once.

    Args:
        estimators: Of all parts.
        seed: Of the estimates.
    """

    estimators: tuple[Estimator, ...]
    seed: int

    def __call__(self, task: MeasuringTask) -> list[dict[str, Estimate]]:
        """Return the estimates of each part that the task names."""
        return [ask(self.estimators[part], task.arch, self.seed) for part in task.parts]


def plan(archs: Iterable[Arch], parts: Sequence[Part], seed: int) -> list[MeasuringTask]:
    """Return what must be asked so that every part knows all architectures, each once.

    The order is random, but the same for the same seed: the time left can be told from the time used, and whatever is
    done when somebody stops is a fair sample.
    """
    asked: dict[Arch, dict[int, None]] = {}
    for arch in archs:
        for number, part in enumerate(parts):
            asked.setdefault(part.stand_in(arch), {})[number] = None
    tasks = [MeasuringTask(arch, tuple(numbers)) for arch, numbers in asked.items()]
    order = np.random.default_rng(derive_seed(seed, "order of measuring")).permutation(len(tasks))
    return [tasks[k] for k in order]
