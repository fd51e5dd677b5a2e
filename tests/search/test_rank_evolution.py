from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lnas.errors import UsageError
from lnas.search import Objective, RankEvolution
from lnas.search.population import mean_difference
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch, Estimate, Trial

SPACE = NatsTopologySpace()
BOTH = Objective("threes+zeros", {"threes": True, "zeros": False})
SMALL = {"population": 16, "sample": 8}


def trials(archs: Sequence[Arch]) -> list[Trial]:
    return [
        Trial(arch, {"threes": Estimate(float(arch.genes.count(3))), "zeros": Estimate(float(arch.genes.count(0)))})
        for arch in archs
    ]


def searched(strategy: RankEvolution, most: int) -> list[Arch]:
    archs = []
    while len(archs) < most and not strategy.is_over:
        archs += strategy.ask(1)
        strategy.tell(trials(archs[-1:]))
    return archs


def test_it_ends_when_diversity_has_stopped_falling() -> None:
    strategy = RankEvolution(SPACE, 0, BOTH, **SMALL, steps=1000, window=30)
    archs = searched(strategy, 2000)
    diversities = [mean_difference(archs[end - 16 : end]) for end in range(17, len(archs) + 1)]
    assert 40 < len(diversities) < 1000
    assert strategy.is_over
    assert min(diversities[-30:]) >= min(diversities[:-30])
    for end in range(31, len(diversities)):
        assert min(diversities[end - 30 : end]) < min(diversities[: end - 30])
    assert strategy.state == {"diversity": pytest.approx(diversities[-1])}


def test_it_ends_after_its_steps_and_does_not_count_the_first_population() -> None:
    strategy = RankEvolution(SPACE, 0, BOTH, **SMALL, steps=25, window=1000)
    assert len(searched(strategy, 2000)) == 16 + 25
    assert strategy.free == 16


def test_the_answer_is_the_best_of_the_last_population_by_its_ranks() -> None:
    strategy = RankEvolution(SPACE, 0, BOTH, **SMALL, steps=50, window=1000)
    last = searched(strategy, 2000)[-16:]
    assert strategy.answer() == last[BOTH.best(trials(last))]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"sample": 300}, r"sample <= 256, the population, got 300"), ({"window": 0}, r"window >= 1, got 0")],
)
def test_what_cannot_be_is_refused_at_construction(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        RankEvolution(SPACE, 0, BOTH, **options)
