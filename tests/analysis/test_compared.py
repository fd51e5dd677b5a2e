from __future__ import annotations

import numpy as np
import pytest

from lnas.analysis.compared import compared, known_in_all
from lnas.errors import UsageError


def test_what_has_no_finite_estimate_is_left_out_and_counted() -> None:
    found = compared("f()", [1, np.nan, 3, np.inf, None], [10, 20, 30, 40, 50])
    assert found.where.tolist() == [0, 2]
    assert found.estimates.tolist() == [1, 3]
    assert found.truth.tolist() == [10, 30]
    assert found.missing == 3


@pytest.mark.parametrize(
    ("estimates", "truth", "message"),
    [
        ([1, 2], [1, 2, 3], r"two vectors of one length"),
        ([1, 2, 3], [1, np.nan, 3], r"a finite truth, got '1 of 3 not finite'"),
        ([1, None, None], [1, 2, 3], r"at least 2 finite estimates, got '1 of 3'"),
        ([5, 5, None], [1, 2, 3], r"estimates that differ, got '5 for all 2'"),
        ([1, 2, 3], [7, 7, 7], r"truth that differ, got '7 for all 3'"),
        ([1, 2, None], [7, 7, 8], r"truth that differ, got '7 for all 2'"),
    ],
)
def test_what_ranks_nothing_is_refused(estimates: list[float], truth: list[float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        compared("f()", estimates, truth)


def test_an_architecture_needs_every_row() -> None:
    rows, known = known_in_all("f()", [[1, 2, 3, None], [4, None, 6, 7]])
    assert rows.shape == (2, 4)
    assert known.tolist() == [True, False, True, False]
    with pytest.raises(UsageError, match="in every row, got '1 of 2'"):
        known_in_all("f()", [[1, 2], [None, 4]])
    with pytest.raises(UsageError, match="a matrix, one row"):
        known_in_all("f()", [1, 2])
    with pytest.raises(UsageError, match="one length"):
        known_in_all("f()", [[1, 2], [3, 4]], [1, 2, 3])
