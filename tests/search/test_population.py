from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lnas.search.objective import Objective
from lnas.search.population import AgeingPopulation, Replacement, mean_difference
from lnas.types import Arch, Estimate, Trial

VALUE = Objective("value", {"value": True})
SUM = Objective("value+size", {"value": True, "size": False})


def trial(gene: int, value: float, size: float = 0.0) -> Trial:
    return Trial(Arch("tiny", (gene,)), {"value": Estimate.of(value), "size": Estimate.of(size)})


def population(
    objective: Objective, trials: list[Trial], sample: int, replacement: Replacement, size: int = 4
) -> AgeingPopulation:
    made = AgeingPopulation(size, sample, replacement, objective, "Evolution")
    for each in trials:
        made.add(each)
    return made


def winners(members: AgeingPopulation) -> Counter[int]:
    rng = np.random.default_rng(0)
    return Counter(members.winner(rng).genes[0] for _ in range(400))


def test_the_oldest_leaves_not_the_worst() -> None:
    members = population(VALUE, [trial(gene, value=-gene) for gene in range(6)], 4, "without")
    assert [each.arch.genes[0] for each in members.members] == [2, 3, 4, 5]
    assert set(winners(members)) == {2}


@pytest.mark.parametrize("objective", [VALUE, SUM])
def test_a_tournament_of_all_without_replacement_is_won_by_the_best(objective: Objective) -> None:
    members = population(
        objective, [trial(gene, value=gene % 3, size=(gene - 2) ** 2) for gene in range(4)], 4, "without"
    )
    assert set(winners(members)) == {2}


def test_with_replacement_the_best_may_be_missing_from_a_sample_of_all() -> None:
    members = population(VALUE, [trial(gene, value=gene) for gene in range(4)], 4, "with")
    won = winners(members)
    # P(best of 4 draws <= k) = ((k + 1) / 4)^4
    expected = [400 * (((k + 1) / 4) ** 4 - (k / 4) ** 4) for k in range(4)]
    assert [won[k] for k in range(4)] == pytest.approx(expected, abs=35)


def test_a_tournament_of_one_is_won_by_chance_and_members_without_a_number_lose() -> None:
    trials = [trial(0, float("nan")), trial(1, -5.0)]
    assert set(winners(population(VALUE, trials, 2, "without"))) == {1}
    assert set(winners(population(VALUE, trials, 1, "without"))) == {0, 1}


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), max_size=12))
@settings(deadline=None, max_examples=25)
def test_mean_difference_is_that_of_all_pairs(genes: list[tuple[int, ...]]) -> None:
    pairs = list(itertools.combinations(genes, 2))
    by_pairs = sum(sum(a != b for a, b in zip(*pair, strict=True)) for pair in pairs) / max(1, len(pairs))
    assert mean_difference([Arch("tiny", each) for each in genes]) == pytest.approx(by_pairs)
