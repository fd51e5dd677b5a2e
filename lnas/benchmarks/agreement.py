"""How far a benchmark's own noise limits every ranking against it."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from lnas.benchmarks.accuracy_key import AccuracyKey
from lnas.benchmarks.tabular import TabularBenchmark
from lnas.errors import UsageError, complaint
from lnas.stats import kendall_tau


class SeedAgreement(NamedTuple):
    """How well trainings that differ in their seed alone agree.

    Attributes:
        tau: Kendall's tau-b between two seeds, mean over all pairs of seeds.
        deviation: Standard deviation of one training's accuracy, in points: root mean square over the architectures.
        architectures: Fewest architectures that two seeds share.
        seeds: How many there are.
    """

    tau: float
    deviation: float
    architectures: int
    seeds: int


def seed_agreement(benchmark: TabularBenchmark, key: AccuracyKey) -> SeedAgreement:
    """Compare the seeds of an accuracy. No estimator can be expected to rank better against one seed than a seed does.

    Args:
        benchmark: The table.
        key: Any key of the accuracy; its seed does not matter.

    Raises:
        UsageError: If no two seeds share two architectures.
    """
    keys = benchmark.keys()
    of_seed = [
        benchmark.table(other).accuracy
        for other in keys
        if isinstance(other.seed, int) and other.with_seed(key.seed) == key
    ]
    pairs = [(one, two, ~np.isnan(one) & ~np.isnan(two)) for one, two in itertools.combinations(of_seed, 2)]
    pairs = [(one, two, both) for one, two, both in pairs if both.sum() > 1]
    if not pairs:
        call = f"seed_agreement of {benchmark.card.name!r}, {key}"
        raise UsageError(complaint(call, "two seeds that share architectures", len(of_seed), "Name another accuracy."))
    differences = np.concatenate([one[both] - two[both] for one, two, both in pairs])
    return SeedAgreement(
        float(np.mean([kendall_tau(one[both], two[both]) for one, two, both in pairs])),
        float(np.sqrt(np.mean(differences**2) / 2)),
        min(int(both.sum()) for _, _, both in pairs),
        len(of_seed),
    )
