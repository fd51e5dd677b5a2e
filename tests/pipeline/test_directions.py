from __future__ import annotations

import pytest

from lnas.data import DigitsData
from lnas.errors import UsageError
from lnas.estimators import ZeroShotEstimator
from lnas.nets import NetBuilder
from lnas.pipeline.directions import directions_of


def estimator(*names: str) -> ZeroShotEstimator:
    return ZeroShotEstimator(NetBuilder(), DigitsData(), names)


def test_measures_keep_their_order_and_direction() -> None:
    found = directions_of([estimator("snip", "ntk_cond"), estimator("flops")])
    assert list(found.items()) == [("snip", True), ("ntk_cond", False), ("flops", True)]


def test_a_measure_from_two_estimators_is_refused() -> None:
    with pytest.raises(UsageError, match="each measure from one estimator, got 'snip'"):
        directions_of([estimator("snip"), estimator("flops", "snip")])
