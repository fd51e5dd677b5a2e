"""The accuracy that a benchmark recorded, as a measure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from lnas.benchmarks.accuracy_key import AccuracyKey
from lnas.benchmarks.base import Benchmark
from lnas.benchmarks.catalogue import load_benchmark
from lnas.benchmarks.tabular import TabularBenchmark
from lnas.data import ImageData
from lnas.errors import UsageError, complaint
from lnas.estimators.recorded import RecordedEstimator
from lnas.spaces import SearchSpace
from lnas.stats import measure_names
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


class TabularEstimator(RecordedEstimator):
    """Look an architecture's accuracy up, in percent, and count the seconds that finding it took when it was recorded.

    An architecture that the table does not hold, or that was not trained with the key's seed, is a failed estimate. The
    seed of an estimate changes nothing: the key names one.

    Args:
        benchmark: Where to look.
        key: Which accuracy, or its text.
        measure: What rank expressions shall call it; "table:KEY" if not given.

    Raises:
        UsageError: If it is no benchmark, or has no such key, or rank expressions have no such names.

    Attributes:
        measure: The name of its only one.
    """

    def __init__(self, benchmark: Benchmark, key: AccuracyKey | str, measure: str | None = None) -> None:
        super().__init__()
        if not isinstance(benchmark, Benchmark):
            call = "TabularEstimator(benchmark, key)"
            step = 'Example: load_benchmark("digits"); in a config, RecordedAccuracy.'
            raise UsageError(complaint(call, "a benchmark", type(benchmark).__name__, step))
        self._benchmark = benchmark
        self._key = AccuracyKey.parse(key) if isinstance(key, str) else key
        benchmark.require(self._key)
        self._has_seconds = not isinstance(benchmark, TabularBenchmark) or self._key in benchmark.seconds
        self._protocol = TabularProtocol(benchmark.card.name, str(self._key), _column_hash(benchmark, self._key))
        self.measure = f"table:{self._key}" if measure is None else _checked_name(measure)

    @property
    def measures(self) -> Mapping[str, bool]:
        return {self.measure: True}

    @property
    def protocol(self) -> TabularProtocol:
        return self._protocol

    def look_up(self, arch: Arch) -> dict[str, Estimate]:
        try:
            accuracy = self._benchmark.query(arch, self._key)
        except UsageError as error:
            self._benchmark.space.validate(arch)
            return {self.measure: Estimate.failure(error)}
        return {self.measure: Estimate.of(accuracy, self._seconds(arch))}

    def _seconds(self, arch: Arch) -> float:
        if not self._has_seconds:
            return 0.0
        try:
            return self._benchmark.cost(arch, self._key)
        except UsageError:
            return 0.0


class RecordedAccuracy(TabularEstimator):
    """The estimator that looks a benchmark's accuracies up, as a config names it.

    Args:
        net: Not used: nothing is built.
        data: Not used: nothing is measured.
        benchmark: As `load_benchmark` calls it.
        key: Which accuracy, as RELEASE/DATASET/SPLIT@EPOCHS/SEED; `lnas bench show BENCHMARK` lists them.
        path: The benchmark's file or folder. Shipped ones need none.
        space: That of a table of your own, where it is not one of ours.
        measure: What rank expressions shall call it, such as val@12; "table:KEY" if not given.

    Raises:
        UsageError: As `load_benchmark`, and as `TabularEstimator`.
    """

    def __init__(
        self,
        net: Callable[[Arch, int], Any],
        data: ImageData,
        benchmark: str,
        key: str,
        path: str | None = None,
        space: SearchSpace | None = None,
        measure: str | None = None,
    ) -> None:
        super().__init__(load_benchmark(benchmark, path, space=space), key, measure)


def _checked_name(measure: str) -> str:
    """Raise `UsageError` unless rank expressions can name a measure so."""
    names: list[str] = []
    with suppress(UsageError):
        names = measure_names(str(measure))
    if names != [measure]:
        expected = "one name of letters, digits and _.@:/-, a letter first"
        raise UsageError(complaint("TabularEstimator(measure=...)", expected, measure, 'Example: "val@12".'))
    return measure


def _column_hash(benchmark: Benchmark, key: AccuracyKey) -> str:
    if not isinstance(benchmark, TabularBenchmark):
        return ""
    digest = hashlib.sha256()
    for values in benchmark.table(key):
        if values is not None:
            digest.update(f"{values.dtype} {values.shape}".encode())
            digest.update(values.tobytes())
    return digest.hexdigest()[:16]
