"""What searches found, worked by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from lnas.pipeline.search.budget import Evaluations, UntilOver
from lnas.pipeline.search.conducting import Search
from lnas.pipeline.search.course import Course
from lnas.pipeline.search.findings import find_out
from lnas.search import PruningSearch, RegularizedEvolution
from lnas.spaces import NatsTopologySpace
from lnas.testing import TinySpace
from lnas.types import Arch, Estimate, Trial

SPACE = TinySpace()
A = [SPACE.parse(f"{number:03b}") for number in range(8)]
NAN = math.nan
KNOWN = {A[0]: 50.0, A[1]: 60.0, A[3]: 80.0}
# Answers: 0 after one, 1 after two; 3 after two.
FIRST, SECOND = {A[0]: 1.0, A[1]: 3.0, A[2]: 2.0}, {A[0]: NAN, A[3]: 5.0}


@pytest.fixture
def found(made_findings: Any) -> Any:
    return made_findings({"test": KNOWN}, FIRST, SECOND)


def test_what_is_true_of_the_answers(found: Any) -> None:
    assert found.answers() == [A[1], A[3]]
    assert found.answers(1) == [A[0], None]
    np.testing.assert_array_equal(found.found("test"), [60, 80])
    np.testing.assert_array_equal(found.found("test", 1), [50, NAN])
    np.testing.assert_array_equal(found.found("another judge's"), [NAN, NAN])
    np.testing.assert_array_equal(found.evaluations(), [3, 2])
    np.testing.assert_array_equal(found.evaluations(2), [2, 2])
    np.testing.assert_array_equal(found.seconds(), [30, 20])
    np.testing.assert_array_equal(found.seconds(1), [10, 10])
    assert found.without == 1


def test_accuracy_against_evaluations_and_time(found: Any) -> None:
    by_evaluations = found.by_evaluations("test")
    np.testing.assert_array_equal(by_evaluations.points, [1, 2, 3])
    np.testing.assert_allclose(by_evaluations.mean, [50, 70, 70])
    np.testing.assert_allclose(by_evaluations.deviation, [NAN, np.sqrt(200), np.sqrt(200)])
    by_seconds = found.by_seconds("test")
    assert (by_seconds.points[0], by_seconds.points[-1]) == (10, 30)
    np.testing.assert_allclose(by_seconds.mean, np.where(by_seconds.points < 20, 50, 70))


def test_without_time_there_is_nothing_against_time(made_findings: Any) -> None:
    assert made_findings({"test": KNOWN}, FIRST, seconds=0.0).by_seconds("test") is None


def test_without_an_answer_there_is_no_mean(made_findings: Any) -> None:
    found = made_findings({"test": KNOWN}, {A[0]: NAN, A[1]: NAN})
    assert found.by_seconds("test") is None
    assert np.isnan(found.by_evaluations("test").mean).all()
    assert found.without == 2


def test_measures_are_averaged_over_stretches_and_searches(found: Any, made_findings: Any) -> None:
    (measured,) = found.measured().values()
    np.testing.assert_array_equal(measured.points, [1, 2, 3])
    np.testing.assert_allclose(measured.mean, [1, 4, 2])
    np.testing.assert_allclose(measured.deviation, [NAN, np.sqrt(2), NAN])


def long(values: list[float], bench: Any) -> Search:
    """A search of so many evaluations in NATS-Bench's space."""
    strategy = RegularizedEvolution(NatsTopologySpace(), 0, bench.objective, population=4, sample=2)
    course = Course(strategy, bench.objective, Evaluations(len(values)))
    for value in values:
        arch = course.proposal()
        assert arch is not None
        course.tell(Trial(arch, {"value": Estimate.of(value)}), 0.0)
    return Search("evolution", bench, 0, course)


def test_long_searches_are_cut_into_25_stretches(fake: Any, make_bench: Any) -> None:
    bench = make_bench(fake({"value": True}))
    (found,) = find_out([long(list(range(60)), bench), long([NAN, *range(1, 10)], bench)], NatsTopologySpace())
    measured = found.measured()["value"]
    np.testing.assert_array_equal(measured.points, [*range(3, 61, 3)])
    np.testing.assert_allclose(measured.mean[:4], [(1 + 1.5) / 2, 4, 7, (10 + 9) / 2])
    np.testing.assert_allclose(measured.mean[4:], np.arange(13, 60, 3))
    assert found.states().keys() == {"diversity"}
    assert found.states()["diversity"].points[-1] == 60
    shares = found.shares(NatsTopologySpace())
    np.testing.assert_allclose(sum(share.mean for share in shares.values()), 100)
    assert len(shares) == 5
    first = [trial.arch.genes for trial in found.searches[0].course.trials[-3:]]
    name = NatsTopologySpace().choice_name(0, 3)
    assert shares[name].mean[-1] == pytest.approx(100 * np.mean(np.array(first) == 3))


def test_shares_of_choices(found: Any) -> None:
    """Of digits 0: 000, 001, 010 have 3, 2, 2 of three; 000, 011 have 3, 1."""
    shares = found.shares(SPACE)
    assert list(shares) == ["0", "1"]
    np.testing.assert_allclose(shares["0"].mean, [100, 50, 200 / 3])
    np.testing.assert_allclose(shares["1"].mean, [0, 50, 100 / 3])


def test_regions_have_no_shares(fake: Any, make_bench: Any) -> None:
    bench = make_bench(fake({"value": True}))
    course = Course(PruningSearch(NatsTopologySpace(), 0, bench.objective), bench.objective, UntilOver())
    while (region := course.proposal()) is not None:
        course.tell(Trial(region, {"value": Estimate.of(len(course.trials))}), 1.0)
    (found,) = find_out([Search("pruning", bench, 0, course)], NatsTopologySpace())
    assert found.shares(NatsTopologySpace()) == {}
    choices = found.states()["choices"]
    assert (choices.mean[0], choices.mean[-1]) == (24, 6)


def test_searches_are_grouped_and_every_answer_is_looked_up_once_for_each_judge(made_findings: Any) -> None:
    class Counting:
        key = "key"

        def __init__(self) -> None:
            self.asked: list[Arch] = []

        def accuracies(self, archs: list[Arch], space: Any) -> list[float | None]:
            self.asked += archs
            return [KNOWN.get(arch) for arch in archs]

    one = made_findings({}, FIRST, SECOND, strategy="one")
    two = made_findings({}, FIRST, {A[2]: 1.0}, strategy="two")
    bench, truth = one.bench, Counting()
    object.__setattr__(bench, "truths", {"test": truth})
    searches = [Search(own.strategy, bench, one_.seed, one_.course) for own in (one, two) for one_ in own.searches]
    first, second = find_out([searches[0], searches[2], searches[1], searches[3]], SPACE)
    assert (first.strategy, second.strategy) == ("one", "two")
    assert list(first.searches) == searches[:2]
    assert sorted(truth.asked) == [A[0], A[1], A[2], A[3]]
    np.testing.assert_array_equal(second.found("test"), [60, NAN])
