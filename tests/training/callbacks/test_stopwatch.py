from __future__ import annotations

from types import SimpleNamespace

import pytest

from lnas.training.callbacks import stopwatch
from lnas.training.callbacks.stopwatch import Stopwatch


def test_the_time_of_all_blocks_is_added_up_also_of_one_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(stopwatch, "time", SimpleNamespace(perf_counter=lambda: clock.now))
    watch = Stopwatch(1.0)
    with watch:
        clock.now += 2
    clock.now += 50

    def fails() -> None:
        with watch:
            clock.now += 4
            raise KeyError

    with pytest.raises(KeyError):
        fails()
    assert watch.seconds == 7
