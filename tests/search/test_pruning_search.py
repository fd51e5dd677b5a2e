from __future__ import annotations

from collections.abc import Callable

import pytest

from lnas.errors import RunError, UsageError
from lnas.search import Objective, PruningSearch
from lnas.spaces import DartsSpace, NatsSizeSpace, NatsTopologySpace
from lnas.types import Estimate, Region, Trial

SPACE = NatsTopologySpace()
VALUE = Objective("value", {"value": True})


def pruned(strategy: PruningSearch, value: Callable[[Region], float], at_a_time: int = 1) -> list[int]:
    """Prune to the end, told of each region the value; return how many regions each round had."""
    sizes = []
    while not strategy.is_over:
        sizes.append(strategy.left)
        rounds = len(strategy.rounds)
        while len(strategy.rounds) == rounds:
            regions = strategy.ask(min(at_a_time, strategy.left))
            strategy.tell([Trial(region, {"value": Estimate(value(region))}) for region in regions])
    return sizes


def worth(of_choice: Callable[[int, int], float]) -> Callable[[Region], float]:
    """Return the value of a region: the sum of what each of its choices is worth."""
    return lambda region: sum(of_choice(k, c) for k, allowed in enumerate(region.choices) for c in allowed)


@pytest.mark.parametrize("at_a_time", [1, 5])
def test_each_edge_keeps_the_operation_that_is_worth_most(at_a_time: int) -> None:
    best = (3, 1, 4, 2, 3, 1)
    strategy = PruningSearch(SPACE, 0, VALUE)
    sizes = pruned(strategy, worth(lambda edge, op: -abs(op - best[edge])), at_a_time)
    assert strategy.answer().genes == best
    assert sizes == [24, 18, 12]
    assert [sum(map(len, region.choices)) for region in strategy.rounds] == [24, 18, 12, 6]


def test_none_is_pruned_from_the_start() -> None:
    regions = PruningSearch(SPACE, 0, VALUE).ask(24)
    assert all(0 not in allowed for region in regions for allowed in region.choices)
    assert len(set(regions)) == 24


def test_several_operations_may_go_at_once() -> None:
    strategy = PruningSearch(SPACE, 0, VALUE, per_round=2)
    assert pruned(strategy, worth(lambda edge, op: op)) == [24, 12]
    assert strategy.answer().genes == (4,) * 6


def test_darts_loses_operations_then_inputs() -> None:
    space = DartsSpace()
    strategy = PruningSearch(space, 0, VALUE, per_round=3)
    sizes = pruned(strategy, worth(lambda edge, op: (op == 1 + edge % 7) + (0.001 * edge if op else 0.0)))
    assert sizes == [28 * 7, 28 * 4, 2 * (3 + 4 + 5)]
    found = strategy.answer()
    space.validate(found)
    for node in space.edges_by_node:
        kept = [edge for edge in node if found.genes[edge]]
        assert kept == list(node)[-2:]
        assert [found.genes[edge] for edge in kept] == [1 + edge % 7 for edge in kept]


def test_a_region_without_a_number_is_the_last_to_be_cut_to() -> None:
    strategy = PruningSearch(SPACE, 0, VALUE)
    regions = strategy.ask(24)
    told = [Trial(region, {"value": Estimate(1.0)}) for region in regions]
    told[0] = Trial(regions[0], {"value": Estimate.failure(ValueError("why"))})
    strategy.tell(told)
    assert 1 in strategy.rounds[1].choices[0]
    assert 1 not in strategy.rounds[1].choices[1]


def test_a_round_without_any_number_ends_clearly() -> None:
    strategy = PruningSearch(SPACE, 0, VALUE)
    failed = [Trial(region, {"value": Estimate.failure(ValueError("why"))}) for region in strategy.ask(24)]
    with pytest.raises(RunError, match=r"a round of PruningSearch: expected a region with value, got '24 without'"):
        strategy.tell(failed)


def test_there_is_no_answer_before_the_end_and_no_proposal_beyond_the_round() -> None:
    strategy = PruningSearch(SPACE, 0, VALUE)
    with pytest.raises(RunError, match="expected one choice per decision, got '18 too many'"):
        strategy.answer()
    strategy.ask(20)
    assert (strategy.left, strategy.limit) == (4, 24)
    with pytest.raises(UsageError, match=r"1 <= n <= 4"):
        strategy.ask(5)


def test_a_replayed_search_goes_on_as_the_uninterrupted_one() -> None:
    value = worth(lambda edge, op: ((edge + 2) * (op + 3)) % 7)
    whole = PruningSearch(SPACE, 0, VALUE)
    pruned(whole, value)
    for kept in (1, 23, 24, 30, 50):
        told: list[Trial] = []
        replayed = PruningSearch(SPACE, 0, VALUE)
        while len(told) < kept:
            (region,) = replayed.ask(1)
            told.append(Trial(Region.from_json(region.to_json()), {"value": Estimate(value(region))}))
            replayed.tell(told[-1:])
        pruned(replayed, value)
        assert replayed.rounds == whole.rounds


def test_a_search_that_draws_nothing_has_no_branches() -> None:
    with pytest.raises(UsageError, match=r"PruningSearch\.reseed\(seed=1\): expected a strategy that draws by a seed"):
        PruningSearch(SPACE, 0, VALUE).reseed(1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PruningSearch(NatsSizeSpace(), 0, VALUE), r"NatsTopologySpace or DartsSpace, got 'nats_size'"),
        (lambda: PruningSearch(SPACE, 0, VALUE, per_round=0), r"per_round >= 1, got 0"),
    ],
)
def test_what_cannot_be_is_refused_at_construction(make: Callable[[], object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make()
