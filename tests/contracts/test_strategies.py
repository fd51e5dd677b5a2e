"""The laws of every strategy, and that each law notices a strategy that breaks it."""

from __future__ import annotations

import inspect
import random

import numpy as np
import pytest

import lnas.search
from lnas.errors import UsageError
from lnas.search import (
    FPNAS,
    NSGA2,
    AssistedEvolution,
    LocalSearch,
    Objective,
    RandomSearch,
    RankEvolution,
    RegularizedEvolution,
    Reinforce,
    Strategy,
)
from lnas.spaces import NatsTopologySpace, SearchSpace
from lnas.testing import StrategyContract, TinySpace
from lnas.testing.strategies import MakeStrategy
from lnas.types import Arch

VALUE = Objective("value", {"value": True})
SIZE = Objective("size", {"size": False})
SUM = Objective("value+size", {"value": True, "size": False})
STRATEGIES = {
    "RandomSearch-isomorphic": lambda space, seed: RandomSearch(space, seed, distinct="isomorphic"),
    "RandomSearch-arch": lambda space, seed: RandomSearch(space, seed, distinct="arch"),
    "RegularizedEvolution-value": lambda space, seed: RegularizedEvolution(space, seed, VALUE, population=4, sample=2),
    "RegularizedEvolution-sum": lambda space, seed: RegularizedEvolution(
        space, seed, SUM, population=4, sample=3, replacement="without", counted="children"
    ),
    "Reinforce-as_published": lambda space, seed: Reinforce(space, seed, SUM),
    "Reinforce-as_released": lambda space, seed: Reinforce(space, seed, SUM, "as_released", steps=8),
    "Reinforce-nats_bench": lambda space, seed: Reinforce(space, seed, VALUE, "nats_bench", lr=0.01),
    "FPNAS": lambda space, seed: FPNAS(space, seed, SUM),
    "LocalSearch-best": lambda space, seed: LocalSearch(space, seed, SUM),
    "LocalSearch-first": lambda space, seed: LocalSearch(space, seed, VALUE, "first better neighbor"),
    "RankEvolution": lambda space, seed: RankEvolution(space, seed, SUM, population=4, sample=3, steps=6, window=3),
    "AssistedEvolution": lambda space, seed: AssistedEvolution(
        space, seed, VALUE, SIZE, scouts=6, population=3, sample=2
    ),
    "AssistedEvolution-sum": lambda space, seed: AssistedEvolution(
        space, seed, SUM, SUM, scouts=4, population=4, sample=2, replacement="with"
    ),
    "NSGA2": lambda space, seed: NSGA2(space, seed, SUM, population=3),
    "NSGA2-mutants": lambda space, seed: NSGA2(space, seed, SUM, population=5, crossover=0),
}


class TestStrategies(StrategyContract):
    measures = ("value", "size")

    @pytest.fixture(params=[NatsTopologySpace, TinySpace])
    def space(self, request: pytest.FixtureRequest) -> SearchSpace:
        return request.param()

    @pytest.fixture(params=STRATEGIES)
    def make_strategy(self, request: pytest.FixtureRequest, space: SearchSpace) -> MakeStrategy:
        return lambda seed: STRATEGIES[request.param](space, seed)


def test_no_strategy_is_left_out():
    public = [item for item in vars(lnas.search).values() if inspect.isclass(item) and issubclass(item, Strategy)]
    concrete = {strategy.__name__ for strategy in public if not inspect.isabstract(strategy)}
    of_regions = {"PruningSearch"}  # tests/search has its laws: it knows the next proposals when it was told the last
    assert concrete - of_regions <= {name.split("-")[0] for name in STRATEGIES}


class Unseeded(RandomSearch):
    def __init__(self, space, seed):
        super().__init__(space, seed)
        self._rng = np.random.default_rng()


class OneTooFew(RandomSearch):
    def ask(self, n):
        return super().ask(n)[: max(1, n - 1)]


class Batched(RandomSearch):
    def ask(self, n):
        return super().ask(n)[::-1]


