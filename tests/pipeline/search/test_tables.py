"""The tables of `lnas search`, worked by hand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import ttest_ind

from lnas.pipeline.search.budget import Evaluations, UntilOver
from lnas.pipeline.search.conducting import Search
from lnas.pipeline.search.course import Course
from lnas.pipeline.search.findings import find_out
from lnas.pipeline.search.tables import difference_table, found_table, front_table, lost_by_round, pruned_table
from lnas.report.table import ResultTable
from lnas.search import NSGA2, PruningSearch
from lnas.spaces import DartsSpace, NatsTopologySpace
from lnas.testing import TinySpace
from lnas.types import Estimate, Region, Trial

SPACE = TinySpace()
A = [SPACE.parse(f"{number:03b}") for number in range(8)]
NAN = math.nan
KNOWN = {A[0]: 50.0, A[1]: 60.0, A[2]: 66.0, A[3]: 80.0}
FIRST, SECOND, THIRD = {A[0]: 1.0, A[1]: 3.0}, {A[0]: 1.0, A[3]: 5.0}, {A[2]: 1.0, A[4]: 2.0}


def column(table: ResultTable, name: str) -> list[Any]:
    (cells,) = (list(column.cells) for column in table.columns if column.name == name)
    return cells


def test_mean_and_deviation_over_the_searches(made_findings: Any) -> None:
    table = found_table([made_findings({"test": KNOWN}, FIRST, SECOND)], [1])
    assert column(table, "test") == [(50, 0), (70, np.sqrt(200))]
    assert column(table, "evaluations") == [(1, 0), (2, 0)]
    assert column(table, "seconds") == [(10, 0), (20, 0)]
    assert column(table, "searches") == [2, 2]
    assert column(table, "judge") == ["judge", "judge"]
    assert table.texts()[1] == ["judge", "strategy", "2 ± 0", "20.0 ± 0.0", "70.00 ± 14.14", "2"]
    assert table.notes == ["Mean ± standard deviation over the searches of a row, each with a seed of its own."]


def test_a_single_search_has_no_deviation(made_findings: Any) -> None:
    table = found_table([made_findings({"test": KNOWN}, FIRST)], [])
    assert table.texts() == [["judge", "strategy", "2", "20.0", "60.00", "1"]]


@pytest.mark.parametrize(("at", "evaluations"), [([], [2]), ([1], [1, 2]), ([2], [2]), ([1, 2, 9], [1, 2])])
def test_the_end_is_said_once(made_findings: Any, at: list[int], evaluations: list[int]) -> None:
    table = found_table([made_findings({"test": KNOWN}, FIRST, SECOND)], at)
    assert [cell.value for cell in column(table, "evaluations")] == evaluations


def test_a_moment_before_the_end_of_some_is_a_row(made_findings: Any) -> None:
    table = found_table([made_findings({"test": KNOWN}, FIRST, {**FIRST, A[2]: 9.0})], [2])
    assert column(table, "evaluations") == [(2, 0), (2.5, np.sqrt(0.5))]
    assert column(table, "test") == [(60, 0), (63, np.sqrt(18))]


def test_what_is_free_is_not_counted_and_said(made_findings: Any) -> None:
    table = found_table([made_findings({"test": KNOWN}, {**FIRST, A[2]: 2.0, A[3]: 1.0}, free=2)], [1])
    assert [cell.value for cell in column(table, "evaluations")] == [1, 2]
    assert [cell.value for cell in column(table, "seconds")] == [30, 40]
    assert [cell.value for cell in column(table, "test")] == [66, 66]
    assert "Evaluations: those that the budget counts; seconds include the others." in table.notes


def test_what_has_no_number_is_counted(made_findings: Any) -> None:
    found = made_findings({"test": KNOWN}, {A[0]: NAN, A[1]: NAN, A[2]: 1.0}, FIRST, strategy="a", label="x")
    other = made_findings({"test": KNOWN}, FIRST, strategy="b", label="y")
    notes = found_table([found, other], []).notes
    assert "Evaluations without a number: a by x 2." in notes
    assert len(notes) == 2


def test_what_a_mean_leaves_out_is_said(made_findings: Any) -> None:
    """The third search answers what the benchmark lacks; after one evaluation the fourth has no answer."""
    late = {A[5]: NAN, A[0]: 1.0}
    found = made_findings({"test": KNOWN, "other": {A[0]: 1.0}}, FIRST, SECOND, THIRD, late, strategy="a", label="x")
    table = found_table([found], [1])
    assert column(table, "test")[1] == pytest.approx((np.mean([60, 80, 50]), np.std([60, 80, 50], ddof=1)))
    assert column(table, "other")[1].value == 1
    expected = "test of a by x after 1: 1; other of a by x after 1: 2; test of a by x: 1; other of a by x: 3"
    assert f"Searches that a mean leaves out, since no such accuracy is known: {expected}." in table.notes
    none = made_findings({"test": {}}, FIRST, SECOND)
    assert column(found_table([none], []), "test") == [None]


def test_judges_need_not_have_the_same_accuracies(made_findings: Any) -> None:
    one = made_findings({"test": KNOWN}, FIRST, label="x")
    two = made_findings({"valid": KNOWN}, SECOND, label="y")
    table = found_table([one, two], [])
    assert [cell and cell.value for cell in column(table, "test")] == [60, None]
    assert [cell and cell.value for cell in column(table, "valid")] == [None, 80]
    assert len(table.notes) == 1


def test_differences_are_of_the_means_with_welchs_interval(made_findings: Any) -> None:
    values, others = [60, 80, 66], [50, 60]
    answer = {50: {A[0]: 1.0}, 60: {A[1]: 1.0}, 66: {A[2]: 1.0}, 80: {A[3]: 1.0}}
    first = made_findings({"test": KNOWN}, *(answer[value] for value in others), strategy="first")
    second = made_findings({"test": KNOWN}, *(answer[value] for value in values), strategy="second")
    table = difference_table([first, second])
    assert table is not None
    assert [column(table, name) for name in ("judge", "strategy", "than")] == [["judge"], ["second"], ["first"]]
    theirs = ttest_ind(values, others, equal_var=False).confidence_interval()
    (ahead,) = column(table, "test")
    assert ahead == pytest.approx((np.mean(values) - 55, theirs.low, theirs.high))
    assert table.texts()[0][-1].startswith("+13.67 [-")


def test_each_is_compared_with_the_first_by_its_own_judge(made_findings: Any) -> None:
    kinds = [("a", "x"), ("b", "x"), ("a", "y"), ("c", "y"), ("d", "z")]
    findings = [made_findings({"test": KNOWN}, FIRST, strategy=strategy, label=label) for strategy, label in kinds]
    table = difference_table(findings)
    assert table is not None
    rows = zip(*(column(table, name) for name in ("judge", "strategy", "than")), strict=True)
    assert list(rows) == [("x", "b", "a"), ("y", "c", "a")]
    assert all(math.isnan(cell.low) for cell in column(table, "test"))


def test_there_may_be_nothing_to_compare(made_findings: Any) -> None:
    one, two = (made_findings({"test": KNOWN}, FIRST, label=label) for label in "xy")
    assert difference_table([one, two]) is None
    assert difference_table([made_findings({}, FIRST, strategy=name) for name in "ab"]) is None
    lacking = [made_findings({"test": {}}, FIRST, strategy="a"), made_findings({"test": KNOWN}, FIRST, strategy="b")]
    table = difference_table(lacking)
    assert table is not None
    assert column(table, "test") == [None]


def test_what_each_round_pruned_is_named(fake: Any, make_bench: Any, made_findings: Any) -> None:
    """Worth least: avg_pool_3x3, then skip_connect, then nor_conv_1x1."""
    space, bench = NatsTopologySpace(), make_bench(fake({"value": True}))
    worth = {name: float(k) for k, name in enumerate(["avg_pool_3x3", "skip_connect", "nor_conv_1x1", "nor_conv_3x3"])}
    course = Course(PruningSearch(space, 0, bench.objective), bench.objective, UntilOver())
    while (region := course.proposal()) is not None:
        assert isinstance(region, Region)
        total = sum(worth[space.choice_name(k, one)] for k, allowed in enumerate(region.choices) for one in allowed)
        course.tell(Trial(region, {"value": Estimate(total)}), 1.0)
    findings = find_out([Search("pruning", bench, 4, course)], space)
    table = pruned_table([*findings, made_findings({}, FIRST)], space)
    assert table is not None
    assert column(table, "decision") == list(space.gene_names())
    assert column(table, "seed") == [4] * 6
    for number, name in enumerate(list(worth)[:3], start=1):
        assert column(table, f"round_{number}") == [name] * 6
    assert pruned_table([made_findings({}, FIRST)], SPACE) is None


def test_what_a_decision_loses_is_named() -> None:
    before = Region("tiny", ((0, 1), (0, 1), (1,)))
    rounds = [before, before.without(0, 1), before.without(0, 1).without(1, 0)]
    assert [lost_by_round(rounds, decision, SPACE) for decision in range(3)] == [["1", ""], ["", "0"], ["", ""]]
    space = DartsSpace()
    single = Region("darts", tuple((1 + k % 7,) for k in range(28)))
    assert lost_by_round([single, single.replaced(5, (0,))], 5, space) == [space.choice_name(5, 6)]


def test_the_front_is_listed(fake: Any, make_bench: Any, made_findings: Any) -> None:
    """Of four points (1, 4), (2, 3), (3, 3) and (4, 5), higher and lower being better: the first of 3 is dominated."""
    bench = make_bench(fake({"gain": True, "cost": False}))
    course = Course(NSGA2(SPACE, 0, bench.objective, population=2), bench.objective, Evaluations(4))
    points = iter([(1.0, 4.0), (2.0, 3.0), (3.0, 3.0), (4.0, 5.0)])
    told = []
    while (arch := course.proposal()) is not None:
        told.append(arch)
        gain, cost = next(points)
        course.tell(Trial(arch, {"gain": Estimate(gain), "cost": Estimate(cost)}), 1.0)
    table = front_table([*find_out([Search("multi", bench, 7, course)], SPACE), made_findings({}, FIRST)], SPACE)
    assert table is not None
    assert column(table, "architecture") == [SPACE.label(arch) for arch in told[2:]]
    assert (column(table, "gain"), column(table, "cost")) == ([3.0, 4.0], [3.0, 5.0])
    assert column(table, "seed") == [7, 7]
    assert front_table([made_findings({}, FIRST)], SPACE) is None
