"""What commands leave in their stores: their pages and tables come out of those alone."""

from __future__ import annotations

import shutil
from pathlib import Path

from lnas.data import DigitsData
from lnas.nets import NetBuilder
from lnas.pipeline.reporting.report import report
from lnas.pipeline.scoring.score import score_architectures
from lnas.pipeline.search.search import search
from lnas.pipeline.truth import Truth

KEY = "digits-1.0/digits/test@8/mean"


def same(made: Path) -> set[str]:
    """Make everything again from the store alone; return the files, all of which must have the same bytes."""
    alone = made.with_name("alone")
    alone.mkdir()
    shutil.copy(made / "store.sqlite", alone)
    report(str(alone), quiet=True)
    names = {file.name for file in alone.iterdir()} - {"store.sqlite", ".lock"}
    assert [name for name in names if (alone / name).read_bytes() != (made / name).read_bytes()] == []
    return names


def test_scores(tmp_path: Path) -> None:
    made = tmp_path / "score"
    score_architectures(
        DigitsData(), net=NetBuilder(channels=4, cells=1), archs=5, measures="params", output=str(made), quiet=True
    )
    assert same(made) == {"scores.parquet", "scores.csv"}


def test_searches(tmp_path: Path) -> None:
    made = tmp_path / "search"
    search(
        rank="params",
        data=DigitsData(),
        net=NetBuilder(channels=4, cells=1),
        truth=Truth("digits", KEY),
        evaluations=4,
        repeats=2,
        output=str(made),
        wandb="off",
        quiet=True,
    )
    assert {"search.html", "found.csv", "found.md", "found.parquet"} <= same(made)
