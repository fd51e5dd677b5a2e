from __future__ import annotations

import itertools

from lnas.errors import RunError
from lnas.execution import Done, Serial


def test_results_come_in_order_and_errors_in_their_place() -> None:
    first, second, third = Serial().run(int, ["1", "x", "3"])
    assert (first, third) == (Done("1", 1), Done("3", 3))
    assert second.result is None
    assert isinstance(second.error, RunError)


def test_a_task_is_taken_when_it_is_wanted() -> None:
    taken = []
    run = Serial().run(abs, (taken.append(number) or number for number in itertools.count()))
    assert taken == []
    assert [next(run).result for _ in range(3)] == [0, 1, 2]
    assert taken == [0, 1, 2]
