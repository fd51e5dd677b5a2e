from __future__ import annotations

import math

import numpy as np

from lnas.analysis.merits import merits
from lnas.types import Arch, Estimate, Trial


def trial(number: int, **values: float) -> Trial:
    return Trial(Arch("tiny", (number,)), {name: Estimate.of(value) for name, value in values.items()})


def test_the_best_by_the_sum_of_ranks_has_most_merit() -> None:
    trials = [trial(0, angle=0.3, params=10), trial(1, angle=0.1, params=20), trial(2, angle=0.2, params=30)]
    directions = {"angle": False, "params": True}
    assert merits("angle", trials, directions).tolist() == [-3, -1, -2]
    assert merits("params", trials, directions).tolist() == [-3, -2, -1]
    assert merits("angle+params", trials, directions).tolist() == [-6, -3, -3]


def test_who_lacks_a_number_has_none() -> None:
    trials = [trial(0, angle=math.nan), trial(1, angle=0.1), trial(2, angle=0.2)]
    np.testing.assert_array_equal(merits("angle", trials, {"angle": False}), [np.nan, -1, -2])
