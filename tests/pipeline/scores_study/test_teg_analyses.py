"""The analyses of TEG-NAS, on numbers that are made up of the cells themselves."""

from __future__ import annotations

import numpy as np
import pytest

from lnas.errors import UsageError
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.pipeline.scores_study.teg_analyses import TegFindings, check_picks, find_teg
from lnas.report.table import ResultTable
from lnas.spaces import NatsSizeSpace, NatsTopologySpace, SearchSpace

NATS = NatsTopologySpace()
OF_THREE = 3


def evidence_of(space: SearchSpace, count: int) -> Evidence:
    """Counts of 3 x 3 convolutions as the accuracy and one estimator, of `none` as another where low is better."""
    rng = np.random.default_rng(0)
    archs = list(dict.fromkeys(space.sample(rng) for _ in range(count)))
    convolutions = np.array([arch.genes.count(OF_THREE) for arch in archs], dtype=float)
    empty = np.array([arch.genes.count(0) for arch in archs], dtype=float)
    values = {"many": convolutions, "full": empty, "flat": np.ones(len(archs))}
    directions = {"many": True, "full": False, "flat": True}
    return Evidence(space, archs, values, directions, {"key": 10 * convolutions}, 0, 0)


@pytest.fixture(scope="module")
def found() -> TegFindings:
    return find_teg(evidence_of(NATS, 300), ["many", "full"], ["many", "full"], 0.2, "none")


def rows(table: ResultTable) -> list[dict[str, object]]:
    return [
        dict(zip([column.name for column in table.columns], cells, strict=True))
        for cells in zip(*(column.cells for column in table.columns), strict=True)
    ]


def test_what_only_one_picks_has_the_operations_that_it_counts(found: TegFindings) -> None:
    means = {(row["estimator"], row["feature"]): row for row in rows(found.tables[0])}
    convolutions, others = (means[name, "nor_conv_3x3"]["difference"] for name in ("many", "full"))
    assert convolutions[0] > convolutions[1] > 0  # type: ignore[index]
    assert others[0] < convolutions[0]  # type: ignore[index]
    assert means["full", "none"]["mean"] == 0
    assert means["full", "all convolutions"]["mean"] == pytest.approx(
        means["full", "nor_conv_1x1"]["mean"] + means["full", "nor_conv_3x3"]["mean"]  # type: ignore[operator]
    )
    assert ("many", "convolutional depth") in means


def test_replacing_none_changes_what_counts_it(found: TegFindings) -> None:
    means = {(row["estimator"], row["target"]): row for row in rows(found.tables[1])}
    assert means["accuracy", "nor_conv_3x3"]["change"][0] == pytest.approx(10)  # type: ignore[index]
    assert means["accuracy", "skip_connect"]["change"][0] == 0  # type: ignore[index]
    assert {row["change"][0] for (name, _), row in means.items() if name == "full"} == {-1}  # type: ignore[index]
    assert means["full", "skip_connect"]["places"][0] > 0  # type: ignore[index]


def test_each_table_has_its_pictures(found: TegFindings) -> None:
    assert [table.name for table in found.tables] == ["picks", "replacements"]
    assert [list(drawn.rows) for drawn in found.maps] == [["many", "full"]] * 2 + [["accuracy", "many", "full"]]


def test_what_cannot_be_told_is_said() -> None:
    space = NatsSizeSpace()
    found = find_teg(evidence_of(space, 40), ["many"], ["many", "flat"], 0.2, "none")
    assert (found.tables, found.maps) == ([], [])
    assert set(found.left_out) == {"exclusive picks", "replacing none"}


def test_what_was_not_asked_is_not_missed() -> None:
    found = find_teg(evidence_of(NATS, 300), ["many"], [], 0.1, "none")
    assert found.picks is None
    assert found.left_out == {}


def test_picks_that_cannot_be_made_are_refused() -> None:
    with pytest.raises(UsageError, match=r"unknown estimator 'man'\. Did you mean 'many'"):
        check_picks(["man"], 0.1, evidence_of(NATS, 10))
    with pytest.raises(UsageError, match=r"k a count in 1\.\."):
        check_picks(["many"], 11, evidence_of(NATS, 10))
