from __future__ import annotations

import torch

from lnas.training.callbacks.series import Series


def test_a_series_is_the_list_of_what_was_added() -> None:
    series = Series([1.0])
    series.append(torch.tensor(2.0))
    assert len(series) == 2
    assert series.values == [1, 2]
    series.append(torch.tensor(3.0))
    assert series.values == series.values == [1, 2, 3]


def test_a_list_that_was_read_is_the_readers_own() -> None:
    start = [1.0]
    series = Series(start)
    start.append(5.0)
    series.values.append(6.0)
    assert series.values == [1]
