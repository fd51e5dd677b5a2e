from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from lnas.pipeline.study.tables import ablation_table, correlation_table, pool_table, search_table, stage_table
from lnas.report.table import ResultTable
from lnas.testing.tiny import TinySpace

DOWN = {"angle": False}


def column(table: ResultTable, name: str) -> list[Any]:
    (found,) = (list(each.cells) for each in table.columns if each.name == name)
    return found


def row(table: ResultTable, key: str) -> dict[str, Any]:
    index = list(table.columns[0].cells).index(key)
    return {each.name: each.cells[index] for each in table.columns}


def test_stages_are_correlated_over_all_sizes_and_within_the_same(made_up: Any) -> None:
    # The larger the better, and among equals the smaller angle is the worse: its correlation is all size.
    base, pool = made_up([1, 2, 11, 12], DOWN, angle=[3.0, 4.0, 1.0, 2.0], params=[10, 10, 20, 20])
    table = stage_table(base, pool)
    assert column(table, "measure") == ["angle"]
    assert column(table, "tau")[0].value == pytest.approx(2 / 6)
    assert (column(table, "tau_n"), column(table, "tau_same_size_n")) == ([4], [4])
    assert column(table, "tau_same_size")[0].value == -1
    assert column(table, "tau_same_size_pairs") == [2]


def test_correlations_are_with_accuracy_and_with_size_over_each_subset(made_up: Any) -> None:
    base, pool = made_up([1, 2, 11, 12], DOWN, angle=[4.0, 3.0, 1.0, 2.0], params=[10, 20, 30, 40])
    table = correlation_table(base, pool, ["angle", "params"], top=[2])
    assert column(table, "rank") == ["angle"] * 3 + ["params"] * 3
    assert column(table, "subset") == ["all", "same size", "top 2"] * 2
    taus = [tau.value for tau in column(table, "tau")]
    np.testing.assert_allclose(taus, [4 / 6, math.nan, -1, 1, math.nan, 1])
    with_size = [tau.value if tau else None for tau in column(table, "tau_params")]
    assert with_size == pytest.approx([4 / 6, None, -1, 1, None, 1])
    assert (column(table, "tau_n"), column(table, "tau_pairs")) == ([4, 0, 2] * 2, [6, 0, 1] * 2)


def test_searches_pick_the_best_of_their_own_beside_chance_and_the_best(made_up: Any) -> None:
    base, pool = made_up([50, 60, 90], DOWN, trivial=[0], angle=[0.1, 0.2, 0.3], params=[1, 2, 3])
    searches = np.array([[0, 1], [2, 1], [1, 2], [2, 0]])
    table = search_table(base, pool, ["angle", "params"], searches)
    assert column(table, "rank") == ["angle", "params", "a random candidate", "the best candidate"]
    angle = row(table, "angle")
    assert angle["accuracy"] == pytest.approx((np.mean([50, 60, 60, 50]), np.std([50, 60, 60, 50], ddof=1)))
    assert (angle["trivial"], angle["searches"]) == (50, 4)
    assert row(table, "params")["accuracy"].value == np.mean([60, 90, 90, 90])
    assert row(table, "a random candidate")["accuracy"].value == np.mean([50, 90, 60, 90])
    assert row(table, "the best candidate")["accuracy"].value == np.mean([60, 90, 90, 90])
    assert row(table, "the best candidate")["trivial"] == 0


def test_searches_without_a_pick_are_not_counted(made_up: Any) -> None:
    base, pool = made_up([50, 60, 90], DOWN, angle=[math.nan, math.nan, 0.3], params=[1, 2, 3])
    table = search_table(base, pool, ["angle"], np.array([[0, 1], [1, 2]]))
    assert row(table, "angle")["searches"] == 1
    assert row(table, "angle")["accuracy"].value == 90
    assert search_table(base, pool, ["angle"], np.array([[0, 1]])).texts()[0] == ["angle", "-", "-", "0"]


def test_settings_are_compared_in_the_same_searches(made_up: Any) -> None:
    base, pool = made_up([50, 60, 90], DOWN, angle=[0.3, 0.2, 0.1], params=[1, 2, 3])
    worse, _ = made_up([50, 60, 90], DOWN, angle=[0.1, 0.2, 0.3], params=[1, 2, 3])
    table = ablation_table([base], [worse], pool, "angle", np.array([[0, 1], [1, 2]]))
    assert [picked.value for picked in column(table, "accuracy")] == [75, 55]
    assert [tau.value for tau in column(table, "tau")] == [1, -1]
    assert [tau.value for tau in column(table, "tau_params")] == [1, -1]
    assert column(table, "seconds") == [3, 3]
    assert any("read from the curves" in note for note in table.notes)
    assert not any("curves" in note for note in ablation_table([base], [], pool, "angle", np.array([[0, 1]])).notes)


def test_every_number_is_listed_and_empty_where_a_setting_was_not_measured(made_up: Any) -> None:
    base, pool = made_up([50, 60, 90], DOWN, trivial=[1], angle=[0.3, 0.2, 0.1], params=[1, 2, 3])
    table = pool_table([base, base.first(2)], pool, TinySpace(), "the truth")
    assert [each.name for each in table.columns] == (
        ["arch", "notation", "accuracy", "trivial", "params", "base: angle", "base: angle"]
    )
    assert table.texts()[1] == ["tiny:0-0-1", "001", "60.00", "1", "2", "0.2", "0.2"]
    assert table.texts()[2][-2:] == ["0.1", "-"]
