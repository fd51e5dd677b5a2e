"""Estimators that cost nothing, strategies that propose what they are given, and searches made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from lnas.estimators import Estimator
from lnas.pipeline.search.budget import Budget, UntilOver
from lnas.pipeline.search.conducting import Search
from lnas.pipeline.search.course import Branch, Course
from lnas.pipeline.search.findings import Findings
from lnas.pipeline.search.judge import Bench
from lnas.search import Objective, Strategy
from lnas.seeds import derive_seed
from lnas.spaces import SearchSpace
from lnas.types import Arch, Estimate, Region, Trial

Candidate = Arch | Region


@dataclass(frozen=True)
class FakeProtocol:
    name: str


class Fake(Estimator):
    """Numbers derived from names, of architectures and regions; remembers what it was asked about.

    Args:
        measures: Name -> whether higher is better; the first is the name of its protocol.
        bad: What it says of some candidates instead.
        calls: How many it serves before it is interrupted.
        recorded: Whether it says that its numbers are looked up.
        version: Of its protocol.
    """

    is_recorded = False
    measures: Mapping[str, bool] = {}

    def __init__(
        self,
        measures: Mapping[str, bool],
        bad: Mapping[Candidate, Estimate] | None = None,
        calls: int | None = None,
        recorded: bool = False,
        version: str = "",
    ) -> None:
        self.measures, self.bad, self.calls, self.is_recorded = measures, bad or {}, calls, recorded
        self.version = version
        self.asked: list[tuple[Candidate, int]] = []

    @property
    def protocol(self) -> FakeProtocol:
        return FakeProtocol("+".join(self.measures) + self.version)

    def estimate(self, candidate: Candidate, *, seed: int) -> dict[str, Estimate]:  # type: ignore[override]
        if len(self.asked) == self.calls:
            raise KeyboardInterrupt
        self.asked.append((candidate, seed))
        if candidate in self.bad:
            return dict.fromkeys(self.measures, self.bad[candidate])
        return {
            name: Estimate.of(derive_seed(seed, name, candidate) / 2**32, 1 + derive_seed(name, candidate) % 7)
            for name in self.measures
        }


class Listed(Strategy):
    """Proposes some candidates in order; keeps what it is told, and where it was given another seed."""

    settings: Mapping[str, Any] = {"strategy": "Listed"}
    free = 0

    def __init__(self, candidates: Sequence[Candidate]) -> None:
        self.candidates = list(candidates)
        self.told: list[Trial] = []
        self.asked = 0
        self.reseeded: list[tuple[int, int]] = []

    @property
    def limit(self) -> int:
        return len(self.candidates)

    @property
    def is_over(self) -> bool:
        return len(self.told) == len(self.candidates)

    def ask(self, n: int) -> list[Any]:
        assert len(self.told) == self.asked, "asked before it was told"
        self.asked += n
        return self.candidates[self.asked - n : self.asked]

    def tell(self, trials: Sequence[Trial]) -> None:
        self.told += trials

    def reseed(self, seed: int) -> None:
        self.reseeded.append((len(self.told), seed))


@dataclass(frozen=True)
class FakeTruth:
    """Accuracies of some architectures."""

    key: str
    known: Mapping[Arch, float]
    highest: float | None = None

    def accuracies(self, archs: Sequence[Arch], space: SearchSpace) -> list[float | None]:
        return [self.known.get(arch) for arch in archs]

    def best(self, space: SearchSpace) -> float | None:
        return self.highest


def bench_of(*estimators: Estimator, rank: str = "", label: str = "judge", truths: Any = None) -> Bench:
    names = [name for estimator in estimators for name in estimator.measures]
    return Bench(label, estimators, rank or "+".join(names), truths or {}, None)


def search_of(
    make: Callable[[int, Objective], Strategy],
    bench: Bench,
    budget: Budget | None = None,
    seed: int = 0,
    branch: Branch | None = None,
    label: str = "strategy",
) -> Search:
    course = Course(make(seed, bench.objective), bench.objective, budget or UntilOver(), branch)
    return Search(label, bench, seed, course)


def findings_of(
    truths: Mapping[str, Mapping[Arch, float]],
    *values: Mapping[Arch, float],
    strategy: str = "strategy",
    label: str = "judge",
    seconds: float = 10.0,
    free: int = 0,
    best: float | None = None,
) -> Findings:
    """Searches that were told, in order, a value of each architecture; NaN is a failure."""
    named = {name: FakeTruth(f"key of {name}", own, best) for name, own in truths.items()}
    bench = bench_of(Fake({"value": True}), label=label, truths=named)
    searches = []
    for seed, told in enumerate(values):
        listed = Listed(list(told))
        listed.free = free
        course = Course(listed, bench.objective, UntilOver())
        while (arch := course.proposal()) is not None:
            value = told[arch]
            estimate = Estimate.failure(ValueError("bad")) if np.isnan(value) else Estimate(value)
            course.tell(Trial(arch, {"value": estimate}), seconds)
        searches.append(Search(strategy, bench, seed, course))
    return Findings(strategy, bench, searches, truths)


@pytest.fixture(scope="session")
def fake() -> type[Fake]:
    return Fake


@pytest.fixture(scope="session")
def listed() -> type[Listed]:
    return Listed


@pytest.fixture(scope="session")
def make_bench() -> Callable[..., Bench]:
    return bench_of


@pytest.fixture(scope="session")
def make_search() -> Callable[..., Search]:
    return search_of


@pytest.fixture(scope="session")
def made_findings() -> Callable[..., Findings]:
    return findings_of
