from __future__ import annotations

import pytest

from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.estimators import ESTIMATOR_OF, ShortTrainingEstimator, ZeroShotEstimator, factories_for
from lnas.nets import NetBuilder
from lnas.proxies import PROXIES


def test_each_estimator_comes_once_with_all_its_names() -> None:
    made = [factory(NetBuilder(), DigitsData()) for factory in factories_for(["snip", "angle", "params", "loss"])]
    assert [type(estimator) for estimator in made] == [ZeroShotEstimator, ShortTrainingEstimator]
    assert list(made[0].measures) == ["snip", "params"]


@pytest.mark.parametrize("name", ESTIMATOR_OF)
def test_a_name_leads_to_an_estimator_that_gives_it(name: str) -> None:
    (factory,) = factories_for([name, name])
    assert name in factory(NetBuilder(), DigitsData()).measures


def test_accuracies_after_few_epochs_are_of_truncated_training() -> None:
    made = [f(NetBuilder(), DigitsData()) for f in factories_for(["val_acc@1", "train_acc@12", "val_acc@12", "angle"])]
    assert [estimator.protocol.epochs for estimator in made] == [1, 12, 0]
    assert {"train_acc@12", "val_acc@12"} <= made[1].measures.keys()


def test_every_proxy_has_an_estimator() -> None:
    assert ESTIMATOR_OF.keys() >= PROXIES.keys()


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"unknown measure 'angel'\. Did you mean 'angle'\?"):
        factories_for(["angel"])
