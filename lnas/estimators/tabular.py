"""The accuracy that a benchmark recorded, as a measure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from lnas.benchmarks.accuracy_key import AccuracyKey
from lnas.benchmarks.base import Benchmark
from lnas.benchmarks.tabular import TabularBenchmark
from lnas.errors import UsageError, complaint
from lnas.estimators.base import Estimator
from lnas.types import Arch, Estimate


@dataclass(frozen=True)
class TabularProtocol:
    """Everything that decides a looked-up number.

    Attributes:
        benchmark: Its name.
        key: Which of its accuracies.
        column: Hash of all architectures, accuracies and costs under the key, so that another version of the table, or
            one averaged over twins, is another protocol. Empty where the benchmark is no table.
    """

    benchmark: str
    key: str
    column: str


class TabularEstimator(Estimator):
    """Look an architecture's accuracy up, in percent, and count the seconds that finding it took when it was recorded.

    An architecture that the table does not hold, or that was not trained with the key's seed, is a failed estimate. The
    seed of an estimate changes nothing: the key names one.

    Args:
        benchmark: Where to look.
        key: Which accuracy, or its text.

    Raises:
        UsageError: If it is no benchmark, or has no such key.

    Attributes:
        measure: Its only one, "table:KEY".
    """

    def __init__(self, benchmark: Benchmark, key: AccuracyKey | str) -> None:
        if not isinstance(benchmark, Benchmark):
            call, step = "TabularEstimator(benchmark, key)", 'Example: load_benchmark("digits").'
            raise UsageError(complaint(call, "a benchmark", type(benchmark).__name__, step))
        self._benchmark = benchmark
        self._key = AccuracyKey.parse(key) if isinstance(key, str) else key
        benchmark.require(self._key)
        self._has_seconds = not isinstance(benchmark, TabularBenchmark) or self._key in benchmark.seconds
        self._protocol = TabularProtocol(benchmark.card.name, str(self._key), _column_hash(benchmark, self._key))
        self.measure = f"table:{self._key}"

    @property
    def measures(self) -> Mapping[str, bool]:
        return {self.measure: True}

    @property
    def protocol(self) -> TabularProtocol:
        return self._protocol

    def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
        return {self.measure: self._look_up(candidate)}

    def _look_up(self, arch: Arch) -> Estimate:
        try:
            accuracy = self._benchmark.query(arch, self._key)
        except UsageError as error:
            self._benchmark.space.validate(arch)
            return Estimate.failure(error)
        return Estimate.of(accuracy, self._seconds(arch))

    def _seconds(self, arch: Arch) -> float:
        if not self._has_seconds:
            return 0.0
        try:
            return self._benchmark.cost(arch, self._key)
        except UsageError:
            return 0.0


def _column_hash(benchmark: Benchmark, key: AccuracyKey) -> str:
    if not isinstance(benchmark, TabularBenchmark):
        return ""
    digest = hashlib.sha256()
    for values in benchmark.table(key):
        if values is not None:
            digest.update(f"{values.dtype} {values.shape}".encode())
            digest.update(values.tobytes())
    return digest.hexdigest()[:16]
