"""The contract suite over all estimators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from lnas.benchmarks import Scores, load_benchmark
from lnas.data import DigitsData
from lnas.estimators import (
    Estimator,
    LatencyEstimator,
    OneShotEstimator,
    ScoresEstimator,
    ShortTrainingEstimator,
    TabularEstimator,
    ZeroShotEstimator,
)
from lnas.nets import NetBuilder, build_supernet
from lnas.search import RandomSearch
from lnas.spaces import NatsTopologySpace
from lnas.testing import EstimatorContract
from lnas.types import Arch

NET = NetBuilder(channels=4, cells=1)
ARCHS = RandomSearch(NatsTopologySpace(), seed=3).ask(3)
SCORES = Scores(tuple(ARCHS[1:]), {"snip": np.array([np.nan, 0.25])}, (), ("snip nonfinite", ""))


def saved_supernet(folder: Path) -> str:
    path = folder / "supernet.pt"
    torch.save(build_supernet(NatsTopologySpace(), channels=4, cells=1, affine=True).state_dict(), path)
    return str(path)


ESTIMATORS = {
    "latency": lambda folder: LatencyEstimator(NET, DigitsData(), batch_size=2, runs=3, warmup=1, device="cpu"),
    "one_shot": lambda folder: OneShotEstimator(
        NET, DigitsData(), saved_supernet(folder), NET, batches=1, batch_size=8
    ),
    "scores": lambda folder: ScoresEstimator(SCORES),
    "short_training": lambda folder: ShortTrainingEstimator(NET, DigitsData(), steps=3, accelerator="cpu"),
    "tabular": lambda folder: TabularEstimator(load_benchmark("digits"), "digits-1.0/digits/val@8/mean"),
    "zero_shot": lambda folder: ZeroShotEstimator(NET, DigitsData(), ["params", "snip"], batch_size=8),
}


class TestEstimators(EstimatorContract):
    @pytest.fixture(params=ESTIMATORS)
    def estimator(self, request: pytest.FixtureRequest, tmp_path: Path) -> Estimator:
        return ESTIMATORS[request.param](tmp_path)

    @pytest.fixture
    def archs(self) -> list[Arch]:
        return ARCHS
