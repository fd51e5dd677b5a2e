"""Who goes on in a race, in which order all come in, and what it costs: by hand, by brute force, by laws."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.analysis.racing import Raced, Racing, check_rungs, race
from lnas.errors import UsageError
from lnas.stats import rank_sum
from lnas.types import Arch, Estimate, Trial

LOWER = {"x": False, "y": False}
NAN = float("nan")


def table(values: dict[int, dict[str, list[float]]], calls: list[tuple[int, list[int]]] | None = None) -> Callable:
    """Measure by looking up: steps -> measure -> a value of each candidate."""

    def measure(steps: int, numbers: Sequence[int]) -> list[Trial]:
        if calls is not None:
            calls.append((steps, list(numbers)))
        at = values[steps]
        return [Trial(Arch("t", (n,)), {name: Estimate.of(column[n]) for name, column in at.items()}) for n in numbers]

    return measure


def test_halves_by_hand() -> None:
    calls: list[tuple[int, list[int]]] = []
    values = {
        1: {"x": [5.0, 2.0, 4.0, 1.0, 3.0]},  # 1 and 3 go on: half of five, rounded down
        2: {"x": [0.0, 9.0, 0.0, 8.0, 0.0]},  # 3 goes on
        4: {"x": [0.0, 0.0, 0.0, 7.0, 0.0]},
    }
    raced = race(Racing((1, 2, 4)), 5, table(values, calls), "x", LOWER)
    assert calls == [(1, [0, 1, 2, 3, 4]), (2, [1, 3]), (4, [3])]
    assert raced.ranking.order.tolist() == [3, 1, 4, 2, 0]
    assert raced.places.tolist() == [5, 2, 4, 1, 3]
    assert raced.steps.tolist() == [1, 2, 1, 4, 1]
    assert raced.spent == 1 + 2 + 1 + 4 + 1
    assert [trial.estimates["x"].value for trial in raced.trials] == [5, 9, 4, 7, 3]
    assert [[at["x"].value for at in rungs] for rungs in raced.measured] == [[5], [2, 9], [4], [1, 8, 7], [3]]
    assert raced.ranking.total.tolist() == [5, 2, 4, 1, 3]
    assert raced.ranking.missing == {"x": 0}
    assert raced.ranking.complete.all()


def test_ranks_are_among_those_still_in_the_race() -> None:
    """Of 0 and 1 each is better by one measure: alone they tie, with 2 between them 1 would win."""
    second = {"x": [1.0, 3.0, 2.0, 9.0], "y": [4.0, 2.0, 5.0, 9.0]}
    assert rank_sum("x+y", table({2: second})(2, [0, 1]), LOWER).total.tolist() == [3, 3]
    assert rank_sum("x+y", table({2: second})(2, [0, 1, 2]), LOWER).total.tolist() == [3, 4, 5]
    first = {"x": [1.0, 1.0, 2.0, 2.0], "y": [1.0, 1.0, 2.0, 2.0]}
    raced = race(Racing((1, 2)), 4, table({1: first, 2: second}), "x+y", LOWER)
    assert raced.ranking.total[:2].tolist() == [3, 3]


def test_who_went_on_is_before_who_did_not_whatever_the_sums() -> None:
    """Four tie at 5; of the three who go on, the one worst by both measures has a sum of 6."""
    first = {"x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "y": [4.0, 3.0, 2.0, 1.0, 5.0, 6.0]}
    second = {"x": [1.0, 2.0, 3.0, 0.0, 0.0, 0.0], "y": [1.0, 2.0, 3.0, 0.0, 0.0, 0.0]}
    raced = race(Racing((1, 2)), 6, table({1: first, 2: second}), "x+y", LOWER)
    assert raced.ranking.total.tolist() == [2, 4, 6, 5, 10, 12]
    assert raced.ranking.order.tolist() == [0, 1, 2, 3, 4, 5]


def test_who_lacks_a_number_drops_out_first_and_is_counted() -> None:
    values = {1: {"x": [NAN, 3.0, NAN, 2.0, 1.0, NAN]}, 2: {"x": [0.0, 1.0, 0.0, NAN, 2.0, 0.0]}}
    raced = race(Racing((1, 2), keep=0.9), 6, table(values), "x", LOWER)
    assert sorted(raced.rungs[2]) == [1, 3, 4]  # five could go on
    assert raced.ranking.order.tolist() == [1, 4, 3, 0, 2, 5]
    assert raced.ranking.complete.tolist() == [False, True, False, False, True, False]
    assert raced.ranking.missing == {"x": 4}


def test_a_race_without_numbers_ends_at_once() -> None:
    calls: list[tuple[int, list[int]]] = []
    raced = race(Racing((1, 2)), 3, table({1: {"x": [NAN] * 3}}, calls), "x", LOWER)
    assert calls == [(1, [0, 1, 2])]
    assert not raced.ranking.complete.any()
    assert raced.spent == 3


@pytest.mark.parametrize(
    ("keep", "count", "kept"), [(0.5, 7, 3), (0.5, 1, 1), (0.1, 5, 1), (0.29, 100, 29), (0.58, 50, 29), (1 / 3, 9, 3)]
)
def test_kept_is_rounded_down_but_not_by_the_arithmetic_of_the_machine(keep: float, count: int, kept: int) -> None:
    assert Racing(keep=keep).kept(count) == kept


def test_a_rank_of_its_own_decides_until_the_last_rung() -> None:
    first = {"loss": [1.0, 2.0, 3.0, 4.0], "loss_area": [4.0, 3.0, 2.0, 1.0]}
    last = {"loss": [1.0, 2.0, 3.0, 4.0], "loss_area": [9.0, 9.0, 9.0, 9.0]}
    winners = {}
    for rank in (None, "loss_area"):
        raced = race(Racing((1, 2), rank=rank), 4, table({1: first, 2: last}), "loss", dict.fromkeys(first, False))
        winners[rank] = int(raced.ranking.order[0])
        assert raced.ranks == {1: rank or "loss", 2: "loss"}
    assert winners == {None: 0, "loss_area": 2}


@pytest.mark.parametrize("candidates", [4, 32, 100])
def test_the_default_spends_at_most_half_the_steps(candidates: int) -> None:
    raced = race(Racing(), candidates, table({k: {"x": list(range(candidates))} for k in (12, 25, 50)}), "x", LOWER)
    assert raced.spent == 50 * candidates * 0.495


@pytest.mark.parametrize("rungs", [(), (50,), (0, 50), (25, 12), (12, 12)])
def test_rungs_that_are_none_are_named(rungs: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match=r"racing\.rungs=.*ascending from 1 or more, got \["):
        check_rungs(Racing(rungs))


@pytest.mark.parametrize("keep", [0.0, 1.0, -1.0, NAN])
def test_a_share_that_is_none_is_named(keep: float) -> None:
    with pytest.raises(UsageError, match=f"racing.keep={keep}: expected 0 < keep < 1, got {keep}"):
        race(Racing(keep=keep), 3, table({}), "x", LOWER)


def test_unknown_measures_and_no_candidates_are_refused() -> None:
    with pytest.raises(UsageError, match="unknown measure 'z'"):
        race(Racing((1, 2)), 1, table({1: {"x": [1.0]}}), "z", LOWER)
    with pytest.raises(UsageError, match="at least one trial, got 0"):
        race(Racing((1, 2)), 0, table({1: {"x": []}}), "x", LOWER)


numbers = st.one_of(st.integers(0, 4).map(float), st.just(NAN))


@st.composite
def races(draw: st.DrawFn) -> tuple[Racing, dict[int, dict[str, list[float]]], int]:
    rungs = tuple(sorted(draw(st.sets(st.integers(1, 9), min_size=2, max_size=4))))
    count = draw(st.integers(1, 9))
    column = st.lists(numbers, min_size=count, max_size=count)
    values = {rung: {"x": draw(column), "y": draw(column)} for rung in rungs}
    return Racing(rungs, draw(st.sampled_from([0.25, 0.5, 0.7]))), values, count


def by_counting(racing: Racing, values: dict[int, dict[str, list[float]]], count: int) -> list[int]:
    """The order of a race, from the definition: a rank is one more than how many are better, ties half."""
    keys: dict[int, tuple[bool, int, float, int]] = {}
    alive = list(range(count))
    for rung in racing.rungs:
        scored = []
        for n in alive:
            sums = 0.0
            for column in values[rung].values():
                own, others = _last(column[n]), [_last(column[m]) for m in alive if m != n]
                sums += 1 + sum(other < own for other in others) + sum(other == own for other in others) / 2
            lacks = any(np.isnan(column[n]) for column in values[rung].values())
            keys[n] = (lacks, -rung, sums, n)
            scored.append((lacks, sums, n))
        allowed = max(1, int(racing.keep * len(alive) + 1e-9))
        alive = sorted(n for lacks, _, n in sorted(scored)[:allowed] if not lacks)
    return sorted(keys, key=lambda n: keys[n])


def _last(value: float) -> float:
    return np.inf if np.isnan(value) else value


def raced_by(drawn: tuple[Racing, dict[int, dict[str, list[float]]], int]) -> Raced:
    racing, values, count = drawn
    return race(racing, count, table(values), "x+y", LOWER)


@settings(deadline=None, max_examples=25)
@given(races())
def test_order_equals_that_of_the_definition(drawn: tuple) -> None:
    assert raced_by(drawn).ranking.order.tolist() == by_counting(*drawn)


@settings(deadline=None, max_examples=25)
@given(races())
def test_nobody_who_dropped_out_is_before_one_who_went_on(drawn: tuple) -> None:
    raced = raced_by(drawn)
    in_order = [int(raced.steps[n]) for n in raced.ranking.order if raced.ranking.complete[n]]
    assert in_order == sorted(in_order, reverse=True)
    assert sorted(raced.ranking.order.tolist()) == list(range(drawn[2]))
    assert raced.ranking.missing["x"] == sum(trial.estimates["x"].status != "ok" for trial in raced.trials)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 5).map(float), min_size=1, max_size=12))
def test_a_measure_that_does_not_change_orders_as_the_full_ranking_does(values: list[float]) -> None:
    at_each = {rung: {"x": values} for rung in (12, 25, 50)}
    raced = race(Racing(), len(values), table(at_each), "x", LOWER)
    full = rank_sum("x", table(at_each)(50, range(len(values))), LOWER)
    assert raced.ranking.order.tolist() == full.order.tolist()
