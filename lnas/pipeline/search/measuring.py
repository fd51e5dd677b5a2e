"""Measuring what searches propose: looked up, taken from a store, or done here or in other processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lnas.errors import UsageError
from lnas.estimators import Estimator
from lnas.execution import Done
from lnas.pipeline.asking import ask
from lnas.pipeline.search.judge import Bench
from lnas.store import Store
from lnas.types import Arch, Estimate, Region, Trial

Estimates = Mapping[str, Estimate]


class SearchTask(NamedTuple):
    """What a search lacks next: by number which estimator is asked about a candidate, and with which seed."""

    search: int
    candidate: Arch | Region
    estimator: int
    seed: int


@dataclass(frozen=True)
class Measuring:
    """Ask an estimator about a candidate; picklable where the estimators are."""

    estimators: tuple[Estimator, ...]

    def __call__(self, task: SearchTask) -> dict[str, Estimate]:
        """Return the estimates of the estimator that the task names."""
        return ask(self.estimators[task.estimator], task.candidate, task.seed)


class Ledger:
    """What is known of candidates by the estimators of one judge, the same for all searches and all starts.

    What failed counts as unknown, since what made it fail may be mended; but not once a search went on from it, or it
    would not repeat itself.

    Args:
        bench: The judge.
        stores: Where numbers are kept: the first is written, too, and what only the others have is copied to it.
        told: Candidates, each with the seed of its estimates, that searches went on from in earlier starts.
    """

    def __init__(self, bench: Bench, stores: Sequence[Store], told: Iterable[tuple[Arch | Region, int]] = ()) -> None:
        self._bench = bench
        self._stores = stores
        self._final = {(number, *about) for about in told for number in range(len(bench.estimators))}

    def known(self, candidate: Arch | Region, asked: Sequence[int], seed: int) -> dict[int, Estimates]:
        """Return what is known, by the number of the estimator.

        Args:
            candidate: About what.
            asked: By which estimators.
            seed: Of the estimates.
        """
        found = {number: self._known(number, candidate, seed) for number in asked}
        return {number: estimates for number, estimates in found.items() if estimates}

    def keep(self, done: Done[SearchTask, dict[str, Estimate]]) -> None:
        """Keep what a task gave, failed estimates where it raised; of what is known by now, the first stays."""
        _, candidate, number, seed = done.task
        if isinstance(done.error, UsageError):
            raise done.error
        if not self._known(number, candidate, seed):
            estimator = self._bench.estimators[number]
            failed = dict.fromkeys(estimator.measures, Estimate.failure(done.error)) if done.error else {}
            self._stores[0].add(estimator.protocol, candidate, seed, done.result or failed)
            self._final.add((number, candidate, seed))

    def _known(self, number: int, candidate: Arch | Region, seed: int) -> Estimates:
        estimator = self._bench.estimators[number]
        if estimator.is_recorded:
            return ask(estimator, candidate, seed)
        for store in self._stores:
            estimates = store.estimates(estimator.protocol, candidate, seed)
            if estimates.keys() >= estimator.measures.keys():
                if self._is_open(number, candidate, seed, estimates):
                    return {}
                if store is not self._stores[0]:
                    self._stores[0].add(estimator.protocol, candidate, seed, estimates)
                return {name: estimates[name] for name in estimator.measures}
        return {}

    def _is_open(self, number: int, candidate: Arch | Region, seed: int, estimates: Estimates) -> bool:
        failed = any(estimate.status == "failed" for estimate in estimates.values())
        return failed and (number, candidate, seed) not in self._final


def trial_of(candidate: Arch | Region, found: Mapping[int, Estimates]) -> tuple[Trial, float]:
    """Return what was measured of a candidate, and how long that took: measures of one estimator share its time."""
    estimates = {name: estimate for own in found.values() for name, estimate in own.items()}
    seconds = sum(max(estimate.seconds for estimate in own.values()) for own in found.values())
    return Trial(candidate, estimates), seconds
