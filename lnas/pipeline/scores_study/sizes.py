"""How large the architectures are: from a file of scores, or counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any

import numpy as np

from lnas.benchmarks import Scores
from lnas.errors import UsageError, complaint
from lnas.execution import Executor
from lnas.pipeline.display import Display
from lnas.pipeline.scores_study.jobs import run_jobs
from lnas.types import Arch

COUNTED = "params"
_CLASSES = 10
_AT_ONCE = 100


class Sizes:
    """Tells how large architectures are, and counts none twice.

    Args:
        name: A column of a file; "params" is counted where none has it.
        loaded: The files by label.
        net: Builds the networks that are counted, some 30 ms each.
        executor: Counts.
        display: Shows how far the counting is.
    """

    def __init__(
        self,
        name: str,
        loaded: Mapping[str, Scores],
        net: Callable[[Arch, int], Any],
        executor: Executor,
        display: Display,
    ) -> None:
        self._name = name
        self._loaded = loaded
        self._net = net
        self._executor = executor
        self._display = display
        self._counts: dict[Arch, float] = {}

    def of(self, archs: Sequence[Arch]) -> np.ndarray:
        """Return the size of each architecture, shape (n,), finite: all from the same file, or all counted.

        Raises:
            UsageError: If no file has such a column for all of them, or it lacks numbers.
        """
        for label, scores in self._loaded.items():
            if self._name in scores.columns:
                own = dict(zip(scores.archs, scores.columns[self._name].tolist(), strict=True))
                if own.keys() >= set(archs):
                    return _finite(f"scores.{label}, column {self._name!r}", [own[arch] for arch in archs])
        if self._name != COUNTED:
            step = f"Example: --sizes {COUNTED}, which is counted where no file has it."
            expected = "a column of one of the files, for all architectures"
            raise UsageError(complaint(f"sizes={self._name!r}", expected, "none", step))
        self._count([arch for arch in archs if arch not in self._counts])
        return np.array([self._counts[arch] for arch in archs])

    def _count(self, archs: Sequence[Arch]) -> None:
        jobs = {
            start: partial(_counts, self._net, archs[start : start + _AT_ONCE])
            for start in range(0, len(archs), _AT_ONCE)
        }
        if jobs:
            found = run_jobs(jobs, f"counting parameters, {_AT_ONCE} at a time", self._executor, self._display)
            self._counts |= zip(archs, chain.from_iterable(found.values()), strict=True)


def _counts(net: Callable[[Arch, int], Any], archs: Sequence[Arch]) -> list[float]:
    from lnas.proxies.params import params

    return [params(net(arch, _CLASSES)) for arch in archs]


def _finite(call: str, sizes: Sequence[float]) -> np.ndarray:
    found = np.array(sizes)
    lacking = int((~np.isfinite(found)).sum())
    if lacking:
        raise UsageError(complaint(call, "a size of each architecture", f"{lacking:,} lack it", "Score them again."))
    return found
