from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.stats

from lnas.pipeline.scores_study.evidence import Evidence
from lnas.pipeline.scores_study.repeat_figures import repeat_figures
from lnas.pipeline.scores_study.repeat_tables import repeat_tables
from lnas.pipeline.scores_study.repeats import Repeats, find_repeats

TRUTH = [1.0, 2, 3, 4]
ERRORS = [[0.4, 0.3, 0.3, 0.1], [0.2, 0.3, 0.1, 0.2]]


def repeated(evidence: Callable[..., Evidence], **rows: Sequence[Sequence[float]]) -> Repeats:
    found = evidence(TRUTH, {name: own[0] for name, own in rows.items()}, error=False)
    return find_repeats(replace(found, repeated={name: np.array(own, dtype=float) for name, own in rows.items()}))


def cells(tables: Any, name: str) -> dict[str, Any]:
    (table,) = (table for table in tables if table.name == name)
    return {column.name: list(column.cells) for column in table.columns}


def test_repeats_are_compared_in_their_direction(evidence: Callable[..., Evidence]) -> None:
    found = repeated(evidence, error=ERRORS, seeds=[[1, 2, 3, 4], [1, 2, 4, 3], [2, 1, 3, 4]])
    tables = repeat_tables(found.found, "key")
    variance, averages = cells(tables, "repeats"), cells(tables, "averages")
    assert (variance["estimator"], variance["repeats"]) == (["error", "seeds"], [2, 3])
    tau = scipy.stats.kendalltau(*ERRORS).statistic
    assert variance["tau"] == pytest.approx([tau, (4 / 6 + 4 / 6 + 2 / 6) / 3])
    assert variance["least_tau"][1] == pytest.approx(2 / 6)
    assert averages["repeats"] == [1, 2, 1, 2, 3]
    means = -np.mean(ERRORS, axis=0).round(9)
    assert averages["tau"][1].value == pytest.approx(scipy.stats.kendalltau(means, TRUTH).statistic)
    assert averages["tau"][2].value == pytest.approx((1 + 4 / 6 + 4 / 6) / 3)


def test_ties_of_the_first_repeat_are_levels(evidence: Callable[..., Evidence]) -> None:
    found = repeated(evidence, error=ERRORS, seeds=[[1, 2, 3, 4], [1, 2, 4, 3]])
    levels = cells(repeat_tables(found.found, "key"), "levels")
    # The second and the third tie; with both repeats the third errs less, and is the better one.
    assert levels["estimator"] == ["error"]
    assert (levels["shared"], levels["total"], levels["archs"], levels["tau"]) == ([1], [3], [2], [1])
    assert levels["negative"] == [0]
    drawn = repeat_figures(found.found)
    assert list(drawn) == ["Tau of means of repeats", "Tau inside levels"]
    assert "seeds" not in drawn["Tau inside levels"]


def test_what_cannot_be_compared_says_why(evidence: Callable[..., Evidence]) -> None:
    found = repeated(evidence, seeds=[[1, 2, 3, 4], [7, 7, 7, 7]])
    assert "expected estimates of repeat 1 that differ" in found.left_out["seeds"]
    assert repeat_tables(found.found, "key") == []
    assert repeat_figures(found.found) == {}
