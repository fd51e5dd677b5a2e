"""The figures of `lnas search`: which there are, and what they tell."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from lnas.pipeline.search.budget import Evaluations
from lnas.pipeline.search.conducting import Search
from lnas.pipeline.search.course import Course
from lnas.pipeline.search.figures import choice_figures, found_cells, state_figures, trajectory_figures
from lnas.pipeline.search.findings import Findings, find_out
from lnas.search import RandomSearch, RegularizedEvolution, Strategy
from lnas.spaces import NatsTopologySpace
from lnas.testing import TinySpace
from lnas.types import Estimate, Trial

SPACE, NATS = TinySpace(), NatsTopologySpace()
A = [SPACE.parse(f"{number:03b}") for number in range(8)]
KNOWN = {A[0]: 50.0, A[1]: 60.0, A[3]: 80.0}
FIRST, SECOND = {A[0]: 1.0, A[1]: 3.0}, {A[0]: 1.0, A[3]: 5.0}


def told(figure: str) -> set[str]:
    return set(re.findall(r"<title>(.*?)</title>", figure))


def test_each_accuracy_has_a_chart_against_evaluations_and_one_against_time(made_findings: Any) -> None:
    findings = [
        made_findings({"test": KNOWN, "valid": {A[1]: 61.0}}, FIRST, SECOND, strategy="one", best=85.0),
        made_findings({"test": KNOWN}, FIRST, strategy="two", best=85.0, seconds=0.0),
    ]
    figures = trajectory_figures(findings, SPACE)
    assert list(figures) == [
        f"key of {truth} against {axis}" for truth in ("test", "valid") for axis in ("evaluations", "seconds")
    ]
    assert {"one: 70.00 ± 14.14", "two: 60.00", "best of all 85.00"} <= told(figures["key of test against evaluations"])
    against_time = told(figures["key of test against seconds"])
    assert {"one: 70.00 ± 14.14", "best of all 85.00"} <= against_time
    assert not any(text.startswith("two") for text in against_time)
    assert "one: 61.00" in told(figures["key of valid against evaluations"])


def test_without_time_or_truth_there_is_no_chart(made_findings: Any) -> None:
    timeless = made_findings({"test": KNOWN}, FIRST, seconds=0.0)
    assert list(trajectory_figures([timeless], SPACE)) == ["key of test against evaluations"]
    assert trajectory_figures([made_findings({}, FIRST)], SPACE) == {}
    assert trajectory_figures([made_findings({"test": {}}, FIRST)], SPACE) == {}


def test_one_evaluation_makes_a_chart(made_findings: Any) -> None:
    figures = trajectory_figures([made_findings({"test": KNOWN}, {A[0]: 1.0})], SPACE)
    assert all("strategy: 50.00" in told(figure) for figure in figures.values())
    assert len(figures) == 2


@pytest.mark.parametrize(
    ("kinds", "labels"),
    [
        ([("a", "x")], ["a"]),
        ([("a", "x"), ("b", "x")], ["a", "b"]),
        ([("a", "x"), ("a", "y")], ["x", "y"]),
        ([("a", "x"), ("b", "y")], ["a by x", "b by y"]),
    ],
)
def test_labels_say_what_tells_searches_apart(made_findings: Any, kinds: Any, labels: list[str]) -> None:
    findings = [made_findings({"test": KNOWN}, FIRST, strategy=strategy, label=label) for strategy, label in kinds]
    figure = trajectory_figures(findings, SPACE)["key of test against evaluations"]
    assert [text for text in re.findall(r"<title>(.*?): 60.00</title>", figure) if text in labels]
    assert {text.removesuffix(": 60.00") for text in told(figure) if text.endswith(": 60.00")} == set(labels)


def searched(strategy: Strategy, bench: Any, label: str) -> Findings:
    course = Course(strategy, bench.objective, Evaluations(8))
    while (arch := course.proposal()) is not None:
        course.tell(Trial(arch, {"value": Estimate.of(len(course.trials))}), 0.0)
    (found,) = find_out([Search(label, bench, 0, course)], NATS)
    return found


def test_states_measures_and_choices_are_drawn_where_there_are_any(fake: Any, make_bench: Any) -> None:
    bench = make_bench(fake({"value": True}))
    evolution = searched(RegularizedEvolution(NATS, 0, bench.objective, population=3, sample=2), bench, "evolution")
    random = searched(RandomSearch(NATS, 0, bench.objective), bench, "random")
    states = state_figures([evolution, random])
    assert list(states) == ["diversity", "value"]
    assert not any(text.startswith("random") for text in told(states["diversity"]))
    assert {"evolution: 7", "random: 7"} <= told(states["value"])
    choices = choice_figures([evolution, random], NATS)
    assert list(choices) == ["proposals of evolution"]
    operations = {text.split(":")[0] for text in told(choices["proposals of evolution"])}
    assert {NATS.choice_name(0, choice) for choice in range(5)} <= operations


def test_what_never_was_a_number_is_not_drawn(made_findings: Any) -> None:
    found = made_findings({"test": KNOWN}, {A[0]: math.nan})
    assert trajectory_figures([found], SPACE) == state_figures([found]) == {}
    assert found_cells([found], SPACE) == {}


def test_what_was_found_most_often_is_drawn(made_findings: Any) -> None:
    answers = [{A[k]: 1.0} for k in (3, 1, 3, 2, 4, 3, 1, 4)]
    cells = found_cells([made_findings({}, *answers, strategy="a", label="x")], SPACE)
    assert list(cells) == ["Found by a by x"]
    assert list(cells["Found by a by x"]) == [
        "011, in 3 of 8 searches",
        "001, in 2 of 8 searches",
        "100, in 2 of 8 searches",
    ]
    assert all(picture.startswith("<svg") for picture in cells["Found by a by x"].values())
