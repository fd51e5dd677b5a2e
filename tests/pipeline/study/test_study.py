"""`study` with estimators that cost nothing, then the command on the real one, in small."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from lnas.cli import main
from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.nets import NetBuilder
from lnas.pipeline.study.settings import Iterations
from lnas.pipeline.study.study import study
from lnas.pipeline.truth import Truth
from lnas.report.study import StudyReport

TRUTH = Truth("digits", "digits-1.0/digits/test@8/mean")
TABLES = ("stages", "correlations", "searches", "ablation")


def studied(output: Path, *fakes: Any, **options: Any) -> StudyReport:
    settings = {f.name: lambda net, data, f=f: f for f in fakes}
    options = {"archs": 12, "searches": 5, "candidates": 4, "quiet": True} | options
    net = NetBuilder(channels=4, cells=1)
    return study(DigitsData(), settings, TRUTH, net=net, output=str(output), **options)


def test_tables_figures_and_page_are_written(tmp_path: Path, fake: Any) -> None:
    report = studied(tmp_path, fake("a"), fake("b"), iterations=Iterations("b", [1, 2]), top=[6])
    assert [table.name for table in report.tables] == list(TABLES)
    assert list(report.figures) == ["angle", "angle+params"]
    for name in TABLES:
        assert (tmp_path / f"{name}.md").read_text().startswith("## ")
        rows = pq.read_table(tmp_path / f"{name}.parquet").num_rows
        assert len((tmp_path / f"{name}.csv").read_text().splitlines()) == 1 + rows
    settings = pq.read_table(tmp_path / "ablation.parquet")["setting"].to_pylist()
    assert settings == ["a", "b", "step 1 of b", "step 2 of b"]
    pool = pq.read_table(tmp_path / "pool.parquet")
    assert pool.num_rows == 12
    assert {"arch", "accuracy", "trivial", "params", "a: angle", "b: speed"} <= set(pool.column_names)
    page = (tmp_path / "study.html").read_text()
    for rank, figure in report.figures.items():
        assert (tmp_path / f"{rank}.svg").read_text() == figure
        assert figure in page


def test_started_again_it_measures_nothing_and_says_the_same(tmp_path: Path, fake: Any) -> None:
    first = studied(tmp_path, fake("a"), fake("b"))
    again = fake("a"), fake("b")
    assert repr(studied(tmp_path, *again)) == repr(first)
    assert again[0].asked == again[1].asked == []


def test_other_questions_measure_only_what_is_lacking(tmp_path: Path, fake: Any) -> None:
    first = fake("a")
    studied(tmp_path, first)
    same, new = fake("a"), fake("b")
    report = studied(tmp_path, same, new, archs=15, ablation_archs=6, searches=9, ranks=["angle"], rank="loss")
    assert len(same.asked) == 3
    assert not set(same.asked) & set(first.asked)
    assert len(new.asked) == 6
    assert "each among 4 of the 6 architectures" in " ".join(report.tables[3].notes)
    assert "each among 4 of the 15 architectures" in " ".join(report.tables[2].notes)


def test_other_settings_may_be_left_out(tmp_path: Path, fake: Any) -> None:
    other = fake("b")
    report = studied(tmp_path, fake("a"), other, ablation_archs=0)
    assert other.asked == []
    assert [table.name for table in report.tables] == list(TABLES[:3])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"candidates": 13}, r"candidates=13.*<= 12"),
        ({"ablation_archs": 3}, r"ablation_archs=3: expected ablation_archs >= 4, or 0, got 3"),
        ({"ablation_archs": -1}, r"ablation_archs=-1"),
        ({"searches": 0}, r"searches=0"),
        ({"top": [1]}, r"top=\[1\].*2\.\.12"),
        ({"archs": 0}, r"archs=0"),
        ({"ranks": ["angel"]}, r"unknown measure 'angel'"),
        ({"figures": ["angle+"]}, r"rank expression 'angle\+'"),
        ({"iterations": Iterations("c", [1])}, r"unknown setting 'c'"),
        ({"processes": 0}, r"processes=0"),
        ({"seed": 1 << 31}, r"seed=2147483648"),
        ({"output": ""}, r"output=''"),
    ],
)
def test_what_cannot_be_answered_is_refused_before_anything_is_measured(
    tmp_path: Path, fake: Any, options: dict[str, Any], message: str
) -> None:
    asked = fake("a")
    with pytest.raises(UsageError, match=message):
        studied(options.pop("output", tmp_path), asked, **options)
    assert asked.asked == []


SMALL = """
data: DigitsData
net: {class_path: lnas.nets.NetBuilder, init_args: {channels: 4, cells: 1}}
archs: 4
truth: {benchmark: digits, key: digits-1.0/digits/test@8/mean}
settings:
  base: {class_path: ShortTrainingEstimator, init_args: {steps: 3, classes: 2, images_per_class: 2}}
  longer: {class_path: ShortTrainingEstimator, init_args: {steps: 4, classes: 2, images_per_class: 2}}
iterations: {setting: longer, steps: [2]}
searches: 3
candidates: 2
"""


def test_the_command_takes_a_file_and_replays_from_its_own_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "small.yaml").write_text(SMALL)
    output = tmp_path / "out"
    assert main(["study", str(tmp_path / "small.yaml"), "--output", str(output)]) == 0
    printed = capsys.readouterr().out
    for words in (
        "Settings of the short training",
        "step 2 of longer",
        "angle_feat",
        "study.html",
    ):
        assert words in printed
    before = (output / "ablation.md").read_bytes()
    assert main(["study", "-q", str(output / "config.yaml")]) == 0
    assert capsys.readouterr().out == ""
    assert (output / "ablation.md").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ("study short-trainin", r"unknown study 'short-trainin'. Did you mean 'short-training'"),
        ("study -q nowhere.yaml", r"config 'nowhere.yaml': expected a YAML file"),
        ("study", r"--data is required; for example: lnas study short-training"),
        ("study short-training --archs 3 --candidates 9", r"candidates=9"),
        ("study short-training --arch 3", r"unknown option '--arch'. Did you mean '--archs'"),
        ("study short-training --truth.key digits-1.0/digits/test@9/mean", r"test@9"),
    ],
)
def test_a_wrong_call_is_answered_in_one_line(
    arguments: str, line: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments.split()) == 2
    printed = capsys.readouterr().err
    assert re.search(line, printed), printed
    assert printed.count("\n") == 1
