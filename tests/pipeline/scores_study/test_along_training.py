"""What becomes of a supernet along its training, by numbers that can be found by hand; its tables and figures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lnas.execution import Serial
from lnas.pipeline.display import Display
from lnas.pipeline.scores_study.along_training import Trained, find_along_training, stability
from lnas.pipeline.scores_study.followed import Followed
from lnas.pipeline.scores_study.supernet_files import Forgetting
from lnas.pipeline.scores_study.training_figures import course_figures, training_figures
from lnas.pipeline.scores_study.training_tables import training_tables
from lnas.report.table import ResultTable
from lnas.spaces import NatsTopologySpace
from lnas.stats import correlation_interval, paired_difference

SPACE = NatsTopologySpace()
TRUTH = np.array([1.0, 2, 3, 4, 5])
SIZES = np.array([10.0, 10, 20, 20, 20])
UNTRAINED, HALF = TRUTH[::-1], np.array([1.0, 3, 2, 4, 5])
SINGLE, MEAN, LOSS = "net: oneshot_acc", "net: ensemble_acc", "net: oneshot_loss"
FORGETTING = Forgetting(np.array([1, 2]), np.array([3.0, 0.0]), np.array([-0.02, np.nan]), np.array([0.01, np.nan]))


def trained(sizes: np.ndarray | None = SIZES) -> Trained:
    """A supernet that ranks upside down, then nearly and then exactly; its ensemble ranks nothing at first."""
    archs = [arch for arch, _ in zip(SPACE.archs(), TRUTH, strict=False)]
    values = {
        SINGLE: np.array([UNTRAINED, HALF, TRUTH]),
        MEAN: np.array([np.ones(5), TRUTH, TRUTH]),
        LOSS: np.array([TRUTH, -HALF, [-1, -2, -3, -4, np.nan]]),
    }
    directions = {SINGLE: True, MEAN: True, LOSS: False}
    reason = "" if sizes is not None else "no sizes"
    followed = Followed("net", [2, 4, 6], archs, values, directions, TRUTH, sizes, reason, FORGETTING)
    (found,) = find_along_training([followed], SPACE, 2, 30, Serial(), Display(quiet=True))
    return found


def rows(name: str, tables: list[ResultTable]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """Return the rows of a table by estimator, and epoch, and what else names it."""
    (table,) = (table for table in tables if table.name == name)
    columns = {column.name: column.cells for column in table.columns}
    keys = [key for key in ("estimator", "supernet", "epoch", "group", "operation") if key in columns]
    every = ({name: cells[k] for name, cells in columns.items()} for k in range(len(table.columns[0].cells)))
    return {tuple(row[key] for key in keys): row for row in every}


@pytest.fixture(scope="module")
def found() -> Trained:
    return trained()


@pytest.fixture(scope="module")
def tables(found: Trained) -> list[ResultTable]:
    return training_tables([found], "key", "params", 30)


def test_ranking_improves_and_what_ranks_nothing_says_why(tables: list[ResultTable]) -> None:
    by_epoch = rows("training", tables)
    assert [by_epoch[SINGLE, epoch]["kendall_tau"].value for epoch in (2, 4, 6)] == pytest.approx([-1, 0.8, 1])
    low, high = by_epoch[SINGLE, 4]["kendall_tau"][1:]
    assert (low, high) == correlation_interval(HALF, TRUTH, resamples=30)
    assert by_epoch[MEAN, 2]["kendall_tau"] is None
    assert by_epoch[MEAN, 2]["undefined"] == "the same for all 5 that have a number"
    assert by_epoch[LOSS, 2]["kendall_tau"].value == pytest.approx(-1)
    assert by_epoch[LOSS, 4]["kendall_tau"].value == pytest.approx(0.8)


def test_stability_is_between_times_that_follow_each_other(tables: list[ResultTable]) -> None:
    by_epoch = rows("stability", tables)
    assert by_epoch[SINGLE, 4]["kendall_tau"] == pytest.approx(-0.8)
    assert by_epoch[SINGLE, 6]["kendall_tau"] == pytest.approx(0.8)
    assert by_epoch[SINGLE, 6]["earlier"] == 4
    # The fifth has no loss in the end: the others are compared.
    assert by_epoch[LOSS, 6]["kendall_tau"] == pytest.approx(4 / 6)
    assert np.isnan(by_epoch[MEAN, 4]["kendall_tau"])
    assert stability(TRUTH, np.full(5, np.nan)) is None


def test_an_ensemble_is_paired_with_the_last_weights(tables: list[ResultTable]) -> None:
    by_epoch = rows("ensembles", tables)
    assert by_epoch[MEAN, 2]["difference"] is None
    value, *interval = by_epoch[MEAN, 4]["difference"]
    reference = paired_difference(TRUTH, HALF, TRUTH, resamples=30)
    assert value == pytest.approx(reference.value)
    assert tuple(interval) == pytest.approx(reference.interval)
    assert by_epoch[MEAN, 6]["difference"] == (0, 0, 0)


def test_bias_by_complexity_and_operation_is_told_of_each_epoch(tables: list[ResultTable]) -> None:
    by_group = rows("complexity_by_epoch", tables)
    # Upside down, the two small ones rank 1 and 2 in place of 5 and 4.
    assert by_group[SINGLE, 2, 1]["rank_difference"].value == 3
    assert by_group[SINGLE, 2, 2]["rank_difference"].value == -2
    assert by_group[SINGLE, 6, 1]["rank_difference"].value == 0
    assert (by_group[SINGLE, 2, 2]["smallest"], by_group[SINGLE, 2, 2]["counts"]) == (20, 3)
    assert (MEAN, 2, 1) not in by_group
    by_operation = rows("operations_by_epoch", tables)
    # The cells differ on one edge, the last of them, a pool, being the best: upside down it is wrong in all four pairs.
    assert by_operation[SINGLE, 2, "avg_pool_3x3"]["excess"] == -100
    assert by_operation[SINGLE, 6, "avg_pool_3x3"]["excess"] == 0


def test_forgetting_is_told_in_points_and_distributions_as_they_are(tables: list[ResultTable]) -> None:
    forgotten = rows("forgetting", tables)
    assert forgotten["net", 1]["value"] == pytest.approx((-2, 1))
    assert np.isnan(forgotten["net", 2]["value"].value)
    spread = rows("distributions", tables)[LOSS, 6]
    assert (spread["numbers"], spread["mean"], spread["quantile_0"]) == (4, -2.5, -4)


def test_without_sizes_bias_by_complexity_is_left_out() -> None:
    found = trained(sizes=None)
    assert found.left_out == {"bias by complexity": "no sizes"}
    assert "complexity_by_epoch" not in [table.name for table in training_tables([found], "key", "params", 30)]
    assert training_tables([], "key", "params", 30) == []


def test_figures_show_every_estimator(found: Trained) -> None:
    drawn = training_figures([found])
    assert "Along training: forgetting values" in drawn
    for name in (SINGLE, MEAN, LOSS):
        assert f"{name}: " in drawn["Along training: Kendall's tau-b"]
    courses = course_figures([found], "params")
    assert list(courses) == [SINGLE, MEAN, LOSS]
    assert [caption.split(" of ")[0] for caption in courses[SINGLE]] == [
        "Distribution",
        "Rank difference",
        "Tau",
        "Excess",
    ]
    assert "epoch 6" in courses[SINGLE][f"Distribution of {SINGLE} by epoch"]
