"""One search: what it answers when, when it ends, and where it branches."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pytest

from configs.examples.own_strategy import HillClimbing
from lnas.errors import RunError, UsageError
from lnas.pipeline.search.budget import Budget, Evaluations, Seconds, UntilOver
from lnas.pipeline.search.course import Branch, Course
from lnas.search import (
    AssistedEvolution,
    LocalSearch,
    Objective,
    PruningSearch,
    RandomSearch,
    RankEvolution,
    RegularizedEvolution,
    Strategy,
)
from lnas.spaces import NatsTopologySpace
from lnas.testing import TinySpace
from lnas.types import Arch, Estimate, Trial

SPACE = TinySpace()
ARCHS = [SPACE.parse(f"{number:03b}") for number in range(8)]
VALUE = Objective("value", {"value": True})
SUM = Objective("value+size", {"value": True, "size": False})
BAD = math.nan


def told(course: Course, values: Iterable[float], seconds: float = 1.0) -> Course:
    """Tell a course the values of what it proposes, and as many sizes."""
    for value in values:
        candidate = _proposed(course)
        assert course.proposal() == candidate
        numbers = {"value": Estimate.of(value), "size": Estimate.of(-value)}
        course.tell(Trial(candidate, numbers), seconds)
    return course


def _proposed(course: Course) -> Any:
    candidate = course.proposal()
    assert candidate is not None
    return candidate


def answered(course: Course) -> list[tuple[int, int]]:
    return [(count, ARCHS.index(arch)) for count, arch in course.answers]


def over(listed: Any, budget: Budget | None = None, branch: Branch | None = None) -> Course:
    return Course(listed(ARCHS), VALUE, budget or UntilOver(), branch)


def test_without_an_answer_of_its_own_the_first_best_is_the_answer(listed: Any) -> None:
    course = told(over(listed), [BAD, 5, 3, 5, 7, BAD, 7, 1])
    assert answered(course) == [(2, 1), (5, 4)]
    assert course.answer == ARCHS[4]
    assert course.proposal() is None
    assert [course.answer_after(n) for n in (0, 1, 2, 4, 5, 8, 99)] == [
        *(None, None),
        *(ARCHS[1], ARCHS[1]),
        *(ARCHS[4], ARCHS[4], ARCHS[4]),
    ]
    assert course.without == 2


def test_of_a_sum_the_answer_is_the_best_by_ranks_among_all(listed: Any) -> None:
    """Value ranks 1, 2, 3 from the highest; sizes reversed, so that each new best outranks the others."""
    course = told(Course(listed(ARCHS), SUM, UntilOver()), [1, 2, 3, 2.5])
    assert answered(course) == [(1, 0), (2, 1), (3, 2)]


def test_an_answer_of_its_own_comes_before_the_best(listed: Any) -> None:
    class Stubborn(listed):  # type: ignore[misc]
        def answer(self) -> Arch:
            """The last but one."""
            if len(self.told) < 2:
                raise RunError("too early")
            return self.told[-2].arch

    course = told(Course(Stubborn(ARCHS), VALUE, UntilOver()), [9, 8, 7, 6])
    assert answered(course) == [(2, 0), (3, 1), (4, 2)]


@pytest.mark.parametrize(
    "make",
    [
        lambda: HillClimbing(SPACE, 0, VALUE, start=3),
        lambda: RandomSearch(SPACE, 0, VALUE),
        lambda: RandomSearch(SPACE, 0),
        lambda: LocalSearch(SPACE, 0, VALUE),
        lambda: RegularizedEvolution(SPACE, 0, VALUE, population=3, sample=2),
    ],
)
def test_whoever_answers_the_best_answers_the_best(make: Any) -> None:
    values = [3.0, 1, 5, 5, 2, 8, 8, 4]
    course = told(Course(make(), VALUE, Evaluations(8)), values)
    best = [int(np.argmax(values[:n])) for n in range(1, 9)]
    assert [course.answer_after(n) for n in range(1, 9)] == [course.trials[k].arch for k in best]


def test_a_pruning_search_answers_at_its_end_only() -> None:
    course = Course(PruningSearch(NatsTopologySpace(), 0, VALUE), VALUE, UntilOver())
    count = 0
    while (region := course.proposal()) is not None:
        count += 1
        course.tell(Trial(region, {"value": Estimate.of(count)}), 1.0)
    assert count == 24 + 18 + 12
    assert [evaluations for evaluations, _ in course.answers] == [count]


def test_the_last_population_may_answer_worse_than_before() -> None:
    """The better of the two youngest, where values fall: the last but one."""
    objective, space = Objective("value", {"value": True}), NatsTopologySpace()
    course = told(Course(RankEvolution(space, 0, objective, 2, 1, steps=4), objective, Evaluations(4)), range(6, 0, -1))
    last_but_one = [course.trials[max(0, n - 2)].arch for n in range(1, 7)]
    assert len(set(last_but_one)) > 2
    assert [course.answer_after(n - 2) for n in range(1, 7)] == last_but_one


def test_free_evaluations_are_not_counted_and_not_the_answer(listed: Any) -> None:
    class Warmed(listed):  # type: ignore[misc]
        free = 2

    course = Course(Warmed(ARCHS), VALUE, Evaluations(4))
    counts = [told(course, [value]).counted for value in (9, 8, 1, 3, 2, 4)]
    assert course.proposal() is None
    assert counts == [0, 0, 1, 2, 3, 4]
    assert answered(course) == [(3, 2), (4, 3), (6, 5)]
    assert [course.answer_after(n) for n in (0, 1, 2, 3, 4)] == [None, ARCHS[2], ARCHS[3], ARCHS[3], ARCHS[5]]
    assert [course.seconds_after(n) for n in (0, 1, 4, 9, None)] == [2, 3, 6, 6, 6]


def test_time_adds_up(listed: Any) -> None:
    course = over(listed, Seconds(10))
    assert course.seconds_after() == course.seconds_after(3) == 0
    for seconds in (1.0, 2.5, 4.0, 5.0):
        told(course, [1], seconds)
    assert course.seconds == [1, 3.5, 7.5, 12.5]
    assert [course.seconds_after(n) for n in (0, 1, 2, None)] == [0, 1, 3.5, 12.5]
    assert course.proposal() is None


def test_what_is_lost_is_not_told(listed: Any) -> None:
    course = told(over(listed, Seconds(2.5, "is lost")), [1, 2, 3])
    assert course.proposal() is None
    assert course.strategy.told == course.trials  # type: ignore[attr-defined]
    assert (len(course.trials), course.seconds, course.answer) == (2, [1, 2], ARCHS[1])


def test_states_are_kept_at_ever_larger_distances() -> None:
    strategy = RegularizedEvolution(SPACE, 0, VALUE, population=5, sample=2)
    course = told(Course(strategy, VALUE, Evaluations(200)), np.arange(200.0))
    counts = [count for count, _ in course.states]
    assert counts[:21] == list(range(1, 22))
    steps = np.diff(counts)
    assert (steps >= 1).all()
    assert (steps[20:] <= 0.05 * np.array(counts[20:-1]) + 1).all()
    assert 40 < len(counts) < 80
    assert all(state.keys() == {"diversity"} for _, state in course.states)
    assert course.states[0][1]["diversity"] == 0
    assert counts[-1] < 200
    assert course.proposal() is None
    assert course.states[-1] == (200, strategy.state)


def test_measures_are_numbers_or_nan(listed: Any) -> None:
    course = told(over(listed), [BAD, 5])
    np.testing.assert_array_equal(course.values("value"), [math.nan, 5])
    np.testing.assert_array_equal(course.values("elsewhere"), [math.nan, math.nan])


def test_what_is_wanted_is_read_before_it_is_asked() -> None:
    scout = Objective("size", {"size": False})
    strategy = AssistedEvolution(SPACE, 0, VALUE, scout, scouts=3, population=2, sample=1)
    course = Course(strategy, VALUE, Evaluations(3))
    wanted: list[Sequence[str] | None] = []
    while (arch := course.proposal()) is not None:
        wanted.append(course.wanted)
        assert course.wanted is not None
        course.tell(Trial(arch, {name: Estimate.of(sum(arch.genes)) for name in course.wanted}), 1.0)
    assert wanted == [["size"]] * 3 + [["value"]] * 3
    assert course.without == 0
    assert course.answers[0][0] == 4


def test_who_wants_nothing_lacks_nothing(listed: Any) -> None:
    class Frugal(listed):  # type: ignore[misc]
        wants = ()

    course = Course(Frugal(ARCHS), VALUE, UntilOver())
    course.tell(Trial(_proposed(course), {}), 1.0)
    assert course.without == 0


@pytest.mark.parametrize("at", [1, 3, 8])
def test_draws_part_exactly_after_so_many(listed: Any, at: int) -> None:
    course = told(over(listed, branch=Branch(at, 77)), range(8))
    assert course.strategy.reseeded == [(at, 77)]  # type: ignore[attr-defined]


def test_a_branch_repeats_its_parent_until_then() -> None:
    def proposed(branch: Branch | None) -> list[Arch]:
        strategy = RegularizedEvolution(NatsTopologySpace(), 0, VALUE, population=3, sample=2)
        return [trial.arch for trial in told(Course(strategy, VALUE, Evaluations(9), branch), range(9)).trials]

    parent, first, second = proposed(None), proposed(Branch(4, 1)), proposed(Branch(4, 2))
    assert parent[:4] == first[:4] == second[:4]
    assert len({tuple(parent[4:]), tuple(first[4:]), tuple(second[4:])}) == 3


def forever(strategy: Strategy, objective: Objective, values: Iterable[float]) -> Course:
    return told(Course(strategy, objective, Evaluations(5000)), values)


def test_fifty_without_a_number_at_first_are_the_end() -> None:
    def strategy() -> Strategy:
        return RegularizedEvolution(SPACE, 0, VALUE, population=2, sample=1)

    course = forever(strategy(), VALUE, [BAD] * 49)
    assert course.without == 49
    message = (
        r"a search by value: expected a candidate with all numbers, got 'none among 50 in a row'\. "
        r"The last nonfinite: nan\."
    )
    with pytest.raises(RunError, match=message):
        told(course, [BAD])
    course = forever(strategy(), VALUE, [BAD] * 49 + [1] + [BAD] * 999)
    assert course.without == 49 + 999
    with pytest.raises(RunError, match=r"got 'none among 1000 in a row'"):
        told(course, [BAD])


def test_the_reason_is_that_of_a_number_that_was_needed(listed: Any) -> None:
    course = Course(listed([ARCHS[0]] * 60), VALUE, UntilOver())
    other, own = Estimate.failure(ValueError("another's")), Estimate.failure(ValueError("its own"))
    for _ in range(49):
        course.tell(Trial(_proposed(course), {"size": other, "value": own}), 0.0)
    last = Trial(_proposed(course), {"size": other, "value": own})
    with pytest.raises(RunError, match=r"The last failed: ValueError: its own\.$"):
        course.tell(last, 0.0)


@pytest.mark.parametrize(
    ("make", "budget", "message"),
    [
        (
            lambda: RegularizedEvolution(SPACE, 0, VALUE, population=5, sample=2),
            Evaluations(5),
            r"evaluations=5: expected at least 6, before which RegularizedEvolution learns nothing, got 5",
        ),
        (
            lambda: RandomSearch(SPACE, 0, VALUE),
            Evaluations(9),
            r"evaluations=9: expected at most 8, which is all that RandomSearch can propose, got 9",
        ),
        (
            lambda: RandomSearch(SPACE, 0, VALUE),
            UntilOver(),
            r"a search by RandomSearch: expected a budget, since it is never over, got 'none'",
        ),
    ],
)
def test_a_budget_that_makes_no_sense_is_refused(make: Any, budget: Budget, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Course(make(), VALUE, budget)


def test_budgets_that_make_sense() -> None:
    evolution = RegularizedEvolution(SPACE, 0, VALUE, population=5, sample=2)
    assert Course(evolution, VALUE, Evaluations(6)).proposal() is not None
    counted = RegularizedEvolution(SPACE, 0, VALUE, population=5, sample=2, counted="children")
    assert Course(counted, VALUE, Evaluations(1)).proposal() is not None
    assert Course(RandomSearch(SPACE, 0, VALUE), VALUE, Evaluations(8)).proposal() is not None
    assert Course(PruningSearch(NatsTopologySpace(), 0, VALUE), VALUE, Evaluations(54)).proposal() is not None


def test_what_is_free_cannot_be_counted(listed: Any) -> None:
    class Warmed(listed):  # type: ignore[misc]
        free = 3

    assert len(told(Course(Warmed(ARCHS), VALUE, Evaluations(5)), range(8)).trials) == 8
    with pytest.raises(UsageError, match=r"evaluations=6: expected at most 5, which is all that Warmed can propose"):
        Course(Warmed(ARCHS), VALUE, Evaluations(6))


def test_seconds_need_a_time_behind_every_number(listed: Any) -> None:
    course = told(over(listed, Seconds(10)), [BAD], seconds=0.0)
    with pytest.raises(
        UsageError, match=r"a search of 10 seconds: expected a recorded time behind value, got 'none for tiny:0-0-1'"
    ):
        told(course, [1], seconds=0.0)
