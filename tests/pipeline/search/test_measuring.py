"""What is known of candidates: kept once, the first number stays, and failures are tried again until they are used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lnas.errors import RunError, UsageError
from lnas.execution import Done
from lnas.pipeline.search.measuring import Ledger, Measuring, SearchTask, trial_of
from lnas.store import Store
from lnas.types import Arch, Estimate

ARCH = Arch("tiny", (0, 1, 1))
FAILED = {"a": Estimate.failure(ValueError("bad"))}
TASK = SearchTask(0, ARCH, 0, seed=3)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store(tmp_path / "store.sqlite")) as opened:
        yield opened


@pytest.fixture
def bench(fake: Any, make_bench: Any) -> Any:
    return make_bench(fake({"a": True}), fake({"b": False, "c": True}))


def of(value: float) -> dict[str, Estimate]:
    return {"a": Estimate(value, seconds=2.0)}


def test_a_task_asks_one_estimator(bench: Any) -> None:
    found = Measuring(bench.estimators)(SearchTask(0, ARCH, 1, seed=3))
    assert found == bench.estimators[1].estimate(ARCH, seed=3)
    assert bench.estimators[0].asked == []


def test_what_is_kept_is_known_to_all(bench: Any, store: Store) -> None:
    ledger = Ledger(bench, [store])
    assert ledger.known(ARCH, [0, 1], 3) == {}
    ledger.keep(Done(TASK, of(5)))
    assert ledger.known(ARCH, [0, 1], 3) == Ledger(bench, [store]).known(ARCH, [0], 3) == {0: of(5)}
    assert ledger.known(ARCH, [1], 3) == ledger.known(ARCH, [0], 4) == {}


def test_the_first_number_stays(bench: Any, store: Store) -> None:
    """Two searches may have asked at the same time, and the first went on from what it was told."""
    ledger = Ledger(bench, [store])
    for first, second in ((of(5), of(6)), (FAILED, of(6))):
        task = TASK._replace(seed=len(first["a"].status))
        ledger.keep(Done(task, first))
        ledger.keep(Done(task, second))
        assert ledger.known(ARCH, [0], task.seed)[0]["a"].status == first["a"].status
        assert store.estimates(bench.estimators[0].protocol, ARCH, task.seed)["a"].status == first["a"].status
    assert ledger.known(ARCH, [0], len("ok")) == {0: of(5)}


def test_a_failure_is_tried_again_by_another_start_unless_a_search_went_on_from_it(bench: Any, store: Store) -> None:
    Ledger(bench, [store]).keep(Done(TASK, FAILED))
    assert Ledger(bench, [store], [(ARCH, 3)]).known(ARCH, [0], 3) == {0: FAILED}
    again = Ledger(bench, [store], [(ARCH, 4)])
    assert again.known(ARCH, [0], 3) == {}
    again.keep(Done(TASK, of(5)))
    assert again.known(ARCH, [0], 3) == Ledger(bench, [store]).known(ARCH, [0], 3) == {0: of(5)}


def test_what_is_not_finite_is_a_result(bench: Any, store: Store) -> None:
    Ledger(bench, [store]).keep(Done(TASK, {"a": Estimate.of(float("inf"))}))
    assert Ledger(bench, [store]).known(ARCH, [0], 3)[0]["a"].status == "nonfinite"


def test_what_raises_fails_and_what_cannot_be_served_ends_it(bench: Any, store: Store) -> None:
    ledger = Ledger(bench, [store])
    ledger.keep(Done(TASK._replace(estimator=1), error=RunError("the worker died")))
    estimates = ledger.known(ARCH, [0, 1], 3)[1]
    assert estimates.keys() == {"b", "c"}
    assert {estimate.detail["error"] for estimate in estimates.values()} == {"RunError: the worker died"}
    wrong = Done[SearchTask, Any](TASK, error=UsageError("no such data"))
    with pytest.raises(UsageError, match="no such data"):
        ledger.keep(wrong)
    assert ledger.known(ARCH, [0], 3) == {}


def test_what_only_a_parent_has_is_copied_and_the_parent_is_left_alone(
    bench: Any, store: Store, tmp_path: Path
) -> None:
    with closing(Store(tmp_path / "parent.sqlite")) as parent:
        Ledger(bench, [parent]).keep(Done(TASK, of(5)))
        ledger = Ledger(bench, [store, parent])
        assert ledger.known(ARCH, [0], 3) == {0: of(5)}
        ledger.keep(Done(TASK._replace(seed=4), of(6)))
        assert parent.estimates(bench.estimators[0].protocol, ARCH, 4) == {}
    assert Ledger(bench, [store]).known(ARCH, [0], 3) == {0: of(5)}


def test_records_are_looked_up_and_not_kept(fake: Any, make_bench: Any, store: Store) -> None:
    recorded = make_bench(fake({"a": True}, recorded=True, bad={ARCH: FAILED["a"]}))
    assert Ledger(recorded, [store]).known(ARCH, [0], 3) == {0: FAILED}
    assert store.estimates(recorded.estimators[0].protocol, ARCH, 3) == {}


def test_measures_of_one_estimator_share_its_time() -> None:
    own = {"a": Estimate(1.0, seconds=2.0), "b": Estimate(2.0, seconds=3.0)}
    trial, seconds = trial_of(ARCH, {0: own, 1: {"c": Estimate(3.0, seconds=0.5)}})
    assert {name: estimate.value for name, estimate in trial.estimates.items()} == {"a": 1, "b": 2, "c": 3}
    assert (trial.arch, seconds) == (ARCH, 3.5)
