"""What pages show, made up, with every kind of cell and a number that few digits cannot hold."""

from __future__ import annotations

import numpy as np
import pytest

from lnas.benchmarks import Scores
from lnas.report import Agreement, RankedCandidate, RetrainedPick, RunReport, TruthComparison
from lnas.report.study import StudyReport
from lnas.report.table import Column, ResultTable, WithDeviation, WithInterval
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch

SPACE = NatsTopologySpace()
ARCHS = (Arch("nats_topology", (3, 1, 2, 0, 4, 3)), Arch("nats_topology", (1, 1, 1, 1, 1, 1)))
THIRD = 1 / 3


@pytest.fixture
def study() -> StudyReport:
    columns = [
        Column("name", "a | name", ["one", "other <b>"]),
        Column("count", "count", [3, None], "{:,}"),
        Column("share", "share", [np.float64(THIRD), float("nan")], "{:.1f}"),
        Column("tau", "tau", [WithInterval(THIRD, -THIRD, float("nan")), None], "{:+.3f}"),
        Column("acc", "acc", [WithDeviation(90.0, THIRD), WithDeviation(91.0, float("nan"))]),
    ]
    table = ResultTable("table", "A table", columns, ("How it came about.",))
    drawing = SPACE.draw(ARCHS[0])
    return StudyReport("title", {"fact": "é"}, [table], {"cell": drawing}, "replay", {"p": "{}"}, {"s": {"c": drawing}})


@pytest.fixture
def run() -> RunReport:
    ranking = [
        RankedCandidate(1, "a", 3.0, {"loss": THIRD}, ["winner"], 0.9, [1.0, None], 88.5),
        RankedCandidate(2, "b", 4.5, {"loss": None}),
    ]
    curves = {"val_acc": [(1, 0.5), (2, THIRD)]}
    picks = [RetrainedPick("winner", "a", SPACE.draw(ARCHS[0]), 1, (0.9, 0.92), (curves, curves))]
    truth = TruthComparison("key", [Agreement("sum of ranks", THIRD)], 2)
    settings = {"rank": "loss", "estimators": [{"class": "E", "steps": 50}], "racing": None}
    return RunReport(
        "title", "verdict", "loss", ranking, picks, ["note"], settings, {"threads": 1}, "r", {"x": 1.5}, truth
    )


@pytest.fixture
def scores() -> Scores:
    return Scores(ARCHS, {"m": np.array([THIRD, np.nan])}, ("x", "y"), ("", "m failed"))
