"""Score files and evidence that are made up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from lnas.benchmarks import AccuracyKey, Scores, load_benchmark
from lnas.pipeline.parquet import columns_parquet
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch

KEY = "digits-1.0/digits/test@8/mean"
SPACE = NatsTopologySpace()


@pytest.fixture(scope="session")
def known() -> tuple[list[Arch], np.ndarray]:
    """The first 40 architectures of the digits benchmark, and their accuracies."""
    benchmark = load_benchmark("digits")
    archs = list(benchmark.archs())[:40]  # type: ignore[attr-defined]
    return archs, benchmark.queries(archs, AccuracyKey.parse(KEY))


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Write a file of scores; return its path."""

    def write(name: str, archs: Sequence[Arch], **columns: Sequence[float]) -> str:
        scores = Scores(tuple(archs), {column: np.array(values, dtype=float) for column, values in columns.items()})
        file = tmp_path / name
        file.write_bytes(scores.to_csv() if name.endswith(".csv") else scores.to_parquet())
        return str(file)

    return write


@pytest.fixture
def write_supernet(tmp_path: Path) -> Callable[..., Path]:
    """Write scores as a supernet's training does, the rows of each epoch in another order; return the folder."""

    def write(label: str, archs: Sequence[Arch], epochs: Sequence[int], **scores: Sequence[Sequence[float]]) -> Path:
        folder = tmp_path / label
        folder.mkdir(exist_ok=True)
        orders = [np.random.default_rng(epoch).permutation(len(archs)) for epoch in epochs]
        columns = {
            "epoch": [epoch for epoch in epochs for _ in archs],
            "arch": [str(archs[k]) for order in orders for k in order],
            "truth": [0.0] * len(archs) * len(epochs),
        } | {
            name: [own[k] for own, order in zip(rows, orders, strict=True) for k in order]
            for name, rows in scores.items()
        }
        (folder / "scores.parquet").write_bytes(columns_parquet(columns))
        forgetting = {"epoch": [1, 2], "step": [9, 18], "count": [3.0, 4.0], "mean": [-0.02, 0.01], "std": [0.1, None]}
        (folder / "forgetting.parquet").write_bytes(columns_parquet(forgetting))
        return folder

    return write


@pytest.fixture
def evidence() -> Callable[..., Evidence]:
    """Make evidence of the first cells of the space."""

    def evidence(truth: Sequence[float], estimates: Mapping[str, Sequence[float]], **low: bool) -> Evidence:
        archs = [arch for arch, _ in zip(SPACE.archs(), truth, strict=False)]
        values = {name: np.array(own, dtype=float) for name, own in estimates.items()}
        directions = {name: low.get(name, True) for name in values}
        return Evidence(SPACE, archs, values, directions, {"key": np.array(truth, dtype=float)}, 0, 0)

    return evidence
