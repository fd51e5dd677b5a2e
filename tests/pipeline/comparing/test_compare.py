"""Two results side by side, from files to page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from lnas.benchmarks import Scores
from lnas.errors import UsageError
from lnas.pipeline.comparing.compare import compare
from lnas.pipeline.comparing.measured import measured_of
from lnas.pipeline.comparing.source import open_source
from lnas.pipeline.truth import Truth
from lnas.store import Store
from lnas.types import Arch, Estimate

KEY = "digits-1.0/digits/test@8/mean"
Known = tuple[list[Arch], np.ndarray]


def test_says_what_differs_and_whether_it_matters(known: Known, scored: Callable[..., Path], tmp_path: Path) -> None:
    archs, accuracies = known
    noise = np.random.default_rng(0).normal(size=len(archs))
    worse = np.where(np.arange(len(archs)) == 7, np.nan, noise)
    problems = ["mine failed" if k == 7 else "" for k in range(len(archs))]
    a = scored("a", archs, problems, {"seed": 0}, mine=worse, params=accuracies)
    b = scored("b", archs[::-1], (), {"seed": 1}, mine=accuracies[::-1], params=accuracies[::-1])
    out = tmp_path / "out"
    report = compare(str(a), str(b), Truth("digits", KEY), resamples=100, output=str(out), quiet=True)
    assert report.facts["mine"].startswith("B ranks better: tau +")
    assert report.facts["params"] == "same numbers on 60 architectures"
    tables = {table.name: table.texts() for table in report.tables}
    assert tables["differences"] == [["settings", "seed", "0", "1"]]
    assert tables["statuses"] == [["mine", "failed", "ok", "1", str(archs[7])]]
    assert tables["truth"][0][-1] == f"{accuracies.max():.2f}"  # what B puts first
    assert {"compare.html", "measures.parquet", "measures.csv", "measures.md"} <= {file.name for file in out.iterdir()}
    assert "B ranks better" in (out / "compare.html").read_text()


def test_two_protocols_of_one_store_are_told_apart_by_their_keys(known: Known, tmp_path: Path) -> None:
    archs, _ = known
    with_two = Store(tmp_path / "store.sqlite")
    with_two.begin_run("study", {"seed": 0}, {})
    for steps in (1, 2):
        for k, arch in enumerate(archs[:10]):
            with_two.add({"steps": steps}, arch, 0, {"loss": Estimate(float(k * (-1) ** steps))})
    with_two.close()
    folder = str(tmp_path)
    keys = list(open_source("a", folder).protocols)
    with pytest.raises(UsageError, match=f"one protocol that gives loss, got 2. Choose one as PATH@KEY: {keys[0]}"):
        measured_of("a", open_source("a", folder))
    report = compare(f"{folder}@{keys[0]}", f"{folder}@{keys[1][:6]}", output=str(tmp_path / "o"), quiet=True)
    assert report.facts["loss"].startswith("tau between A and B -1.000")
    assert report.tables[0].texts()[0][:2] == ["protocol", "steps"]
    with pytest.raises(UsageError, match="begins with ffff"):
        open_source("a", f"{folder}@ffff")


def test_bad_input_is_one_line(known: Known, scored: Callable[..., Path], tmp_path: Path) -> None:
    archs, accuracies = known
    a = str(scored("a", archs[:5], mine=accuracies[:5]))
    others = {
        "elsewhere": (Scores((Arch("nats_size", (0, 0, 0, 0, 0)),), {"mine": np.ones(1)}), "of one space"),
        "disjoint": (Scores((archs[9],), {"mine": np.ones(1)}), "nothing in common; A: mine of 5 architectures"),
    }
    for name, (scores, message) in others.items():
        file = tmp_path / f"{name}.csv"
        file.write_bytes(scores.to_csv())
        with pytest.raises(UsageError, match=message) as raised:
            compare(a, str(file), output=str(tmp_path / "o"), quiet=True)
        assert "\n" not in str(raised.value)
    (tmp_path / "empty").mkdir()
    for wrong, message in (("empty", "a folder without one"), ("absent", "nothing there")):
        with pytest.raises(UsageError, match=message):
            compare(a, str(tmp_path / wrong), output=str(tmp_path / "o"), quiet=True)
    with pytest.raises(UsageError, match="another folder than A and B"):
        compare(a, a, output=a, quiet=True)
    occupied = scored("occupied", archs[:5], mine=accuracies[:5])
    (occupied / "config.yaml").write_text("of a run")
    with pytest.raises(UsageError, match=r"a folder of its own, got 'a store\.sqlite there'"):
        compare(a, a, output=str(occupied), quiet=True, config="of a comparison")
    assert (occupied / "config.yaml").read_text() == "of a run"


def test_a_store_is_read_without_a_file_of_scores(known: Known, scored: Callable[..., Path]) -> None:
    archs, _ = known
    folder = scored("a", archs[:2], mine=[1.0, 2.0])
    (folder / "scores.parquet").unlink()
    store = Store(folder / "store.sqlite")
    store.add({"p": 1}, archs[0], 3, {"mine": Estimate(4.0), "other": Estimate.of(np.inf)})
    store.close()
    measured = measured_of("a", open_source("a", str(folder / "store.sqlite")))
    assert measured.archs == (archs[0],)
    assert measured.values["mine"].tolist() == [4.0]
    assert measured.status("other", archs[0], np.nan) == "nonfinite"
    assert measured.status("other", archs[1], np.nan) == "missing"


def test_where_neither_has_a_number_nothing_is_the_same(
    known: Known, scored: Callable[..., Path], tmp_path: Path
) -> None:
    archs, _ = known
    a, b = (str(scored(name, archs[:2], mine=[np.nan, np.nan])) for name in "ab")
    report = compare(a, b, output=str(tmp_path / "o"), quiet=True)
    assert "they cannot be compared" in report.facts["mine"]
