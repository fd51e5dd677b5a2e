"""Results that are made up: folders with a store, a file of scores and a config."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lnas.benchmarks import AccuracyKey, Scores, load_benchmark
from lnas.store import Pick, Store
from lnas.types import Arch, Estimate

KEY = "digits-1.0/digits/test@8/mean"


@pytest.fixture(scope="session")
def known() -> tuple[list[Arch], np.ndarray]:
    """The first 60 architectures of the digits benchmark, and their accuracies."""
    benchmark = load_benchmark("digits")
    archs = list(benchmark.archs())[:60]  # type: ignore[attr-defined]
    return archs, benchmark.queries(archs, AccuracyKey.parse(KEY))


@pytest.fixture
def scored(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder as `lnas score` does."""

    def scored(
        name: str, archs: Sequence[Arch], problems: Sequence[str] = (), settings: Mapping[str, Any] = {}, **columns: Any
    ) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        numbers = {measure: np.array(values, dtype=float) for measure, values in columns.items()}
        (folder / "scores.parquet").write_bytes(Scores(tuple(archs), numbers, (), tuple(problems)).to_parquet())
        with closing(Store(folder / "store.sqlite")) as store:
            store.begin_run("score", settings, {"threads": 1})
        return folder

    return scored


@pytest.fixture
def trained(tmp_path: Path) -> Callable[..., Path]:
    """Write the store of a run that picked architectures and trained them in full."""

    def trained(name: str, **picks: tuple[Arch, Sequence[float]]) -> Path:
        protocol = {"class": "somewhere.RetrainingProtocol", "epochs": 3}
        repeats = max(len(reached) for _, reached in picks.values())
        settings = {"retraining": protocol, "repeats": repeats, "seed": 5}
        with closing(Store(_made(tmp_path / name) / "store.sqlite")) as store:
            store.begin_run("run", settings, {})
            store.set_picks("run", [Pick(role, arch) for role, (arch, _) in picks.items()])
            for arch, reached in picks.values():
                for seed, accuracy in enumerate(reached, start=5):
                    store.add(protocol, arch, seed, {"test_acc": Estimate(accuracy)})
        return tmp_path / name

    return trained


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder
