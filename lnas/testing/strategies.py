"""The laws of `Strategy`, as a suite to subclass."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from lnas.errors import UsageError
from lnas.search import Strategy
from lnas.seeds import derive_seed
from lnas.spaces import SearchSpace
from lnas.testing.spaces import global_randomness
from lnas.types import Arch, Estimate, Trial

MakeStrategy = Callable[[int], Strategy]
_BATCH = 2
_EXHAUSTIBLE = 64
_BRANCHES = 8


class StrategyContract:
    """What every search strategy must hold to.

    Subclass it in a test file and give it two fixtures: `space`, and `make_strategy`, a function that takes a seed and
    returns a new strategy over that space. The suite imports no test library; what it tells is a fixed pseudo-random
    number of each architecture.

    Attributes:
        proposals: How many architectures each law is tried on, at most the strategy's `limit`.
        measures: The names under which trials carry a number: those that the strategy reads.

    Example:
        All of the tests that a strategy needs at first::

            class TestMyStrategy(StrategyContract):
                @pytest.fixture
                def space(self):
                    return TinySpace()

                @pytest.fixture
                def make_strategy(self, space):
                    return lambda seed: MyStrategy(space, seed)
    """

    proposals = 12
    measures: Sequence[str] = ("value",)

    def test_proposals_are_valid(self, space: SearchSpace, make_strategy: MakeStrategy) -> None:
        for arch in self._proposed(make_strategy(0)):
            space.validate(arch)

    def test_as_many_are_proposed_as_asked_for(self, make_strategy: MakeStrategy) -> None:
        strategy = make_strategy(0)
        assert [len(strategy.ask(n)) for n in (1, 3)] == [1, 3]

    def test_three_at_once_are_three_one_by_one(self, make_strategy: MakeStrategy) -> None:
        at_once, one_by_one = make_strategy(0), make_strategy(0)
        for strategy in (at_once, one_by_one):
            strategy.tell([self._trial(arch) for arch in strategy.ask(1)])
        assert at_once.ask(3) == [arch for _ in range(3) for arch in one_by_one.ask(1)]

    def test_what_is_ahead_depends_on_nothing_untold(self, make_strategy: MakeStrategy) -> None:
        """Asked for before the last were told, it is what it would have been after."""
        at_once, one_by_one = make_strategy(13), make_strategy(13)
        expected = self._proposed(one_by_one)
        proposed: list[Arch] = []
        told = 0
        while told < len(expected):
            proposed += at_once.ask(1) if len(proposed) == told else []
            more = min(at_once.ahead, len(expected) - len(proposed))
            proposed += at_once.ask(more) if more else []
            assert proposed == expected[: len(proposed)]
            at_once.tell([self._trial(proposed[told])])
            told += 1

    def test_same_seed_gives_the_same_proposals(self, make_strategy: MakeStrategy) -> None:
        assert self._proposed(make_strategy(1)) == self._proposed(make_strategy(1))

    def test_a_replayed_strategy_goes_on_as_the_uninterrupted_one(self, make_strategy: MakeStrategy) -> None:
        """Killed after any number of rounds, or between `ask` and `tell`, and told what a store kept."""
        strategy = make_strategy(3)
        rounds = []
        for _ in range(self._count(strategy) // _BATCH):
            rounds.append(strategy.ask(_BATCH))
            strategy.tell([self._trial(arch) for arch in rounds[-1]])
        for kept in range(len(rounds)):
            resumed = make_strategy(3)
            for number, archs in enumerate(rounds):
                assert resumed.ask(_BATCH) == archs, f"round {number} after a kill in round {kept}"
                told = [Arch.from_json(arch.to_json()) for arch in archs] if number < kept else archs
                resumed.tell([self._trial(arch) for arch in told])

    def test_failed_estimates_do_not_stop_it(self, space: SearchSpace, make_strategy: MakeStrategy) -> None:
        """A failure is a status that trials may carry, whatever the measure."""
        strategy = make_strategy(4)
        failure = {name: Estimate.failure(ValueError("no number")) for name in self.measures}
        for _ in range(self._count(strategy) // _BATCH):
            archs = strategy.ask(_BATCH)
            strategy.tell([Trial(arch, failure) for arch in archs])
            for arch in archs:
                space.validate(arch)

    def test_what_does_not_learn_can_be_asked_at_once(self, make_strategy: MakeStrategy) -> None:
        strategy = make_strategy(12)
        if not strategy.learns:
            assert strategy.ask(self._count(strategy)) == self._proposed(make_strategy(12))

    def test_what_it_does_not_want_changes_nothing(self, make_strategy: MakeStrategy) -> None:
        """Asked one at a time, as the caller does that reads what is wanted."""
        told_all, told_wanted = make_strategy(13), make_strategy(13)
        for _ in range(self._count(told_all)):
            wanted = told_wanted.wants
            (arch,), (same,) = told_all.ask(1), told_wanted.ask(1)
            assert same == arch
            trial = self._trial(arch)
            told_all.tell([trial])
            estimates = {name: one for name, one in trial.estimates.items() if wanted is None or name in wanted}
            told_wanted.tell([Trial(arch, estimates)])

    def test_branches_with_the_same_seed_are_the_same(self, make_strategy: MakeStrategy) -> None:
        if _draws(make_strategy(14)):
            assert self._branch(make_strategy, 1) == self._branch(make_strategy, 1)

    def test_branches_with_different_seeds_differ(self, make_strategy: MakeStrategy) -> None:
        if _draws(make_strategy(14)):
            assert len({tuple(self._branch(make_strategy, seed)) for seed in range(_BRANCHES)}) > 1

    def test_settings_survive_json(self, make_strategy: MakeStrategy) -> None:
        """Equal after the round trip: a tuple comes back as a list, and a resumed run would seem to have changed."""
        settings = make_strategy(5).settings
        assert json.loads(json.dumps(settings)) == dict(settings)

    def test_settings_do_not_change_in_use(self, make_strategy: MakeStrategy) -> None:
        """Nor by another seed from now on: they are those that it was built with."""
        strategy = make_strategy(6)
        before = json.dumps(strategy.settings)
        self._proposed(strategy)
        _draws(strategy)
        assert json.dumps(strategy.settings) == before

    def test_settings_tell_different_sequences_apart(self, make_strategy: MakeStrategy) -> None:
        strategies = [make_strategy(seed) for seed in range(4)]
        written = {json.dumps(strategy.settings) for strategy in strategies}
        assert len(written) >= len({tuple(self._proposed(strategy)) for strategy in strategies})

    def test_asking_beyond_the_limit_is_refused(self, make_strategy: MakeStrategy) -> None:
        """Counting what it has proposed already."""
        strategy = make_strategy(7)
        limit = strategy.limit
        _assert_refused(strategy, limit + 1)
        strategy.ask(1)
        _assert_refused(strategy, limit)

    def test_a_small_limit_is_reached_and_not_passed(self, make_strategy: MakeStrategy) -> None:
        strategy = make_strategy(8)
        if strategy.limit <= _EXHAUSTIBLE:
            assert len(strategy.ask(strategy.limit)) == strategy.limit
            _assert_refused(strategy, 1)

    def test_asking_for_none_is_refused(self, make_strategy: MakeStrategy) -> None:
        for n in (0, -1):
            _assert_refused(make_strategy(9), n)

    def test_a_refusal_changes_nothing(self, make_strategy: MakeStrategy) -> None:
        strategy = make_strategy(10)
        _assert_refused(strategy, strategy.limit + 1)
        assert self._proposed(strategy) == self._proposed(make_strategy(10))

    def test_global_randomness_is_left_alone(self, make_strategy: MakeStrategy) -> None:
        before = global_randomness()
        self._proposed(make_strategy(11))
        assert global_randomness() == before

    def _count(self, strategy: Strategy) -> int:
        return min(self.proposals, strategy.limit)

    def _proposed(self, strategy: Strategy, count: int | None = None) -> list[Arch]:
        """Ask one by one, telling what was measured of each."""
        archs: list[Arch] = []
        for _ in range(self._count(strategy) if count is None else count):
            archs += strategy.ask(1)
            strategy.tell([self._trial(archs[-1])])
        return archs

    def _branch(self, make_strategy: MakeStrategy, seed: int) -> list[Arch]:
        """Propose as many as ever, under another seed from the third on."""
        strategy = make_strategy(14)
        archs = self._proposed(strategy, _BATCH)
        strategy.reseed(seed)
        return archs + self._proposed(strategy, self._count(strategy) - _BATCH)

    def _trial(self, arch: Arch) -> Trial:
        return Trial(arch, {name: Estimate.of(derive_seed(name, arch) / 2**32) for name in self.measures})


def _draws(strategy: Strategy) -> bool:
    """Tell whether it can be given a seed, and give it one."""
    try:
        strategy.reseed(0)
    except UsageError:
        return False
    return True


def _assert_refused(strategy: Strategy, n: int) -> None:
    try:
        archs = strategy.ask(n)
    except UsageError:
        return
    raise AssertionError(f"ask({n}) gave {len(archs)} architectures instead of a UsageError")
