"""A run's ranking beside a benchmark's accuracies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np

from lnas.benchmarks import AccuracyKey, Benchmark, TabularBenchmark, load_benchmark
from lnas.errors import UsageError, complaint
from lnas.report import Agreement, TruthComparison
from lnas.spaces import SPACES, SearchSpace
from lnas.stats import RankSum, kendall_tau
from lnas.types import Arch

_MEAN = "mean"


@dataclass(frozen=True)
class Truth:
    """A benchmark's accuracies that a ranking is compared with. They decide nothing: the search never sees them.

    Args:
        benchmark: What `load_benchmark` takes.
        key: Which of its accuracies, written RELEASE/DATASET/SPLIT@EPOCHS/SEED.
        path: Its file or folder; digits needs none.
    """

    benchmark: str
    key: str
    path: str | None = None

    def require(self, space: SearchSpace) -> None:
        """Raise `UsageError` unless the benchmark has the key and is of the space."""
        benchmark = self._open(space)
        benchmark.require(self._parsed)
        if benchmark.space.name != space.name:
            call = f"truth.benchmark={self.benchmark!r}"
            expected = f"a benchmark of {space.name!r}"
            raise UsageError(complaint(call, expected, benchmark.space.name, "Name another, or none."))

    def accuracies(self, archs: Sequence[Arch], space: SearchSpace) -> list[float | None]:
        """Return the accuracy of each architecture in percent, None where the benchmark holds none."""
        benchmark = self._open(space)
        return [_known(benchmark, arch, self._parsed) for arch in archs]

    def curves(self, arch: Arch, space: SearchSpace) -> dict[str, np.ndarray]:
        """Return an architecture's accuracy after each epoch, by the key of the training; of a mean, all its trainings.

        Percent, NaN where none was recorded, shape (epochs,). Empty where the benchmark has no curves of it.
        """
        benchmark, wanted = self._open(space), self._parsed
        if not isinstance(benchmark, TabularBenchmark) or _known(benchmark, arch, wanted) is None:
            return {}
        row = benchmark.row(arch)
        return {
            str(key): values[row]
            for (key, quantity), values in benchmark.curves.items()
            if quantity == "accuracy"
            and replace(key, seed=wanted.seed) == wanted
            and wanted.seed in (key.seed, _MEAN)
            and np.isfinite(values[row]).any()
        }

    def listed(self, space: SearchSpace) -> list[Arch] | None:
        """Return the architectures that have an accuracy, as the table has them; None where the benchmark is none."""
        benchmark = self._open(space)
        if not isinstance(benchmark, TabularBenchmark):
            return None
        known = np.isfinite(benchmark.table(self._parsed).accuracy)
        return [arch for arch, is_known in zip(benchmark.archs(), known, strict=True) if is_known]

    def best(self, space: SearchSpace) -> float | None:
        """Return the highest accuracy of all, in percent; None where the benchmark is no table."""
        benchmark = self._open(space)
        if not isinstance(benchmark, TabularBenchmark):
            return None
        return float(np.nanmax(benchmark.table(self._parsed).accuracy))

    @cached_property
    def _parsed(self) -> AccuracyKey:
        return AccuracyKey.parse(self.key)

    @cached_property
    def _open(self) -> Callable[[SearchSpace], Benchmark]:
        """What reads the benchmark, once; a table of a space of one's own is read with that space."""
        return cache(lambda space: load_benchmark(self.benchmark, self.path, space=_own(space)))


def compare(
    key: str, accuracies: Sequence[float | None], ranking: RankSum, total: str = "sum of ranks"
) -> TruthComparison:
    """Correlate the sum of ranks, and the ranks of each measure, with what is true.

    Args:
        key: Which accuracy.
        accuracies: Of each candidate, None where it is not known.
        ranking: Of the same candidates; those that lack a number are left out.
        total: What its `total` is called.
    """
    compared = ranking.complete & np.array([accuracy is not None for accuracy in accuracies])
    truth = np.array([accuracy for accuracy, is_in in zip(accuracies, compared, strict=True) if is_in])
    costs = {total: ranking.total} | ranking.ranks if len(truth) > 1 else {}
    agreements = [Agreement(name, kendall_tau(-cost[compared], truth)) for name, cost in costs.items()]
    return TruthComparison(key, agreements, len(truth))


def _own(space: SearchSpace) -> SearchSpace | None:
    return None if space.name in SPACES else space


def _known(benchmark: Benchmark, arch: Arch, key: AccuracyKey) -> float | None:
    try:
        return benchmark.query(arch, key)
    except UsageError:
        return None  # the benchmark lacks this one
