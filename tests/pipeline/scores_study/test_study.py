"""The command on the digits benchmark, with estimates that are made up."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from lnas.cli import main
from lnas.errors import UsageError
from lnas.pipeline.scores_study.score_files import ScoreFile
from lnas.pipeline.scores_study.study import study_scores, track_study
from lnas.pipeline.tracking import Tracker
from lnas.pipeline.truth import Truth
from lnas.stats import kendall_tau
from lnas.types import Arch

KEY = "digits-1.0/digits/test@8/mean"
TRUTH = Truth("digits", KEY)
TABLES = [
    *("correlations", "differences", "subsets", "criteria", "agreement", "repeats", "averages", "complexity", "size"),
    *(
        "operations",
        "changes",
        "isomorphism",
        "ends",
        "replacements",
        "training",
        "distributions",
        "stability",
        "forgetting",
    ),
    *("complexity_by_epoch", "operations_by_epoch", "extremes"),
]
Known = tuple[list[Arch], np.ndarray]


@pytest.fixture
def files(known: Known, write: Callable[..., str]) -> dict[str, str]:
    archs, accuracies = known
    rng = np.random.default_rng(0)
    noisy = accuracies + rng.normal(size=len(archs))
    sizes = rng.integers(1, 9, size=len(archs))
    return {
        "zero_shot": write("scores.parquet", archs, params=sizes, ntk_cond=-noisy),
        "mine": write("my.csv", archs, score=rng.normal(size=len(archs))),
        "flat": write("flat.csv", archs, score=np.ones(len(archs))),
    }


def studied(output: Path, files: Any, **options: Any) -> Any:
    given = {"resamples": 20, "at": [5], "ends": 0.1, "quiet": True, "wandb": "off"} | options
    return study_scores(files, TRUTH, output=str(output), **given)


def test_everything_is_written(
    tmp_path: Path, files: dict[str, Any], known: Known, write: Callable[..., str], write_supernet: Callable[..., Path]
) -> None:
    archs, accuracies = known
    losses = -accuracies + np.random.default_rng(1).normal(size=(2, 40))
    net = write_supernet("net", archs, [1, 2], oneshot_loss=losses.tolist())
    mine = ScoreFile(files["mine"], repeats=[write("other.csv", archs, score=accuracies)])
    given = files | {"mine": mine, "val": "truth:digits-1.0/digits/val@8/mean", "net": ScoreFile(str(net), epoch=1)}
    report = studied(tmp_path / "out", given, top=[20], supernets={"same": str(net)})
    assert [table.name for table in report.study.tables] == TABLES
    for name in TABLES:
        assert (tmp_path / f"out/{name}.md").read_text().startswith("## ")
        rows = pq.read_table(tmp_path / f"out/{name}.parquet").num_rows
        assert len((tmp_path / f"out/{name}.csv").read_text().splitlines()) == 1 + rows
    rows = list(csv.DictReader((tmp_path / "out/correlations.csv").read_text().splitlines()))
    assert rows[-1]["estimator"] == "flat"
    assert {row["estimator"] for row in rows} == {"params", "ntk_cond", "mine", "val", "net", "flat"}
    (net_tau,) = (float(row["kendall_tau"]) for row in rows if row["estimator"] == "net")
    assert net_tau == pytest.approx(kendall_tau(-losses[0], accuracies))
    assert (rows[-1]["kendall_tau"], rows[-1]["undefined"]) == ("", "the same for all 40 that have a number")
    assert json.loads(report.study.protocols["scores mine"])["file"] == files["mine"]
    assert report.study.facts["Ranks nothing"] == "flat: the same for all 40 that have a number"
    assert list(report.scatter.estimates)[-1] == "flat"
    assert len(report.scatter.labels) == 40
    assert "same (epochs 1, 2; 40 architectures of its own)" in report.study.facts["Followed along training"]
    for page in ("report.html", "study.html"):
        assert "Bias by operation" in (tmp_path / "out" / page).read_text()
    assert (tmp_path / "out/best-by-mine.svg").read_text().startswith("<svg")


@pytest.mark.slow
def test_processes_do_not_change_a_number(tmp_path: Path, files: dict[str, str]) -> None:
    alone = studied(tmp_path / "alone", files)
    together = studied(tmp_path / "together", files, processes=2)
    assert repr(alone.study.tables) == repr(together.study.tables)


def test_a_baseline_may_be_chosen(tmp_path: Path, files: dict[str, str]) -> None:
    table = next(
        table for table in studied(tmp_path, files, baseline="mine").study.tables if table.name == "differences"
    )
    assert "mine" in table.title
    assert set(table.columns[0].cells) == {"params", "ntk_cond"}


def test_ends_of_less_than_one_architecture_are_said_and_left_out(tmp_path: Path, files: Any) -> None:
    report = studied(tmp_path, files, ends=0.001).study
    assert "ends" not in [table.name for table in report.tables]
    assert "the ends (0.1 % of the architectures are less than one)" in report.facts["Not studied"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"top": [40]}, "top=[40]: expected numbers in 2..39"),
        ({"top": [9, 9]}, "expected each subset once"),
        ({"at": [1.5]}, "at=[1.5]"),
        ({"ends": 0.0}, "ends=0.0"),
        ({"baseline": "min"}, "baseline: unknown estimator 'min'. Did you mean 'mine'?"),
        ({"baseline": "flat"}, "baseline='flat': expected an estimator that ranks something"),
        ({"sizes": "flop"}, "sizes='flop': expected a column of one of the files"),
        ({"keys": ["digits-1.0/digits/test@9/mean"]}, "has no accuracies under 'digits-1.0/digits/test@9/mean'"),
        ({"keys": [KEY]}, "expected each accuracy once"),
        ({"resamples": 0}, "resamples=0"),
        ({"groups": 0}, "groups=0"),
    ],
)
def test_bad_input_is_one_line_before_anything_is_written(
    tmp_path: Path, files: dict[str, str], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        studied(tmp_path / "out", files, **options)
    assert not (tmp_path / "out").exists()


def test_a_benchmark_of_another_space_is_refused(tmp_path: Path, write: Callable[..., str]) -> None:
    archs = [Arch("nats_size", (0, 0, 0, 0, gene)) for gene in range(3)]
    with pytest.raises(UsageError, match="expected a benchmark of 'nats_size'"):
        studied(tmp_path / "out", {"mine": write("my.csv", archs, score=[1, 2, 3])})


def test_what_is_no_supernet_or_followed_twice_is_refused(
    tmp_path: Path, files: dict[str, Any], known: Known, write_supernet: Callable[..., Path]
) -> None:
    with pytest.raises(UsageError, match=re.escape("supernets.net='gone': expected a folder of `lnas supernet`")):
        studied(tmp_path / "out", files, supernets={"net": "gone"})
    net = str(write_supernet("net", known[0], [1], oneshot_acc=[known[1].tolist()]))
    with pytest.raises(UsageError, match=re.escape(f"supernets.net={net!r}: expected a label of its own")):
        studied(tmp_path / "out", files | {"net": net}, supernets={"net": net})
    few = str(write_supernet("few", [Arch("nats_size", (0, 0, 0, 0, k)) for k in (0, 1)], [1], oneshot_acc=[[1, 2]]))
    with pytest.raises(UsageError, match="supernet 'few': expected architectures of 'nats_topology'"):
        studied(tmp_path / "out", files, supernets={"few": few})


def test_an_estimator_is_not_called_as_an_accuracy(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="not called as accuracies, got 'accuracy'"):
        studied(tmp_path / "out", {"accuracy": files["mine"]})


def test_every_table_is_tracked(tmp_path: Path, files: dict[str, str]) -> None:
    logged: list[tuple[str, Any]] = []

    class Recorder(Tracker):
        def settings(self, settings: Any) -> None:
            logged.append(("settings", sorted(settings)))

        def table(self, name: str, columns: Any, rows: Any) -> None:
            logged.append((name, len(rows)))

    report = studied(tmp_path, files)
    track_study(Recorder(None, print), report)
    assert logged[0] == ("settings", ["facts", "files"])
    assert logged[1:] == [(table.name, len(table.columns[0].cells)) for table in report.study.tables]


def test_nothing_that_ranks_is_an_error(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="an estimator that ranks something, got 'flat: the same for all 40"):
        studied(tmp_path / "out", {"flat": files["flat"]})


def test_a_config_with_scores_is_this_study_and_replays(
    tmp_path: Path, files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text(
        f"scores: {{zero_shot: {files['zero_shot']}, my_estimator: {{file: {files['mine']}}}}}\n"
        f"truth: {{benchmark: digits, key: {KEY}}}\nresamples: 10\nends: 0.1\nwandb: 'off'\n"
        f"output: {tmp_path / 'out'}\n"
    )
    assert main(["study", str(config), "-q"]) == 0
    first = (tmp_path / "out/correlations.csv").read_bytes()
    assert b"my_estimator" in first
    (tmp_path / "out/correlations.csv").unlink()
    assert main(["study", str(tmp_path / "out/config.yaml"), "-q"]) == 0
    assert (tmp_path / "out/correlations.csv").read_bytes() == first
    assert main(["study", str(config), "-q", "--top", "[50]"]) == 2
    assert "lnas: top=[50]: expected numbers in 2..39" in capsys.readouterr().err


def test_scores_may_be_given_on_the_command_line(tmp_path: Path, files: dict[str, str]) -> None:
    options = [
        "--truth.benchmark",
        "digits",
        "--truth.key",
        KEY,
        "--resamples",
        "10",
        "--ends",
        "0.1",
        "--wandb",
        "off",
    ]
    own = ["--scores.a", files["zero_shot"], "--scores.b", files["mine"], "--output", str(tmp_path / "out")]
    assert main(["study", *own, *options, "-q"]) == 0
    assert (tmp_path / "out/report.html").exists()
