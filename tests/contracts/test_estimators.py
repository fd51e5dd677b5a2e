"""The contract suite over all estimators."""

from __future__ import annotations

import numpy as np
import pytest

from lnas.benchmarks import Scores, load_benchmark
from lnas.data import DigitsData
from lnas.estimators import (
    Estimator,
    LatencyEstimator,
    ScoresEstimator,
    ShortTrainingEstimator,
    TabularEstimator,
    ZeroShotEstimator,
)
from lnas.nets import NetBuilder
from lnas.search import RandomSearch
from lnas.spaces import NatsTopologySpace
from lnas.testing import EstimatorContract
from lnas.types import Arch

NET = NetBuilder(channels=4, cells=1)
ARCHS = RandomSearch(NatsTopologySpace(), seed=3).ask(3)
SCORES = Scores(tuple(ARCHS[1:]), {"snip": np.array([np.nan, 0.25])}, (), ("snip nonfinite", ""))
ESTIMATORS = {
    "latency": lambda: LatencyEstimator(NET, DigitsData(), batch_size=2, runs=3, warmup=1, device="cpu"),
    "scores": lambda: ScoresEstimator(SCORES),
    "short_training": lambda: ShortTrainingEstimator(NET, DigitsData(), steps=3, accelerator="cpu"),
    "tabular": lambda: TabularEstimator(load_benchmark("digits"), "digits-1.0/digits/val@8/mean"),
    "zero_shot": lambda: ZeroShotEstimator(NET, DigitsData(), ["params", "snip"], batch_size=8),
}


class TestEstimators(EstimatorContract):
    @pytest.fixture(params=ESTIMATORS)
    def estimator(self, request: pytest.FixtureRequest) -> Estimator:
        return ESTIMATORS[request.param]()

    @pytest.fixture
    def archs(self) -> list[Arch]:
        return ARCHS
