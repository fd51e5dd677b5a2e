"""The replay of races reads what `lnas score` leaves."""

from __future__ import annotations

import runpy
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from lnas.benchmarks import AccuracyKey, Scores, load_benchmark
from lnas.store import Store
from lnas.types import Arch, Estimate

SCRIPT = Path(__file__).parents[2] / "scripts" / "replay_racing.py"
KEY = "digits-1.0/digits/test@8/mean"
PROTOCOL = {"class": "lnas.estimators.short_training.ShortTrainingProtocol", "steps": 50}


def write_scores(folder: Path, count: int) -> None:
    """Leave trainings whose angle after each step tells the accuracy, but for the first 20."""
    benchmark, key = load_benchmark("digits"), AccuracyKey.parse(KEY)
    archs = sorted(benchmark.archs(), key=str)[:count]
    known = archs[:-1]
    with closing(Store(folder / "store.sqlite")) as store:
        store.begin_run("score", {"estimators": [PROTOCOL, {"class": "Other"}], "seed": 3}, {})
        for arch in known:
            merit = 100 - benchmark.query(arch, key)
            curve = np.where(np.arange(50) < 20, -merit, merit).tolist()
            angle, loss = (Estimate.of(merit, 1.0, {"curves": {name: curve}}) for name in ("angle", "loss"))
            store.add(PROTOCOL, arch, 3, {"angle": angle, "loss": loss, "angle_feat": Estimate.of(9.0)})
            store.add({"class": "Other"}, arch, 3, {"params": Estimate.of(7.0)})
    columns = {"angle": np.zeros(count), "params": np.full(count, 7.0)}
    (folder / "scores.parquet").write_bytes(Scores((*known, Arch("nats_topology", (0,) * 6)), columns).to_parquet())


def test_a_folder_of_scores_is_replayed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_scores(tmp_path, 31)
    options = ["--benchmark", "digits", "--key", KEY, "--rank", "angle", "--candidates", "12", "--searches", "20"]
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), str(tmp_path), *options])
    runpy.run_path(str(SCRIPT), run_name="__main__")
    printed = capsys.readouterr().out
    assert "20 searches of 30 architectures by angle" in printed
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in printed.splitlines() if "│" in line]
    assert len(rows) == 3
    assert {row[0]: row[-1] for row in rows} == {
        "12, 25, 50": "49.5 %",
        "6, 12, 25, 50": "28.7 %",  # 12 x 6, 6 x 6, 3 x 13, 1 x 25 of 12 x 50
        "25, 50": "75.0 %",
    }
    misled, sound = rows[0], rows[-1]
    assert sound[5:7] == ["+0.00 [+0.00, +0.00]", "100 %"]
    assert misled[5].startswith("-")
    assert misled[6] == "0 %"
