from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.errors import RunError
from lnas.search import Incumbent, Objective
from lnas.search.incumbent import best_of
from lnas.types import Arch, Estimate, Trial

DIRECTIONS = {"acc": True, "params": False}
NUMBERS = st.sampled_from([math.nan, 0.0, 1.0, 2.0])


def trial(gene: int, acc: float, params: float) -> Trial:
    return Trial(Arch("tiny", (gene,)), {"acc": Estimate.of(acc), "params": Estimate.of(params)})


@pytest.mark.parametrize("expression", ["acc", "params", "acc+params", "vote(acc,params)"])
@given(values=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=8))
@settings(deadline=None, max_examples=25)
def test_it_is_the_best_of_all_after_each_of_them(expression: str, values: list[tuple[float, float]]) -> None:
    objective = Objective(expression, DIRECTIONS)
    incumbent = Incumbent(objective)
    trials = [trial(gene, acc, params) for gene, (acc, params) in enumerate(values)]
    for count, each in enumerate(trials, start=1):
        incumbent.add(each)
        place = objective.best(trials[:count])
        assert incumbent.best() == (None if place is None else trials[place])


def test_of_equals_the_first_stays() -> None:
    incumbent = Incumbent(Objective("acc", DIRECTIONS))
    for gene, acc in enumerate([1.0, 3.0, 3.0, 2.0]):
        incumbent.add(trial(gene, acc, 0.0))
    assert incumbent.answer("Search").genes == (1,)


@pytest.mark.parametrize("expression", ["acc", "acc+params"])
def test_without_a_number_there_is_none(expression: str) -> None:
    incumbent = Incumbent(Objective(expression, DIRECTIONS))
    for gene in range(2):
        incumbent.add(trial(gene, math.nan, 1.0))
    assert incumbent.best() is None
    for refused in (incumbent.require, incumbent.answer):
        with pytest.raises(RunError, match=r"Search\.answer\(\): expected a trial with acc.*, got '2 without'"):
            refused("Search")
    incumbent.add(trial(2, 0.0, 9.0))
    incumbent.add(trial(3, math.nan, 1.0))
    incumbent.require("Search")
    assert incumbent.answer("Search").genes == (2,)


def test_best_of_is_that_of_a_list() -> None:
    objective = Objective("acc", DIRECTIONS)
    assert best_of(objective, [trial(0, 1.0, 0.0), trial(1, 2.0, 0.0)], "Search").genes == (1,)
    with pytest.raises(RunError, match=r"Search\.answer\(\).*got '1 without'"):
        best_of(objective, [trial(0, math.nan, 0.0)], "Search")
