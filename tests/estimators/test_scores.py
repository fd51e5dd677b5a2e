from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lnas.benchmarks import Scores
from lnas.cli import command_parser
from lnas.errors import UsageError
from lnas.estimators import RecordedScores, ScoresEstimator
from lnas.nets import NetBuilder
from lnas.pipeline.scoring.outcome import score_table
from lnas.search import RandomSearch
from lnas.spaces import NatsTopologySpace
from lnas.store import protocol_key
from lnas.testing import TinySpace
from lnas.types import Arch, Estimate, Region

SPACE = TinySpace()
ARCHS = tuple(SPACE.parse(text) for text in ("000", "001", "010", "011"))
SCORES = Scores(
    ARCHS,
    {
        "snip": np.array([1.5, np.nan, np.nan, -2.0]),
        "angle": np.array([0.25, 0.5, np.nan, 0.75]),
        "mine": np.array([1.0, 2.0, 3.0, np.inf]),
    },
    problems=("", "snip nonfinite", "snip failed", ""),
)
KNOWN = ["snip", "angle"]


def estimates(row: int, **options: Any) -> dict[str, Estimate]:
    return ScoresEstimator(SCORES, **{"names": KNOWN, **options}).estimate(ARCHS[row], seed=0)


def test_numbers_are_the_files() -> None:
    assert estimates(0) == {"snip": Estimate(1.5), "angle": Estimate(0.25)}
    assert estimates(3, names=["angle"]) == {"angle": Estimate(0.75)}


def test_directions_are_the_known_ones_unless_they_are_given() -> None:
    assert ScoresEstimator(SCORES, KNOWN).measures == {"snip": True, "angle": False}
    assert ScoresEstimator(SCORES, higher_is_better={"mine": False, "snip": False}).measures == {
        "snip": False,
        "angle": False,
        "mine": False,
    }


def test_a_number_that_came_out_nonfinite_is_nonfinite() -> None:
    found = estimates(1)
    assert found["snip"].status == "nonfinite"
    assert np.isnan(found["snip"].value)
    assert found["angle"] == Estimate(0.5)
    assert estimates(3, names=["mine"], higher_is_better={"mine": True})["mine"].status == "nonfinite"


def test_a_missing_number_failed_with_the_reason_that_there_is() -> None:
    found = estimates(2)
    assert {name: item.status for name, item in found.items()} == {"snip": "failed", "angle": "failed"}
    assert "snip of row 3: expected a number, got 'it failed when it was measured'" in found["snip"].detail["error"]
    assert "angle of row 3: expected a number, got 'none'" in found["angle"].detail["error"]
    silent = ScoresEstimator(replace(SCORES, problems=()), KNOWN).estimate(ARCHS[1], seed=0)
    assert silent["snip"].status == "failed"


def test_an_architecture_that_is_not_in_the_file_failed() -> None:
    found = ScoresEstimator(SCORES, KNOWN, seconds={"snip": 2.0}).estimate(SPACE.parse("110"), seed=0)
    assert {(item.status, item.seconds) for item in found.values()} == {("failed", 0.0)}
    assert "expected one of their 4 architectures, got 'tiny:1-1-0'" in found["angle"].detail["error"]


def test_a_twin_does_not_stand_in() -> None:
    space = NatsTopologySpace()
    arch = next(arch for arch in RandomSearch(space, seed=0).ask(50) if space.canonical(arch) != arch)
    twins = ScoresEstimator(Scores((space.canonical(arch),), {"snip": np.array([1.0])}))
    assert twins.estimate(space.canonical(arch), seed=0)["snip"].status == "ok"
    assert twins.estimate(arch, seed=0)["snip"].status == "failed"


@pytest.mark.parametrize("other", [Arch("nats_size", (1, 2, 3, 4, 5)), SPACE.region])
def test_what_cannot_be_there_is_refused(other: Arch | Region) -> None:
    with pytest.raises(UsageError, match="expected an architecture of tiny, as those in the scores, got "):
        ScoresEstimator(SCORES, KNOWN).estimate(other, seed=0)  # type: ignore[arg-type]


