"""Pages and tables made again from a store alone."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lnas.benchmarks import Scores
from lnas.errors import RunError, UsageError
from lnas.pipeline.reporting.contents import from_json, to_json
from lnas.pipeline.reporting.pages import keep_page, kept_pages
from lnas.pipeline.reporting.report import report
from lnas.pipeline.result_pages import write_results
from lnas.report import RunReport
from lnas.report.page import render_page
from lnas.report.study import StudyReport
from lnas.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with an empty store."""
    (tmp_path / "made").mkdir()
    Store(tmp_path / "made" / "store.sqlite").close()
    return tmp_path / "made"


def alone(folder: Path) -> Path:
    """Return another folder that has the store only."""
    other = folder.with_name("alone")
    other.mkdir()
    shutil.copy(folder / "store.sqlite", other)
    return other


def test_a_study_comes_out_byte_for_byte_with_its_tables_and_figures(folder: Path, study: StudyReport) -> None:
    write_results(study, folder, "search.html")
    keep_page(folder, "search.html", study)
    other = alone(folder)
    assert report(str(other / "store.sqlite"), quiet=True) == [other / "search.html"]
    assert {file.name for file in other.iterdir()} - {".lock"} == {file.name for file in folder.iterdir()}
    names = {file.name for file in folder.iterdir()} - {"store.sqlite"}
    assert {"search.html", "table.parquet", "table.csv", "table.md", "cell.svg", "c.svg"} <= names
    assert {name: (other / name).read_bytes() == (folder / name).read_bytes() for name in names} == dict.fromkeys(
        names, True
    )


def test_a_run_comes_out_byte_for_byte(folder: Path, run: RunReport) -> None:
    keep_page(folder, "report.html", run)
    (file,) = report(str(folder), str(folder / "elsewhere"), quiet=True)
    assert file.read_text() == render_page(run)


def test_scores_come_out_byte_for_byte(folder: Path, scores: Scores) -> None:
    keep_page(folder, "scores", scores)
    parquet, csv = report(str(folder), quiet=True)
    assert (parquet.read_bytes(), csv.read_bytes()) == (scores.to_parquet(), scores.to_csv())


def test_the_last_page_of_a_name_is_the_one_that_is_kept(folder: Path, study: StudyReport, run: RunReport) -> None:
    keep_page(folder, "a.html", study)
    keep_page(folder, "b.html", run)
    keep_page(folder, "a.html", run)
    assert list(kept_pages(folder / "store.sqlite")) == ["a.html", "b.html"]
    assert from_json(to_json(run)) == kept_pages(folder / "store.sqlite")["a.html"]


def test_a_folder_without_a_store_keeps_nothing(tmp_path: Path, study: StudyReport) -> None:
    keep_page(tmp_path, "a.html", study)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_made_again_is_said_in_a_line(folder: Path, run: RunReport, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a folder with a store"):
        report(str(tmp_path / "nowhere"), quiet=True)
    with pytest.raises(RunError, match=r"a page of a run that came to its end.*Start the command"):
        report(str(folder), quiet=True)
    keep_page(folder, "report.html", run)
    with closing(sqlite3.connect(folder / "store.sqlite")) as connection, connection:
        connection.execute("UPDATE pages SET content = x'00'")
    with pytest.raises(RunError, match="a store that can be read") as raised:
        report(str(folder), quiet=True)
    assert "\n" not in str(raised.value)
    with pytest.raises(RunError, match="what this lnas writes"):
        from_json('{"kind": "OtherPage", "content": {}}')
