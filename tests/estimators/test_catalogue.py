from __future__ import annotations

import pytest

from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.estimators import ESTIMATOR_OF, ShortTrainingEstimator, ZeroShotEstimator, factories_for
from lnas.nets import NetBuilder
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch


def test_each_estimator_comes_once() -> None:
    assert factories_for(["angle", "params", "loss"]) == [ShortTrainingEstimator, ZeroShotEstimator]


@pytest.mark.parametrize("name", ESTIMATOR_OF)
def test_a_name_leads_to_an_estimator_that_gives_it(name: str) -> None:
    assert name in factories_for([name])[0](NetBuilder(), DigitsData()).measures


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown measure 'angel'\. Did you mean 'angle'\?"):
        factories_for(["angel"])


def test_a_misspelt_proxy_is_answered_with_the_known() -> None:
    with pytest.raises(UsageError, match=r"unknown measure 'param'\. Did you mean 'params'\?"):
        ZeroShotEstimator(NetBuilder(), DigitsData(), names=["param"])


def test_a_network_that_cannot_be_built_is_a_failure_with_its_reason() -> None:
    def broken(arch: Arch, num_classes: int) -> object:
        raise MemoryError("no room")

    estimate = ZeroShotEstimator(broken, DigitsData()).estimate(Arch("x", ()), seed=0)["params"]
    assert estimate.status == "failed"
    assert estimate.detail["error"] == "MemoryError: no room"


def test_params_are_those_of_the_benchmark() -> None:
    estimator = ZeroShotEstimator(NetBuilder(), DigitsData())
    arch = NatsTopologySpace().parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    assert estimator.estimate(arch, seed=0)["params"].value == 73306
    assert estimator.measures == {"params": True}
