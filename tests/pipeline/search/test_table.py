"""Searches on a table: what a budget buys, and what is found for it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.benchmarks import AccuracyKey, Card, TabularBenchmark, load_benchmark
from lnas.errors import UsageError
from lnas.estimators.tabular import TabularEstimator
from lnas.pipeline.search.budget import Evaluations, Seconds, UntilOver
from lnas.pipeline.search.course import Course
from lnas.pipeline.search.table import search_table
from lnas.search import Objective, PruningSearch, RandomSearch, RegularizedEvolution, Strategy
from lnas.spaces import NatsTopologySpace
from lnas.testing import TinySpace
from lnas.types import Arch, Trial

SPACE = TinySpace()
ARCHS = [SPACE.parse(f"{number:03b}") for number in range(8)]
KEY = AccuracyKey.parse("made/up/valid@2/mean")
OF_A_SEED = AccuracyKey.parse("made/up/valid@2/1")
ACCURACY = np.array([50.0, 70.0, 60.0, 70.0, 80.0, 40.0, 80.0, 10.0])
SECONDS = np.array([10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0])


def estimator(key: AccuracyKey = KEY, timed: bool = True) -> TabularEstimator:
    accuracies = {KEY: ACCURACY, OF_A_SEED: np.where(ACCURACY == 70, np.nan, ACCURACY)}
    seconds = {KEY: SECONDS, OF_A_SEED: SECONDS} if timed else {}
    genes = np.array([arch.genes for arch in ARCHS])
    return TabularEstimator(TabularBenchmark(Card("tiny", "", "", "", ""), SPACE, genes, accuracies, seconds), key)


class Listed(Strategy):
    """Proposes these rows of the table in order, and keeps what it is told."""

    settings: Mapping[str, Any] = {}

    def __init__(self, rows: Sequence[int]) -> None:
        self.archs = [ARCHS[row] for row in rows]
        self.told: list[Trial] = []
        self.asked = 0

    @property
    def limit(self) -> int:
        return len(self.archs)

    def ask(self, n: int) -> list[Arch]:
        assert len(self.told) == self.asked, "asked before it was told"
        self.asked += n
        return self.archs[self.asked - n : self.asked]

    def tell(self, trials: Sequence[Trial]) -> None:
        self.told += trials


def rows(search: Course) -> list[int]:
    return [ARCHS.index(trial.arch) for trial in search.trials]


def answers(search: Course) -> list[int]:
    """The row of the table that is the answer after each evaluation, -1 where there is none."""
    after = [search.answer_after(n - search.strategy.free) for n in range(1, len(search.trials) + 1)]
    return [-1 if arch is None else ARCHS.index(arch) for arch in after]


def test_a_search_is_worked_by_hand() -> None:
    strategy = Listed([0, 2, 1, 3, 4, 6, 5])
    search = search_table(strategy, estimator(), Evaluations(6))
    assert rows(search) == [0, 2, 1, 3, 4, 6]
    assert search.seconds == [10, 40, 60, 100, 150, 220]
    assert search.answers == [(1, ARCHS[0]), (2, ARCHS[2]), (3, ARCHS[1]), (5, ARCHS[4])]
    assert answers(search) == [0, 2, 1, 1, 4, 4]
    assert search.answer == ARCHS[4]
    assert strategy.told == search.trials


@pytest.mark.parametrize(
    ("seconds", "counted", "lost"),
    [(1, [0], []), (10, [0], [0]), (10.5, [0, 1], [0]), (30, [0, 1], [0, 1]), (59, [0, 1, 2], [0, 1])],
)
def test_the_evaluation_that_crosses_the_budget(seconds: float, counted: list[int], lost: list[int]) -> None:
    """Rows 0, 1, 2 end at 10, 30, 60 seconds; none begins when the time is up."""
    assert rows(search_table(Listed(range(8)), estimator(), Seconds(seconds))) == counted
    strategy = Listed(range(8))
    assert rows(search_table(strategy, estimator(), Seconds(seconds, crossing="is lost"))) == lost
    assert [trial.arch for trial in strategy.told] == [ARCHS[row] for row in lost]


def test_a_failed_evaluation_costs_no_time_but_counts() -> None:
    search = search_table(Listed([1, 0, 3, 2]), estimator(OF_A_SEED), Evaluations(4))
    statuses = [trial.estimates[f"table:{OF_A_SEED}"].status for trial in search.trials]
    assert statuses == ["failed", "ok", "failed", "ok"]
    assert search.without == 2
    assert search.seconds == [0, 10, 10, 40]
    assert answers(search) == [-1, 0, 0, 2]
    assert rows(search_table(Listed([1, 0, 3, 2]), estimator(OF_A_SEED), Seconds(10))) == [1, 0]


def test_without_a_number_there_is_no_answer() -> None:
    search = search_table(Listed([1, 3]), estimator(OF_A_SEED), Evaluations(2))
    assert search.answers == []
    assert search.answer is None


def test_an_architecture_that_comes_again_costs_again() -> None:
    assert search_table(Listed([2, 2, 2]), estimator(), Evaluations(3)).seconds == [30, 60, 90]


def test_what_the_strategy_does_not_count_is_neither_budgeted_nor_the_answer() -> None:
    class Warmed(Listed):
        free = 2

    search = search_table(Warmed([4, 6, 0, 2, 1, 3]), estimator(), Evaluations(3))
    assert rows(search) == [4, 6, 0, 2, 1]
    assert search.counted == 3
    assert answers(search) == [-1, -1, 0, 2, 1]
    assert search.answer == ARCHS[1]


def test_a_search_ends_when_it_is_over() -> None:
    class Brief(Listed):
        @property
        def is_over(self) -> bool:
            return len(self.told) == 3

    assert rows(search_table(Brief(range(8)), estimator(), Evaluations(8))) == [0, 1, 2]


def test_a_search_ends_when_all_is_proposed() -> None:
    assert rows(search_table(Listed([0, 1]), estimator(), Seconds(1e9))) == [0, 1]


def test_more_evaluations_than_there_are_proposals_are_refused() -> None:
    with pytest.raises(
        UsageError, match=r"evaluations=9: expected at most 8, which is all that Listed can propose, got 9\."
    ):
        search_table(Listed(range(8)), estimator(), Evaluations(9))


def test_time_is_no_budget_where_none_was_recorded() -> None:
    with pytest.raises(UsageError, match=r"expected a recorded time behind table:made/up/valid@2/mean, got 'none for "):
        search_table(Listed(range(8)), estimator(timed=False), Seconds(10))
    assert search_table(Listed(range(8)), estimator(timed=False), Evaluations(3)).seconds == [0, 0, 0]


def test_what_is_no_budget_is_refused() -> None:
    with pytest.raises(UsageError, match=r"expected Evaluations\(.*, got 20\."):
        search_table(Listed([0]), estimator(), 20)  # type: ignore[arg-type]


def test_a_table_holds_no_regions() -> None:
    strategy = PruningSearch(NatsTopologySpace(), 0, Objective("value", {"value": True}))
    with pytest.raises(UsageError, match=r"by PruningSearch: expected a strategy that proposes architectures"):
        search_table(strategy, estimator(), UntilOver())


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 7), min_size=1, max_size=20), st.floats(1, 600))
def test_what_a_budget_of_time_buys(proposed: list[int], budget: float) -> None:
    search = search_table(Listed(proposed), estimator(), Seconds(budget))
    within = search_table(Listed(proposed), estimator(), Seconds(budget, crossing="is lost"))
    ends = list(itertools.accumulate(SECONDS[proposed]))
    assert rows(search) == [row for row, begins in zip(proposed, [0, *ends], strict=False) if begins < budget]
    assert rows(within) == [row for row, end in zip(proposed, ends, strict=True) if end <= budget]
    best = [max(rows(search)[: n + 1], key=lambda row: ACCURACY[row]) for n in range(len(search.trials))]
    assert answers(search) == best
    assert search.answer == ARCHS[best[-1]]


@pytest.fixture(scope="module")
def nats(data_root: Path) -> TabularBenchmark:
    path = data_root / "nb201" / "nb201_accuracy.parquet"
    if not path.is_file():
        pytest.skip(f"no {path.name} in the data folder")
    benchmark = load_benchmark("nats_tss", path)
    assert isinstance(benchmark, TabularBenchmark)
    return benchmark


AFTER_12 = "nats-1.0/cifar10-valid/x-valid@12/mean"
VALID_200 = AccuracyKey.parse("nats-1.0/cifar10-valid/x-valid@200/mean")
TEST_200 = AccuracyKey.parse("nats-1.0/cifar10/ori-test@200/mean")


@pytest.mark.data
@pytest.mark.parametrize(
    ("dataset", "seconds"), [("cifar10-valid", 112_840), ("cifar100", 219_991), ("ImageNet16-120", 665_913)]
)
def test_a_thousand_evaluations_by_the_tables_mean_time(nats: TabularBenchmark, dataset: str, seconds: float) -> None:
    """A 12-epoch training and a validation each; what all 15,625 take is 15.625 times that."""
    estimator = TabularEstimator(nats, AccuracyKey("nats-1.0", dataset, "x-valid", 12, "mean"))
    costs = [estimator.estimate(arch, seed=0)[estimator.measure].seconds for arch in nats.archs()]
    assert 1000 * np.mean(costs) == pytest.approx(seconds, abs=1)


def found_by(searches: Sequence[Course]) -> list[Arch]:
    return [search.answer for search in searches if search.answer is not None]


def by_arrays(nats: TabularBenchmark, proposed: Sequence[Arch], budget: float) -> tuple[int, int, float]:
    """How many of the proposals a budget buys, which row is the answer, and the time used: worked without a loop."""
    table = nats.table(AccuracyKey.parse(AFTER_12))
    assert table.seconds is not None
    order = np.array([nats.row(arch) for arch in proposed])
    ends = table.seconds[order].cumsum()
    bought = int(np.searchsorted(ends, budget, side="left")) + 1
    return bought, int(order[table.accuracy[order[:bought]].argmax()]), float(ends[bought - 1])


@pytest.mark.data
def test_random_search_under_the_budget_of_nats_bench(nats: TabularBenchmark) -> None:
    estimator = TabularEstimator(nats, AFTER_12)
    for seed in range(20):
        search = search_table(RandomSearch(nats.space, seed, distinct="arch"), estimator, Seconds(20_000))
        bought, answer, used = by_arrays(nats, RandomSearch(nats.space, seed, distinct="arch").ask(300), 20_000)
        assert search.answer is not None
        assert (len(search.trials), nats.row(search.answer)) == (bought, answer)
        assert search.seconds[-1] == pytest.approx(used)
        assert search.seconds[-2] < 20_000 <= used


@pytest.mark.data
@pytest.mark.parametrize(("data_set", "valid", "test"), [("cifar100", 72.83, 72.22), ("ImageNet16-120", 46.07, 46.39)])
def test_evolution_finds_what_lightweight_nas_found(
    nats: TabularBenchmark, data_set: str, valid: float, test: float
) -> None:
    """1,000 children of a population of 20, tournaments of 10; published are means of 30 runs, deviating by 0.6."""
    judge = TabularEstimator(nats, f"nats-1.0/{data_set}/x-valid@12/mean")
    objective = Objective(judge.measure, judge.measures)
    searches = [
        search_table(
            RegularizedEvolution(nats.space, seed, objective, 20, 10, "with", "children"), judge, Evaluations(1000)
        )
        for seed in range(8)
    ]
    assert {len(search.trials) for search in searches} == {1020}
    for split, expected in (("x-valid", valid), ("x-test", test)):
        found = nats.queries(found_by(searches), AccuracyKey.parse(f"nats-1.0/{data_set}/{split}@200/mean"))
        assert found.mean() == pytest.approx(expected, abs=0.8)


class PublishedClasses(NatsTopologySpace):
    """The space with the isomorphism classes of the public table: the same as ours, but looked up."""

    def __init__(self, path: Path) -> None:
        import pyarrow.parquet as pq

        table = pq.read_table(path, columns=["e01", "e02", "e12", "e03", "e13", "e23", "iso_class"]).to_pydict()
        *edges, classes = table.values()
        self._class = dict(zip(zip(*edges, strict=True), classes, strict=True))

    def canonical(self, arch: Arch, sense: str = "isomorphic") -> Arch:
        return Arch("class", (self._class[arch.genes],))


def interpolated(search: Course, budget: float, value: Mapping[Arch | None, float]) -> float:
    """As the published table has it: between the answers before and after the budget is crossed."""
    before, after = search.seconds[-2:]
    share = (budget - before) / (after - before)
    return (1 - share) * value[search.answer_after(len(search.trials) - 1)] + share * value[search.answer]


@pytest.mark.data
@pytest.mark.slow
@pytest.mark.parametrize(
    ("trained", "distinct", "valid", "test", "evaluations"),
    [
        ("mean", "arch", 91.06, 93.86, 177.9),
        ("mean", "isomorphic", 91.08, 93.88, 174.1),
        ("run-a", "arch", 91.04, 93.84, 177.9),
        ("run-a", "isomorphic", 91.07, 93.86, 174.1),
    ],
)
def test_five_hundred_random_searches_under_the_budget_of_nats_bench(
    nats: TabularBenchmark, data_root: Path, trained: str, distinct: Any, valid: float, test: float, evaluations: float
) -> None:
    """20,000 s each on CIFAR-10, and the answer's accuracy after 200 epochs: about 91 on validation and 93.8 on test.

    NATS-Bench draws with replacement and takes the estimate of one training. Without twins ("isomorphic") the budget
    buys 174 evaluations instead of the 178 without repeats ("arch"), since the large classes are of cheap cells. That,
    or the mean of two trainings as the estimate, moves the mean of 500 answers by 0.02, not clearly more than its
    standard error of 0.012.
    """
    space = PublishedClasses(data_root / "nb201" / "nb201_accuracy.parquet")
    estimator = TabularEstimator(nats, f"nats-1.0/cifar10-valid/x-valid@12/{trained}")
    searches = [
        search_table(RandomSearch(space, seed, distinct=distinct), estimator, Seconds(20_000)) for seed in range(500)
    ]
    for key, expected in ((VALID_200, valid), (TEST_200, test)):
        found = nats.queries(found_by(searches), key)
        assert found.mean() == pytest.approx(expected, abs=0.01)
        assert 0.2 < found.std() < 0.3
        once = list({arch for search in searches for _, arch in search.answers})
        value = dict(zip(once, nats.queries(once, key).tolist(), strict=True))
        at_budget = [interpolated(search, 20_000, value) for search in searches]
        assert np.mean(at_budget) == pytest.approx(found.mean(), abs=0.01)
    assert np.mean([len(search.trials) for search in searches]) == pytest.approx(evaluations, abs=0.5)


@pytest.mark.data
def test_a_thousand_evaluations_take_milliseconds(nats: TabularBenchmark) -> None:
    """The proposals apart; the limit is many times what they take, for a busy machine."""

    class InOrder(Listed):
        def __init__(self) -> None:
            super().__init__([])
            self.archs = list(nats.archs())

    strategy, estimator = InOrder(), TabularEstimator(nats, AFTER_12)
    started = time.process_time()
    search = search_table(strategy, estimator, Evaluations(1000))
    assert len(search.trials) == len(search.seconds) == 1000
    assert time.process_time() - started < 0.25
