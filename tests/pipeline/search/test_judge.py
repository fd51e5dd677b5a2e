"""What searches go by: opened once, refused before anything is measured where something is wrong."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.estimators import ZeroShotEstimator
from lnas.nets import NetBuilder
from lnas.pipeline.search.judge import Bench, Judge, open_judges
from lnas.pipeline.search.no_images import NO_IMAGES
from lnas.pipeline.truth import Truth
from lnas.spaces import DartsSpace, NatsTopologySpace, SearchSpace
from lnas.testing import TinySpace
from lnas.types import Arch

NET = NetBuilder(channels=4, cells=1)
KEY = "digits-1.0/digits/test@8/mean"


def opened(*judges: Judge, space: Any = None, data: Any = None) -> list[Bench]:
    named = {f"judge {number}": judge for number, judge in enumerate(judges)}
    return open_judges(named, space or NatsTopologySpace(), NET, data)


def of(fake: Any) -> Any:
    return lambda net, data: fake


def test_estimators_are_those_given_or_those_that_the_rank_needs(fake: Any) -> None:
    truths = {"accuracy": Truth("digits", KEY)}
    own, default = opened(
        Judge("a", [of(fake({"a": True})), of(fake({"b": False, "c": True}))], truths, seconds=20.0),
        Judge("relu_logdet+synflow"),
        data=DigitsData(),
    )
    assert (own.label, own.rank, own.seconds, own.truths) == ("judge 0", "a", 20, truths)
    assert own.directions == {"a": True, "b": False, "c": True}
    assert own.objective.higher_is_better == {"a": True}
    assert len(set(own.protocols)) == 2
    (estimator,) = default.estimators
    assert isinstance(estimator, ZeroShotEstimator)
    assert default.seconds is None


def test_only_who_gives_what_is_wanted_is_asked(fake: Any) -> None:
    (bench,) = opened(Judge("a", [of(fake({"a": True})), of(fake({"b": False, "c": True}))]))
    assert [bench.asked(wanted) for wanted in (None, ["a"], ["c", "b"], [])] == [[0, 1], [0], [1], []]
    with pytest.raises(UsageError, match=r"judge 'judge 0': unknown measure 'd'\..*Known: a, b, c\."):
        bench.asked(["a", "d"])


@pytest.mark.parametrize(("kinds", "is_recorded"), [([True, True], True), ([True, False], False), ([False], False)])
def test_it_is_recorded_where_all_is(fake: Any, kinds: list[bool], is_recorded: bool) -> None:
    estimators = [of(fake({name: True}, recorded=kind)) for name, kind in zip("ab", kinds, strict=False)]
    (bench,) = opened(Judge("a", estimators))
    assert bench.is_recorded is is_recorded


def test_each_judge_may_have_its_own_images(fake: Any) -> None:
    seen = []

    def factory(net: Any, data: Any) -> Any:
        seen.append(data)
        return fake({"a": True})

    own, common = DigitsData(), DigitsData()
    opened(Judge("a", [factory], data=own), Judge("a", [factory]), data=common)
    assert seen[0] is own
    assert seen[1] is common
    opened(Judge("a", [factory]))
    assert seen[2] is NO_IMAGES


@pytest.mark.parametrize(
    ("rank", "message"),
    [
        ("angel+b", r"rank 'angel\+b' of judge 'judge 0': unknown measure 'angel'\. Did you mean 'angle'\?"),
        ("angle+", r"rank expression 'angle\+'"),
    ],
)
def test_a_rank_that_nothing_gives_is_refused(fake: Any, rank: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        opened(Judge(rank, [of(fake({"angle": True})), of(fake({"b": False}))]))


def test_a_rank_of_unknown_measures_needs_estimators() -> None:
    with pytest.raises(UsageError, match=r"unknown measure 'synflo'\. Did you mean 'synflow'"):
        opened(Judge("synflo"), data=DigitsData())


def test_a_measure_comes_from_one_estimator(fake: Any) -> None:
    with pytest.raises(UsageError, match=r"expected each measure from one estimator, got 'a'"):
        opened(Judge("a", [of(fake({"a": True})), of(fake({"a": True}))]))


def test_without_a_judge_there_is_no_search() -> None:
    with pytest.raises(UsageError, match=r"judges=\{\}: expected at least one judge, got 'none'"):
        opened()


@pytest.mark.parametrize(
    ("truth", "space", "message"),
    [
        (Truth("digits", KEY), TinySpace(), r"expected a table of space 'tiny', got 'nats_topology'"),
        (Truth("digits", KEY), DartsSpace(), r"truth\.benchmark='digits': expected a benchmark of 'darts'"),
        (Truth("digit", KEY), NatsTopologySpace(), r"unknown benchmark 'digit'"),
        (Truth("digits", "digits-1.0/digits/test@9/mean"), NatsTopologySpace(), r"test@9"),
    ],
)
def test_a_benchmark_must_have_the_key_and_be_of_the_space(
    fake: Any, truth: Truth, space: SearchSpace, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        opened(Judge("a", [of(fake({"a": True}))], {"accuracy": truth}), space=space)


@pytest.mark.parametrize("use", ["name", "num_classes", "mean", "std", "crop_padding", "horizontal_flip"])
def test_images_that_are_not_there_refuse_to_be_looked_at(use: str) -> None:
    images = pickle.loads(pickle.dumps(NO_IMAGES))
    with pytest.raises(UsageError, match=r"lnas search: expected images to measure on, got 'none'\. Example: --data"):
        getattr(images, use)
    with pytest.raises(UsageError, match="expected images to measure on"):
        images.load()


def test_who_measures_on_images_says_that_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected images to measure on"):  # noqa: PT012  # at either of the two
        (bench,) = opened(Judge("relu_logdet"))
        bench.estimators[0].estimate(Arch("nats_topology", (1, 2, 3, 1, 2, 3)), seed=0)
