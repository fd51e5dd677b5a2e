from __future__ import annotations

import math

import numpy as np
import pytest

from lnas.errors import UsageError
from lnas.search import Objective
from lnas.types import Arch, Estimate, Trial

DIRECTIONS = {"acc": True, "params": False, "unused": True}


def trial(gene: int, **values: float) -> Trial:
    return Trial(Arch("tiny", (gene,)), {name: Estimate.of(value) for name, value in values.items()})


TRIALS = [
    trial(0, acc=1, params=1),
    trial(1, acc=3, params=9),
    trial(2, acc=math.nan, params=0),
    trial(3, acc=3, params=2),
]


def test_one_measure_is_compared_by_its_values_in_its_direction() -> None:
    assert Objective("acc", DIRECTIONS).costs(TRIALS).tolist() == [-1, -3, np.inf, -3]
    assert Objective("params", DIRECTIONS).costs(TRIALS).tolist() == [1, 9, 0, 2]
    assert Objective(" acc ", DIRECTIONS).is_absolute


def test_a_sum_is_compared_by_ranks_and_needs_all_numbers() -> None:
    both = Objective("acc+params", DIRECTIONS)
    assert not both.is_absolute
    assert both.costs(TRIALS).tolist() == [3 + 2, 1.5 + 4, np.inf, 1.5 + 3]
    with pytest.raises(UsageError, match="expected a single measure, got 'acc\\+params'"):
        both.cost(TRIALS[0])


def test_the_best_is_the_first_of_equals_and_nobody_without_a_number() -> None:
    assert Objective("acc", DIRECTIONS).best(TRIALS) == 1
    assert Objective("acc+params", DIRECTIONS).best(TRIALS) == 3
    assert Objective("acc", DIRECTIONS).best(TRIALS[2:3]) is None
    assert Objective("acc", DIRECTIONS).best([]) is None


def test_it_keeps_the_directions_that_it_needs() -> None:
    assert Objective("acc", DIRECTIONS).settings == {"expression": "acc", "higher_is_better": {"acc": True}}
    assert Objective("acc", DIRECTIONS) == Objective("acc", {"acc": True})
    with pytest.raises(UsageError, match=r"unknown measure 'ac'\. Did you mean 'acc'\?"):
        Objective("ac", DIRECTIONS)
