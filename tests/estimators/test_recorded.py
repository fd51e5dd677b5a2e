from __future__ import annotations

import pickle
from collections.abc import Mapping

from lnas.estimators import RecordedEstimator
from lnas.testing import TinySpace
from lnas.types import Arch, Estimate

FIRST, SECOND = (TinySpace().parse(text) for text in ("010", "011"))


class Counted(RecordedEstimator):
    """Counts how often it looks."""

    measures: Mapping[str, bool] = {"genes": True}
    protocol = None

    def __init__(self) -> None:
        super().__init__()
        self.looked: list[Arch] = []

    def look_up(self, arch: Arch) -> dict[str, Estimate]:
        self.looked.append(arch)
        return {"genes": Estimate(float(sum(arch.genes)))}


def test_each_architecture_is_looked_up_once_whatever_the_seed() -> None:
    estimator = Counted()
    numbers = [estimator.estimate(arch, seed=k)["genes"].value for k, arch in enumerate([FIRST, SECOND, FIRST])]
    assert numbers == [1.0, 2.0, 1.0]
    assert estimator.looked == [FIRST, SECOND]


def test_what_a_caller_does_with_its_answer_is_its_own_affair() -> None:
    estimator = Counted()
    estimator.estimate(FIRST, seed=0).clear()
    assert estimator.estimate(FIRST, seed=0) == {"genes": Estimate(1.0)}


def test_it_says_that_it_is_recorded_and_may_be_pickled() -> None:
    copied = pickle.loads(pickle.dumps(Counted()))
    assert copied.is_recorded
    assert copied.is_repeatable
    assert copied.estimate(SECOND, seed=0) == {"genes": Estimate(2.0)}