class Foreign(RandomSearch):
    def ask(self, n):
        return [Arch("elsewhere", arch.genes) for arch in super().ask(n)]


class Remembering(RandomSearch):
    """Forgets what it was told when it is built again, as if its state lay in the class."""

    told = 0

    def ask(self, n):
        archs = super().ask(n)
        return archs[::-1] if Remembering.told > 4 else archs

    def tell(self, trials):
        Remembering.told += len(trials)


class Fragile(RandomSearch):
    def tell(self, trials):
        for trial in trials:
            assert trial.estimates["value"].status == "ok"


class Listening(RandomSearch):
    """Says that it does not learn, and skips one for each trial it is told."""

    def tell(self, trials):
        self.ask(len(trials))


class Insatiable(RegularizedEvolution):
    """Learns from a measure that it does not ask for."""

    wants = ()

    def __init__(self, space, seed):
        super().__init__(space, seed, VALUE, population=2, sample=2, replacement="without")


class Forking(RandomSearch):
    def reseed(self, seed):
        self._rng = np.random.default_rng()


class Deaf(RandomSearch):
    def reseed(self, seed):
        pass


class Hasty(RegularizedEvolution):
    """Says that its children are known before their parents are."""

    def __init__(self, space, seed):
        super().__init__(space, seed, VALUE, population=2, sample=2)

    ahead = 4


class TupleSettings(RandomSearch):
    @property
    def settings(self):
        return {**super().settings, "sizes": (1, 2)}


class CountingSettings(RandomSearch):
    @property
    def settings(self):
        return {**super().settings, "seen": len(self._seen)}


class SilentSettings(RandomSearch):
    @property
    def settings(self):
        return {"strategy": "SilentSettings"}


class Endless(RandomSearch):
    """Goes on beyond its limit, and takes any number for a number to ask."""

    def ask(self, n):
        return [self._space.sample(self._rng) for _ in range(n)]


class Spoilt(RandomSearch):
    def ask(self, n):
        try:
            return super().ask(n)
        except UsageError:
            self._rng.random()
            raise


class Ambient(RandomSearch):
    def ask(self, n):
        random.random()
        return super().ask(n)


BROKEN = {
    "test_proposals_are_valid": Foreign,
    "test_as_many_are_proposed_as_asked_for": OneTooFew,
    "test_three_at_once_are_three_one_by_one": Batched,
    "test_what_is_ahead_depends_on_nothing_untold": Hasty,
    "test_same_seed_gives_the_same_proposals": Unseeded,
    "test_a_replayed_strategy_goes_on_as_the_uninterrupted_one": Remembering,
    "test_failed_estimates_do_not_stop_it": Fragile,
    "test_what_does_not_learn_can_be_asked_at_once": Listening,
    "test_what_it_does_not_want_changes_nothing": Insatiable,
    "test_branches_with_the_same_seed_are_the_same": Forking,
    "test_branches_with_different_seeds_differ": Deaf,
    "test_settings_survive_json": TupleSettings,
    "test_settings_do_not_change_in_use": CountingSettings,
    "test_settings_tell_different_sequences_apart": SilentSettings,
    "test_asking_beyond_the_limit_is_refused": Endless,
    "test_a_small_limit_is_reached_and_not_passed": Endless,
    "test_asking_for_none_is_refused": Endless,
    "test_a_refusal_changes_nothing": Spoilt,
    "test_global_randomness_is_left_alone": Ambient,
}


def test_every_law_has_a_strategy_that_breaks_it():
    assert {name for name in vars(StrategyContract) if name.startswith("test_")} == set(BROKEN)


@pytest.mark.parametrize("law", BROKEN)
def test_the_law_notices_a_strategy_that_breaks_it(law, monkeypatch):
    monkeypatch.setattr(Remembering, "told", 0)
    space = TinySpace()
    offered = {"space": space, "make_strategy": lambda seed: BROKEN[law](space, seed)}
    test = getattr(StrategyContract(), law)
    wanted = {name: offered[name] for name in inspect.signature(test).parameters}
    with pytest.raises((AssertionError, UsageError)):
        test(**wanted)
