from __future__ import annotations

from typing import Any

import pytest

from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.estimators import ShortTrainingEstimator
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


@pytest.mark.parametrize("step", [0, 5])
def test_iterations_beyond_a_training_are_refused_before_it_is_measured(fake: Any, step: int) -> None:
    counted = fake("a")
    counted.steps = 4
    settings = settings_of(counted)
    Iterations("no. 0", [1, 4]).require(settings)
    with pytest.raises(
        UsageError, match=rf"iterations\.steps=\[1, {step}\]: expected steps in 1\.\.4, those of 'no\. 0'"
    ):
        Iterations("no. 0", [1, step]).require(settings)


def test_iterations_of_a_rule_about_whole_trainings_are_refused() -> None:
    factories = {"released": lambda net, data: ShortTrainingEstimator(net, data, protocol="as_released")}
    with pytest.raises(
        UsageError, match=r"iterations\.setting='released': expected a short training that keeps trivial"
    ):
        Iterations("released", [10]).require(make_settings(factories, ["angle"], NET, DATA))
