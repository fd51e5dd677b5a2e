from __future__ import annotations

import re

import numpy as np
import pytest

from lnas.errors import UsageError
from lnas.pipeline.scores_study.subsets import check_top, subsets_of


def test_the_top_is_of_the_most_accurate() -> None:
    found = subsets_of(np.array([1.0, 5.0, 3.0, 4.0]), [3, 2])
    assert {name: places.tolist() for name, places in found.items()} == {
        "all": [0, 1, 2, 3],
        "top 3": [1, 3, 2],
        "top 2": [1, 3],
    }


@pytest.mark.parametrize(
    ("top", "message"),
    [
        ([10], "top=[10]: expected numbers in 2..9, got 10. All 10 are compared anyway."),
        ([1], "numbers in 2..9"),
        ([5, 5], "top=[5, 5]: expected each subset once, got '5 twice'"),
    ],
)
def test_subsets_that_are_none_or_the_same_are_refused(top: list[int], message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        check_top(top, 10)
    check_top([9, 2], 10)
