from __future__ import annotations

from typing import Any

import pytest

from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.nets import NetBuilder
from lnas.pipeline.study.settings import Iterations, Setting, make_settings

NET, DATA = NetBuilder(channels=4, cells=1), DigitsData()


def settings_of(*fakes: Any, expressions: tuple[str, ...] = ("angle+loss",)) -> list[Setting]:
    return make_settings({f"no. {k}": lambda net, data, f=f: f for k, f in enumerate(fakes)}, expressions, NET, DATA)


def test_what_no_setting_gives_is_taken_once_for_all(fake: Any) -> None:
    first, second = settings_of(fake("a"), fake("b"), expressions=("angle+synflow", "loss+params", "(speed+angle)"))
    assert first.shared is second.shared
    assert [list(estimator.measures) for estimator in first.shared] == [["params", "synflow"]]
    assert first.directions == {"angle": False, "loss": False, "speed": True, "params": True, "synflow": True}
    assert [setting.label for setting in (first, second)] == ["no. 0", "no. 1"]
    assert first.protocol != second.protocol


def test_the_number_of_parameters_is_always_among_them(fake: Any) -> None:
    (setting,) = settings_of(fake("a"), expressions=("angle",))
    assert "params" in setting.directions


def test_two_settings_that_are_the_same_are_refused(fake: Any) -> None:
    with pytest.raises(UsageError, match=r"setting 'no\. 2': expected a protocol that differs from that of 'no\. 0'"):
        settings_of(fake("a"), fake("b"), fake("a"))


def test_a_study_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one setting"):
        make_settings({}, ["angle"], NET, DATA)


def test_a_measure_that_nobody_gives_is_named(fake: Any) -> None:
    with pytest.raises(UsageError, match=r"unknown measure 'angel'\. Did you mean 'angle'"):
        settings_of(fake("a"), expressions=("angel",))


def test_a_measure_that_one_setting_lacks_is_named_with_the_setting(fake: Any) -> None:
    class Narrow(fake):  # type: ignore[misc]
        @property
        def measures(self) -> dict[str, bool]:
            return {"angle": False}

    full, narrow = settings_of(fake("a"), Narrow("b"))
    full.require(["angle+loss"])
    with pytest.raises(UsageError, match=r"rank 'angle\+loss', setting 'no\. 1': unknown measure 'loss'"):
        narrow.require(["angle+loss"])


def test_iterations_of_a_setting_that_is_not_there_are_refused(fake: Any) -> None:
    settings = settings_of(fake("a"), fake("b"))
    Iterations("no. 1", [1]).require(settings)
    with pytest.raises(UsageError, match=r"iterations\.setting: unknown setting 'no. 2'\. Did you mean 'no\. 1'"):
        Iterations("no. 2", [1]).require(settings)
