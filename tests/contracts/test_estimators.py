"""The contract suite over all estimators."""

from __future__ import annotations

import pytest

from lnas.data import DigitsData
from lnas.estimators import Estimator, ShortTrainingEstimator, ZeroShotEstimator
from lnas.nets import NetBuilder
from lnas.search import RandomSearch
from lnas.spaces import NatsTopologySpace
from lnas.testing import EstimatorContract
from lnas.types import Arch

NET = NetBuilder(channels=4, cells=1)
ESTIMATORS = {
    "short_training": lambda: ShortTrainingEstimator(NET, DigitsData(), steps=3, accelerator="cpu"),
    "zero_shot": lambda: ZeroShotEstimator(NET, DigitsData(), ["params", "snip"], batch_size=8),
}


class TestEstimators(EstimatorContract):
    @pytest.fixture(params=ESTIMATORS)
    def estimator(self, request: pytest.FixtureRequest) -> Estimator:
        return ESTIMATORS[request.param]()

    @pytest.fixture
    def archs(self) -> list[Arch]:
        return RandomSearch(NatsTopologySpace(), seed=3).ask(3)
