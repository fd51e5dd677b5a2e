"""Budgets: what they allow, and which are none."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from lnas.errors import UsageError
from lnas.pipeline.search.budget import Budget, Evaluations, Seconds, UntilOver, budget_of


def test_evaluations_are_counted_whatever_they_take() -> None:
    budget = Evaluations(3)
    assert [budget.is_left(n, 1e9) for n in (-2, 0, 2, 3, 4)] == [True, True, True, False, False]
    assert budget.allows(1e9)


@pytest.mark.parametrize(("crossing", "counts"), [("counts", True), ("is lost", False)])
def test_seconds_end_when_they_are_used_up(crossing: str, counts: bool) -> None:
    budget = Seconds(10, crossing)  # type: ignore[arg-type]
    assert [budget.is_left(99, seconds) for seconds in (0, 9.9, 10, 11)] == [True, True, False, False]
    assert [budget.allows(seconds) for seconds in (0, 10, 10.1)] == [True, True, counts]


def test_without_a_budget_all_is_allowed() -> None:
    assert UntilOver().is_left(10**9, 1e9)
    assert UntilOver().allows(1e9)


@pytest.mark.parametrize(
    ("evaluations", "seconds", "budget"),
    [(5, None, Evaluations(5)), (None, 2.5, Seconds(2.5, "is lost")), (None, None, UntilOver())],
)
def test_two_options_mean_one_budget(evaluations: int | None, seconds: float | None, budget: Budget) -> None:
    assert budget_of(evaluations, seconds, "is lost") == budget


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Evaluations(0), r"Evaluations\(count\): expected count >= 1, got 0\."),
        (lambda: Evaluations(True), r"Evaluations\(count\): expected count >= 1, got True\."),
        (lambda: Evaluations(2.5), r"Evaluations\(count\): expected count >= 1, got 2\.5\."),  # type: ignore[arg-type]
        (lambda: Seconds(0), r"Seconds\(seconds\): expected finite seconds > 0, got 0\."),
        (lambda: Seconds(math.nan), r"Seconds\(seconds\): expected finite seconds > 0, got nan\."),
        (lambda: Seconds(math.inf), r"expected finite seconds > 0, got inf\."),
        (lambda: Seconds(True), r"expected finite seconds > 0, got True\."),
        (lambda: Seconds("1"), r"expected finite seconds > 0, got '1'\."),  # type: ignore[arg-type]
        (lambda: Seconds(1, "lost"), r"expected 'counts' or 'is lost', got 'lost'\."),  # type: ignore[arg-type]
        (lambda: budget_of(0, None, "counts"), r"expected count >= 1, got 0\."),
        (lambda: budget_of(None, 0, "counts"), r"expected finite seconds > 0, got 0\."),
        (lambda: budget_of(5, 2.5, "counts"), r"evaluations=5, seconds=2\.5: expected one budget, got 'two'\."),
    ],
)
def test_what_is_no_budget_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()
