"""An estimator that costs nothing, and what belongs to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from lnas.estimators import Estimator
from lnas.pipeline.study.measured import Measured
from lnas.pipeline.study.pool import Pool
from lnas.seeds import derive_seed
from lnas.types import Arch, Estimate

STEPS = 4


@dataclass(frozen=True)
class FakeProtocol:
    name: str


class Fake(Estimator):
    """Numbers derived from names, with a curve of the angle and of the loss; remembers whom it was asked about."""

    def __init__(self, name: str, bad: Mapping[Arch, Estimate] | None = None) -> None:
        self.name = name
        self.bad = bad or {}
        self.asked: list[Arch] = []

    @property
    def measures(self) -> Mapping[str, bool]:
        return {"angle": False, "loss": False, "speed": True}

    @property
    def protocol(self) -> FakeProtocol:
        return FakeProtocol(self.name)

    def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
        self.asked.append(candidate)
        if candidate in self.bad:
            return dict.fromkeys(self.measures, self.bad[candidate])
        value = derive_seed(seed, self.name, candidate) / 2**32
        curve = [value * (step + 1) / STEPS for step in range(STEPS)]
        return {
            "angle": Estimate(value, seconds=2.0, detail={"curves": {"angle": curve}}),
            "loss": Estimate(1 - value, seconds=2.0, detail={"curves": {"loss": [1 - point for point in curve]}}),
            "speed": Estimate(value, seconds=2.0),
        }


@pytest.fixture
def fake() -> type[Fake]:
    return Fake


@pytest.fixture
def made_up() -> Callable[..., tuple[Measured, Pool]]:
    """A pool with given accuracies, and its measures by name, `params` among them."""

    def make(
        accuracies: Sequence[float],
        directions: Mapping[str, bool],
        trivial: Sequence[int] = (),
        **measures: Sequence[float],
    ) -> tuple[Measured, Pool]:
        archs = [Arch("tiny", tuple(map(int, f"{number:03b}"))) for number in range(len(accuracies))]
        rows = [
            {name: Estimate.of(values[k], seconds=3.0) for name, values in measures.items()} for k in range(len(archs))
        ]
        own = [{name: row[name] for name in row if name != "params"} for row in rows]
        shared = [{"params": row["params"]} for row in rows]
        flags = np.isin(np.arange(len(archs)), trivial)
        measured = Measured("base", archs, own, shared, {**directions, "params": True}, "0123456789abcdef")
        return measured, Pool(archs, np.array(accuracies, dtype=float), flags)

    return make