def test_seconds_are_those_given_also_of_what_failed() -> None:
    taken = [[item.seconds for item in estimates(row, seconds={"snip": 2.5}).values()] for row in range(3)]
    assert taken == [[2.5, 0.0]] * 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"whether higher is better for 'mine', got None\. Example: higher_is_better=\{'mine': True\}"),
        ({"names": ["snop"]}, r"names=\.\.\.\): unknown measure 'snop'\. Did you mean 'snip'\?"),
        ({"names": []}, r"expected at least one measure, got \(\)\. There are: snip, angle, mine"),
        ({"names": "snip"}, r"expected a list of names, got 'snip'\. Example: \[snip\]"),
        ({"names": KNOWN, "higher_is_better": {"mine": True}}, r"higher_is_better=\.\.\.\): unknown measure 'mine'"),
        ({"names": KNOWN, "higher_is_better": {"snip": "no"}}, r"higher is better for 'snip', got 'no'"),
        ({"names": KNOWN, "seconds": {"mine": 1.0}}, r"seconds=\.\.\.\): unknown measure 'mine'"),
        ({"names": KNOWN, "seconds": {"snip": -1.0}}, r"seconds >= 0 for 'snip', got -1\.0"),
        ({"names": KNOWN, "seconds": {"snip": float("nan")}}, r"seconds >= 0 for 'snip', got nan"),
    ],
)
def test_what_cannot_be_is_said(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ScoresEstimator(SCORES, **options)


def test_what_are_no_scores_is_said() -> None:
    with pytest.raises(UsageError, match=r"expected scores, got 'str'\. Example: load_scores\(path\)"):
        ScoresEstimator("scores.csv")  # type: ignore[arg-type]


def changed(**parts: Any) -> Scores:
    return replace(SCORES, **parts)


@pytest.mark.parametrize(
    "other",
    [
        ScoresEstimator(SCORES, ["snip"]),
        ScoresEstimator(changed(columns={**SCORES.columns, "snip": np.array([1.5, np.nan, np.nan, -2.5])}), KNOWN),
        ScoresEstimator(changed(archs=(*ARCHS[:3], SPACE.parse("111"))), KNOWN),
        ScoresEstimator(changed(problems=("", "snip failed", "snip failed", "")), KNOWN),
        ScoresEstimator(SCORES, KNOWN, seconds={"snip": 1.0}),
    ],
    ids=["measures", "number", "architectures", "status", "seconds"],
)
def test_whatever_changes_a_number_changes_the_protocol(other: ScoresEstimator) -> None:
    assert protocol_key(other.protocol) != protocol_key(ScoresEstimator(SCORES, KNOWN).protocol)


def test_columns_that_are_not_asked_for_do_not_bear_on_the_protocol() -> None:
    other = changed(columns={**SCORES.columns, "mine": np.zeros(4)}, notations=("a", "b", "c", "d"))
    assert protocol_key(ScoresEstimator(other, KNOWN).protocol) == protocol_key(ScoresEstimator(SCORES, KNOWN).protocol)


def test_it_reads_what_lnas_score_writes(tmp_path: Path) -> None:
    measured = {
        ARCHS[0]: {"snip": Estimate(1.5), "angle": Estimate.of(float("inf"))},
        ARCHS[1]: {"snip": Estimate.failure(ValueError("no")), "angle": Estimate(0.5)},
    }
    (tmp_path / "scores.csv").write_bytes(score_table(measured, KNOWN, SPACE).to_csv())
    estimator = RecordedScores(NetBuilder(), None, str(tmp_path / "scores.csv"))  # type: ignore[arg-type]
    for arch, row in measured.items():
        found = estimator.estimate(arch, seed=0)
        assert [(item.status, item.value) for item in found.values()] == [
            (item.status, pytest.approx(item.value, nan_ok=True)) for item in row.values()
        ]


CONFIG = """
data: DigitsData
estimators:
- class_path: RecordedScores
  init_args: {path: PATH, names: [mine, snip], higher_is_better: {mine: false}, seconds: {snip: 1.5}}
"""


def test_a_config_names_it(tmp_path: Path) -> None:
    (tmp_path / "scores.parquet").write_bytes(SCORES.to_parquet())
    (tmp_path / "tiny.yaml").write_text(CONFIG.replace("PATH", str(tmp_path / "scores.parquet")))
    parser = command_parser("score")
    parsed = parser.instantiate(parser.parse_args(["--config", str(tmp_path / "tiny.yaml")])).as_dict()
    (factory,) = parsed["estimators"]
    estimator = factory(NetBuilder(), parsed["data"])
    assert estimator.measures == {"mine": False, "snip": True}
    assert estimator.estimate(ARCHS[0], seed=0) == {"mine": Estimate(1.0), "snip": Estimate(1.5, seconds=1.5)}
