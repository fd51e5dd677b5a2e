from __future__ import annotations

import pytest

from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.estimators import ESTIMATOR_OF, ShortTrainingEstimator, ZeroShotEstimator, factories_for
from lnas.nets import NetBuilder
from lnas.spaces import NatsTopologySpace


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


def test_params_are_counted_without_allocating() -> None:
    estimator = ZeroShotEstimator(NetBuilder(), DigitsData())
    arch = NatsTopologySpace().parse("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    assert estimator.estimate(arch, seed=0)["params"].value == 73306
    assert estimator.measures == {"params": True}
