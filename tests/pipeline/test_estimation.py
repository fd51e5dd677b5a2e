"""Candidates are measured once, failures again, and nothing is mixed up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lnas.errors import RunError, UsageError
from lnas.estimators import Estimator
from lnas.pipeline.display import Display
from lnas.pipeline.estimation import estimate_candidates
from lnas.pipeline.tracking import Tracker
from lnas.search import Objective, RandomSearch, RankEvolution, Strategy
from lnas.store import Store
from lnas.testing import TinySpace
from lnas.types import Arch, Estimate, Trial


@dataclass(frozen=True)
class CountingProtocol:
    name: str = "counting"


class Counting(Estimator):
    """Counts its calls; measures the number of ones, or fails."""

    def __init__(self, failing: bool = False) -> None:
        self.calls: list[Arch] = []
        self.failing = failing

    @property
    def measures(self) -> Mapping[str, bool]:
        return {"ones": True}

    @property
    def protocol(self) -> CountingProtocol:
        return CountingProtocol()

    def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
        self.calls.append(candidate)
        if self.failing:
            return {"ones": Estimate.failure(RuntimeError("my own bug"))}
        return {"ones": Estimate.of(sum(candidate.genes))}


class Listed(Strategy):
    """Proposes a given list."""

    limit = 8
    settings: Mapping[str, Any] = {}

    def __init__(self, archs: Sequence[Arch]) -> None:
        self._archs = list(archs)
        self.told: list[Trial] = []

    def ask(self, n: int) -> list[Arch]:
        return [self._archs.pop(0) for _ in range(n)]

    def tell(self, trials: Sequence[Trial]) -> None:
        self.told += trials


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.sqlite")


def measure(store: Store, estimator: Estimator, strategy: Strategy | None = None, candidates: int = 4) -> list[Trial]:
    strategy = strategy or RandomSearch(TinySpace(), distinct="arch")
    tracker, display = Tracker(None, print), Display(quiet=True)
    return estimate_candidates(strategy, [estimator], candidates, 0, "run", store, tracker, display)


def test_what_is_stored_is_not_measured_again(store: Store) -> None:
    first, second = Counting(), Counting()
    before = measure(store, first, candidates=3)
    after = measure(store, second, candidates=4)
    assert len(first.calls) == 3
    assert second.calls == [after[3].arch]
    assert [(t.arch, t.estimates["ones"].value) for t in after[:3]] == [
        (t.arch, t.estimates["ones"].value) for t in before
    ]


def test_what_failed_is_measured_again(store: Store) -> None:
    failed = measure(store, Counting(failing=True))
    assert {trial.estimates["ones"].status for trial in failed} == {"failed"}
    mended = Counting()
    assert {trial.estimates["ones"].status for trial in measure(store, mended)} == {"ok"}
    assert len(mended.calls) == 4


def test_a_strategy_that_does_not_repeat_itself_is_named(store: Store) -> None:
    measure(store, Counting(), RandomSearch(TinySpace(), seed=0, distinct="arch"))
    with pytest.raises(RunError, match=r"candidate 0: expected tiny:.*which an earlier start was given, got 'tiny:"):
        measure(store, Counting(), RandomSearch(TinySpace(), seed=1, distinct="arch"))


def test_what_is_proposed_again_is_told_again_and_is_no_other_candidate(store: Store) -> None:
    first, second = Arch("tiny", (0, 0, 1)), Arch("tiny", (0, 1, 1))
    strategy, counting = Listed([first, first, second]), Counting()
    trials = measure(store, counting, strategy, candidates=2)
    assert [trial.arch for trial in trials] == counting.calls == [first, second]
    assert [trial.arch for trial in strategy.told] == [first, first, second]


def test_a_strategy_that_has_nothing_new_is_named(store: Store) -> None:
    arch = Arch("tiny", (0, 0, 1))
    with pytest.raises(UsageError, match="expected a new architecture, got '1,000 in a row that it proposed before'"):
        measure(store, Counting(), Listed([arch] * 2000), candidates=2)


def test_a_search_that_is_over_ends(store: Store) -> None:
    objective = Objective("ones", {"ones": True})
    strategy = RankEvolution(TinySpace(), 0, objective, population=2, sample=1, steps=1)
    assert 2 <= len(measure(store, Counting(), strategy, candidates=8)) <= 3


def test_an_estimator_that_leaves_a_measure_out_is_named_and_nothing_is_kept(store: Store) -> None:
    class Careless(Counting):
        def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
            return {}

    with pytest.raises(UsageError, match=r"Careless\.estimate: expected \['ones'\], got \[\]"):
        measure(store, Careless())
    assert store.candidates("run") == []
