"""The tables of a study of scores, by numbers that can be found by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.execution import Serial
from lnas.pipeline.display import Display
from lnas.pipeline.scores_study.bias_tables import complexity_table, isomorphism_table, size_table
from lnas.pipeline.scores_study.biases import Biases, find_biases
from lnas.pipeline.scores_study.cells import drawn_ends, ends_table, extreme_table, find_ends
from lnas.pipeline.scores_study.correlations import Asked
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.pipeline.scores_study.operation_tables import change_table, operation_table
from lnas.pipeline.scores_study.ranking_tables import (
    agreement_table,
    correlation_table,
    criteria_table,
    difference_table,
    subset_table,
)
from lnas.report.table import ResultTable, WithInterval
from lnas.spaces import NatsTopologySpace

NAN = float("nan")
QUIET = Display(quiet=True)


def column(table: ResultTable, name: str) -> list[Any]:
    (found,) = (list(each.cells) for each in table.columns if each.name == name)
    return found


def tau(name: str, subset: str = "all", than: str = "") -> Asked:
    return Asked(name, "key", subset, "kendall_tau", than)


def biases(found: Evidence, sizes: Any, groups: int = 2) -> Biases:
    return find_biases(found, list(found.ranking), np.array(sizes, dtype=float), groups, Serial(), QUIET)


def test_correlations_say_what_is_missing_and_why_there_is_none(evidence: Callable[..., Evidence]) -> None:
    found = evidence([1, 2, 3, 4], {"a": [1, 2, 2, NAN], "flat": [7, 7, 7, 7]}, a=False)
    table = correlation_table(found, ["a"], {tau("a"): WithInterval(0.5, 0.4, 0.6)}, 10)
    assert column(table, "estimator") == ["a", "flat"]
    assert column(table, "better") == ["low", "high"]
    assert column(table, "kendall_tau") == [(0.5, 0.4, 0.6), None]
    assert (column(table, "numbers"), column(table, "missing")) == ([3, 4], [1, 0])
    assert column(table, "tied") == [pytest.approx(100 / 6), 100]
    assert column(table, "undefined") == ["", "the same for all 4 that have a number"]
    assert "undefined" not in [
        each.name for each in correlation_table(evidence([1, 2], {"a": [1, 2]}), ["a"], {}, 1).columns
    ]


def test_criteria_of_a_perfect_and_of_a_reversed_estimator(evidence: Callable[..., Evidence]) -> None:
    truth = list(range(10))
    table = criteria_table(evidence(truth, {"right": truth, "wrong": truth[::-1]}), ["right", "wrong"], [0.2, 0.05, 3])
    assert column(table, "k") == ["20 %", "5 %", "3"] * 2
    assert column(table, "size") == [2, 0, 3] * 2
    np.testing.assert_equal(column(table, "precision_at_top"), [1, NAN, 1, 0, NAN, 0])
    np.testing.assert_allclose(column(table, "best_ranking"), [0.1, NAN, 0.1, 0.9, NAN, 0.8])
    np.testing.assert_allclose(column(table, "tau_at_bottom"), [1, NAN, 1, -1, NAN, -1])


def test_subsets_stand_side_by_side_and_what_is_undefined_is_told(evidence: Callable[..., Evidence]) -> None:
    found = evidence([1, 2, 3, 4], {"a": [1, 2, 5, 5]})
    taus = {tau("a"): WithInterval(0.5, 0.4, 0.6), tau("a", "same size"): WithInterval(-0.5, NAN, NAN)}
    table = subset_table(found, ["a"], taus, [2], "params")
    assert [each.name for each in table.columns] == ["estimator", "key", "tau_all", "tau_top_2", "tau_same_size"]
    assert table.texts() == [["a", "key", "+0.500 [+0.400, +0.600]", "-", "-0.500"]]
    assert "Undefined: a over the top 2 by key: the same for all 2 that have a number." in table.notes


def test_a_difference_is_decided_on_one_side_of_zero(evidence: Callable[..., Evidence]) -> None:
    found = evidence([1, 2], {name: [1, 2] for name in "abcd"})
    differences = {
        tau("a", than="d"): WithInterval(0.2, 0.1, 0.3),
        tau("b", than="d"): WithInterval(-0.2, -0.3, -0.1),
        tau("c", than="d"): WithInterval(0.1, -0.1, 0.3),
    }
    table = difference_table(found, list("abcd"), differences, "d", 10)
    assert table is not None
    assert column(table, "verdict") == ["better", "worse", "not decided"]
    assert difference_table(found, ["d"], {}, "d", 10) is None


def test_agreement_is_symmetric_and_in_each_direction(evidence: Callable[..., Evidence]) -> None:
    found = evidence([1, 2, 3], {"loss": [3, 2, 1], "half": [1, 3, 2]}, loss=False)
    table = agreement_table(found, ["loss", "half"])
    matrix = np.array([each.cells for each in table.columns[1:]], dtype=float)
    third = 1 / 3
    np.testing.assert_allclose(matrix, [[1, 1, third], [1, 1, third], [third, third, 1]])


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(-3, 3), min_size=6, max_size=6), st.sampled_from([np.exp, np.cbrt, lambda x: 5 * x - 2]))
def test_only_the_order_of_estimates_counts(values: list[int], rise: Any) -> None:
    archs = list(itertools.islice(NatsTopologySpace().archs(), 6))
    own = np.array(values, dtype=float)
    if len(set(values)) == 1:
        own[0] += 1
    found = Evidence(
        NatsTopologySpace(),
        archs,
        {"loss": own, "same": -rise(own)},
        {"loss": False, "same": True},
        {"key": np.array([3.0, 1, 4, 1, 5, 9])},
        0,
        0,
    )
    table = criteria_table(found, ["loss", "same"], [2, 4])
    for each in table.columns[1:]:
        assert each.cells[:2] == each.cells[2:] or np.array_equal(each.cells[:2], each.cells[2:], equal_nan=True)
    assert column(agreement_table(found, ["loss", "same"]), "same")[1:] == [pytest.approx(1), 1]


def test_bias_by_complexity_and_size(evidence: Callable[..., Evidence]) -> None:
    # Sizes 1 1 2 2; the estimator prefers the small ones, and is right among those of one size.
    found = biases(evidence([1, 2, 3, 4], {"small": [3, 4, 1, 2]}), [1, 1, 2, 2])
    assert found.groups is not None
    table = complexity_table(found.complexity, found.groups, "params")
    assert [(cell.value, cell.deviation) for cell in column(table, "rank_difference")] == [(2, 0), (-2, 0)]
    assert column(table, "tau") == [1, 1]
    assert (column(table, "smallest"), column(table, "largest")) == ([1, 2], [1, 2])
    sizes = size_table(found.size, "params")
    assert column(sizes, "estimates_truth") == [pytest.approx(-2 / 6)]
    assert (column(sizes, "matched"), column(sizes, "matched_pairs")) == ([1], [2])


def test_bias_by_operation_counts_rises(evidence: Callable[..., Evidence]) -> None:
    # The first five cells differ on the last edge: none, skip, conv 1x1, conv 3x3, pool.
    found = biases(evidence([1, 2, 3, 4, 5], {"a": [5, 2, 3, 4, 1]}), [1, 2, 3, 4, 5])
    changes = change_table(found.operations)
    assert len(column(changes, "source")) == 20
    named = zip(column(changes, "source"), column(changes, "target"), strict=True)
    rows = dict(zip(named, changes.texts(), strict=True))
    assert rows["none", "skip_connect"][-4:] == ["1", "100.0", "0.0", "-100.0"]
    assert rows["skip_connect", "nor_conv_1x1"][-4:] == ["1", "100.0", "100.0", "+0.0"]
    table = operation_table(found.operations, found.largest)
    excess = dict(zip(column(table, "operation"), column(table, "excess"), strict=True))
    # In the place of any other, the pool raises all four accuracies and no estimate; the convolution as it should.
    assert excess["avg_pool_3x3"] == -100
    assert excess["none"] == 100
    assert excess["nor_conv_1x1"] == 0
    in_largest = dict(zip(column(table, "operation"), column(table, "largest_pairs"), strict=True))
    assert {name for name, pairs in in_largest.items() if pairs} == {"nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"}


def test_bias_by_isomorphism_is_told_for_each_size_of_class(evidence: Callable[..., Evidence]) -> None:
    found = biases(evidence([1, 2, 3, 4, 5], {"a": [5, 2, 3, 4, 1]}), [1, 2, 3, 4, 5])
    table = isomorphism_table(found.isomorphism)
    assert sum(column(table, "archs")) == 5
    weights = np.array(column(table, "classes"))
    means = np.array([cell.value for cell in column(table, "rank_difference")])
    assert (weights * means).sum() == pytest.approx(0)


def test_what_cannot_be_found_is_said(evidence: Callable[..., Evidence]) -> None:
    found = biases(evidence([1, 2, 3], {"a": [1, 2, 3]}), [7, 7, 7])
    assert set(found.left_out) == {"bias by complexity", "bias by size"}
    assert "sizes that differ" in found.left_out["bias by size"]
    assert (found.groups, found.complexity, found.size, found.largest) == (None, {}, {}, {})
    assert found.operations


def test_ends_are_listed_drawn_and_described(evidence: Callable[..., Evidence]) -> None:
    found = evidence([1, 2, 3, 4, 5], {"a": [5, 2, 2, 2, NAN]})
    ends = find_ends(found, ["a"], 1)
    table = extreme_table(ends)
    assert column(table, "estimator") == ["accuracy", "accuracy", "a", "a"]
    assert column(table, "arch") == [str(found.archs[k]) for k in (4, 0, 0, 1)]
    assert (column(table, "rank"), column(table, "tied")) == ([1, 5, 5, 4], [1, 1, 1, 3])
    drawn = drawn_ends(ends, found.space)
    assert {name: list(pictures) for name, pictures in drawn.items()} == {
        "accuracy": ["best by accuracy", "worst by accuracy"],
        "a": ["best by a", "worst by a"],
    }
    assert drawn["a"]["best by a"] == found.space.draw(found.archs[0])
    described = ends_table(found, ["a"], {"depth": np.array([1.0, 2, 3, 4, 5])}, 0.2)
    assert column(described, "depth") == [5, 1, 3]
    assert "Left out, having too few estimates: a." in described.notes
