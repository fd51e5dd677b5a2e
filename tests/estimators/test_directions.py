from __future__ import annotations

import pytest

from lnas.data import DigitsData
from lnas.estimators import ESTIMATOR_OF, factories_for
from lnas.estimators.directions import known_direction
from lnas.nets import NetBuilder


@pytest.mark.parametrize("name", [*ESTIMATOR_OF, "train_acc@3", "val_acc@12"])
def test_it_is_the_direction_that_the_estimator_has(name: str) -> None:
    (factory,) = factories_for([name])
    assert known_direction(name) is factory(NetBuilder(), DigitsData()).measures[name]


@pytest.mark.parametrize("name", ["", "accuracy", "val_acc", "val_acc@0", "val_acc@12/mean", "Angle"])
def test_of_what_lnas_does_not_take_it_knows_none(name: str) -> None:
    assert known_direction(name) is None
