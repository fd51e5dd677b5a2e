"""Pictures of searches that are made up, as files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lnas.errors import UsageError
from lnas.pipeline.landscape import study_landscape
from lnas.pipeline.parquet import columns_parquet
from lnas.spaces import DartsSpace, NatsTopologySpace, SearchSpace
from lnas.types import Arch


def walk(space: SearchSpace, seed: int, at: int = 4, length: int = 14) -> list[Arch]:
    """A random walk that is the same for all seeds in its first steps."""
    before, after = np.random.default_rng(0), np.random.default_rng(seed)
    archs = [space.sample(before)]
    while len(archs) < length:
        archs.append(space.mutate(archs[-1], before if len(archs) < at else after))
    return archs


def write(folder: Path, archs: list[Arch], **columns: Any) -> str:
    folder.mkdir()
    n = len(archs)
    given = {"strategy": ["s"] * n, "judge": ["j"] * n, "seed": [0] * n, "evaluation": range(1, n + 1)}
    given |= {"candidate": list(map(str, archs)), "seconds": [1.0] * n} | columns
    (folder / "trials.parquet").write_bytes(columns_parquet(given))
    return str(folder)


@pytest.mark.parametrize("space", [NatsTopologySpace(), DartsSpace()], ids=lambda space: space.name)
def test_two_children_are_drawn_over_each_measure(tmp_path: Path, space: SearchSpace) -> None:
    folders = []
    for seed in (1, 2):
        archs = walk(space, seed)
        sums = [float(sum(arch.genes)) for arch in archs]
        folders.append(write(tmp_path / str(seed), archs, ntk_cond=sums, mine=sums))
    report = study_landscape({"early": folders}, output=str(tmp_path / "out"), quiet=True, config="x: 1")
    assert report.facts["early"].startswith("parted after 4 of 14, 14 evaluations")
    assert list(report.sections["Landscape: early"]) == ["early, ntk_cond", "early, mine"]
    assert "early: between the ends" in report.figures
    (table,) = report.tables
    cells = {column.name: column.cells for column in table.columns}
    assert cells["measure"] == ["ntk_cond", "mine"]
    for end in ("one", "other"):  # one of them is better low
        assert cells[end][0] == pytest.approx(100 - cells[end][1])  # type: ignore[operator]
    for low, one, other, barrier in zip(*(cells[name] for name in ("lowest", "one", "other", "barrier")), strict=True):
        assert barrier == pytest.approx(min(one, other) - low)
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert names >= {"landscape.html", "landscape.csv", "config.yaml", "early,-mine.svg"}


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"measures": ["min"]}, "measures, searches.x: unknown measure 'min'. Did you mean 'mine'?"),
        ({"seed": list(range(14))}, {}, "expected one search, got {'strategy': 1, 'judge': 1, 'seed': 14}"),
        ({"candidate": ["[0,1]"] * 14}, {}, "expected a search among architectures"),
        ({"candidate": ["own:0-1"] * 14}, {}, "expected architectures of one space of lnas"),
        ({"mine": [np.nan] * 14}, {}, "expected scores in at least 3 places"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(
    tmp_path: Path, change: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    archs = walk(NatsTopologySpace(), 1)
    columns = {"mine": np.arange(14.0)} | change
    folders = [write(tmp_path / name, archs, **columns) for name in "ab"]
    with pytest.raises(UsageError, match=re.escape(message)):
        study_landscape({"x": folders}, output=str(tmp_path / "out"), quiet=True, **options)
    assert not (tmp_path / "out").exists()


def test_two_folders_are_needed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected two folders, got 1"):
        study_landscape({"x": ["a", "a"]}, output=str(tmp_path / "out"))
    with pytest.raises(UsageError, match="at least one pair of folders"):
        study_landscape({}, output=str(tmp_path / "out"))
