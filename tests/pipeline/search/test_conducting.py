"""Searches that are killed, grow, branch and share: they repeat themselves, and nothing is measured twice."""

from __future__ import annotations

import inspect
import itertools
import sys
import textwrap
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lnas.search
from lnas.errors import RunError, UsageError
from lnas.execution import Serial
from lnas.execution.base import attempt
from lnas.pipeline.display import Display
from lnas.pipeline.search import conducting
from lnas.pipeline.search.budget import Evaluations, Seconds, UntilOver
from lnas.pipeline.search.conducting import Search, conduct
from lnas.pipeline.search.course import Branch
from lnas.search import (
    FPNAS,
    NSGA2,
    AssistedEvolution,
    LocalSearch,
    Objective,
    PruningSearch,
    RandomSearch,
    RankEvolution,
    RegularizedEvolution,
    Reinforce,
    Strategy,
)
from lnas.spaces import NatsTopologySpace
from lnas.store import Store
from lnas.testing import TinySpace
from lnas.types import Arch, Estimate

SPACE = TinySpace()
NATS = NatsTopologySpace()
ARCHS = [SPACE.parse(f"{number:03b}") for number in range(8)]
SCOUT = Objective("b", {"b": False})
FAILURE = Estimate.failure(ValueError("my own bug"))
SIX = Evaluations(6)

Make = Callable[[int, Objective], Strategy]
STRATEGIES: dict[str, tuple[Make, Any]] = {
    "RandomSearch": (lambda seed, by: RandomSearch(SPACE, seed, by), SIX),
    "RegularizedEvolution": (lambda seed, by: RegularizedEvolution(SPACE, seed, by, 3, 2), SIX),
    "RegularizedEvolution-children": (
        lambda seed, by: RegularizedEvolution(SPACE, seed, by, 3, 2, counted="children"),
        Seconds(40, "is lost"),
    ),
    "RankEvolution": (lambda seed, by: RankEvolution(SPACE, seed, by, 3, 2, steps=5), UntilOver()),
    "Reinforce": (lambda seed, by: Reinforce(SPACE, seed, by), SIX),
    "FPNAS": (lambda seed, by: FPNAS(SPACE, seed, by, epochs=4), UntilOver()),
    "LocalSearch": (lambda seed, by: LocalSearch(SPACE, seed, by), SIX),
    "NSGA2": (lambda seed, by: NSGA2(SPACE, seed, by, population=3), SIX),
    "AssistedEvolution": (lambda seed, by: AssistedEvolution(SPACE, seed, by, SCOUT, 5, 2, 2), Evaluations(4)),
    "PruningSearch": (lambda seed, by: PruningSearch(NATS, seed, by, per_round=2), UntilOver()),
}


def evolution(seed: int, by: Objective) -> Strategy:
    return RegularizedEvolution(NATS, seed, by, population=3, sample=2)


class Bars(Display):
    """Remembers its bars: title, total, done before, and how often it was advanced."""

    def __init__(self) -> None:
        super().__init__(quiet=True)
        self.bars: list[list[Any]] = []

    @contextmanager
    def bar(self, title: str, total: int, done: int = 0) -> Iterator[Callable[[], None]]:
        bar = [title, total, done, 0]
        self.bars.append(bar)

        def advance() -> None:
            bar[3] += 1

        yield advance


@pytest.fixture(scope="module")
def run(make_search: Any, make_bench: Any) -> Callable[..., list[Search]]:
    """Conduct searches in a folder, and return them."""

    def conducted(
        folder: Path,
        make: Make | Sequence[Make],
        *estimators: Any,
        budget: Any = SIX,
        seeds: Sequence[int] = (0,),
        rank: str = "",
        branch: Branch | None = None,
        parent: Path | None = None,
        processes: int = 1,
        display: Display | None = None,
    ) -> list[Search]:
        bench = make_bench(*estimators, rank=rank)
        every = [make] if callable(make) else make
        searches = [make_search(one, bench, budget, seed, branch) for one in every for seed in seeds]
        with closing(Store(folder / "store.sqlite")) as store:
            stores = [store, *([Store(parent / "store.sqlite")] if parent else [])]
            try:
                conduct(searches, stores, processes, 1, display or Display(quiet=True))
            finally:
                stores[-1].close()
        return searches

    return conducted


def told(search: Search) -> list[Any]:
    """Everything that a search was told: a number, or why there is none."""
    return [
        (trial.candidate, {name: one.value if one.status == "ok" else one.status for name, one in numbers.items()})
        for trial in search.course.trials
        if (numbers := trial.estimates)
    ]


def record(search: Search) -> tuple[Any, ...]:
    course = search.course
    return told(search), course.seconds, course.answers, course.states, course.without


def stored(folder: Path, search: Search) -> list[Any]:
    with closing(Store(folder / "store.sqlite")) as store:
        return store.candidates(search.name)


def test_no_strategy_is_left_out() -> None:
    public = [item for item in vars(lnas.search).values() if inspect.isclass(item) and issubclass(item, Strategy)]
    concrete = {strategy.__name__ for strategy in public if not inspect.isabstract(strategy)}
    assert concrete == {name.split("-")[0] for name in STRATEGIES}


@pytest.mark.parametrize("name", STRATEGIES)
def test_killed_at_every_measurement_it_ends_as_if_never_killed(name: str, run: Any, fake: Any, tmp_path: Path) -> None:
    """Each start makes one measurement, of a long search eleven, and is killed in the next."""
    make, budget = STRATEGIES[name]
    asked, starts, most = [], 0, 11 if name == "PruningSearch" else 1
    (tmp_path / "killed").mkdir()
    while True:
        one, other = fake({"a": True}, calls=most), fake({"b": False}, calls=starts % 2)
        starts += 1
        try:
            (killed,) = run(tmp_path / "killed", make, one, other, budget=budget)
        except KeyboardInterrupt:
            continue
        finally:
            asked += [("a", *about) for about in one.asked] + [("b", *about) for about in other.asked]
        break
    one, other = fake({"a": True}), fake({"b": False})
    (whole,) = run(tmp_path, make, one, other, budget=budget)
    assert record(killed) == record(whole)
    assert len(asked) == len(set(asked)) == len(one.asked) + len(other.asked)
    assert starts > len(asked) / (2 * most)
    assert len(asked) > 5
    assert stored(tmp_path / "killed", killed) == [trial.candidate for trial in whole.course.trials]


@settings(deadline=None, max_examples=6)
@given(st.lists(st.integers(0, 30), max_size=3), st.integers(0, 5))
def test_killed_anywhere_searches_end_as_if_never_killed(
    run: Any, fake: Any, tmp_path_factory: pytest.TempPathFactory, kills: list[int], seed: int
) -> None:
    """Several searches of several strategies, which share what has the same seed; some candidates have no number."""
    bad = {ARCHS[2]: Estimate.of(float("inf"))}
    makes = [STRATEGIES[name][0] for name in ("RegularizedEvolution", "LocalSearch")]
    folder, asked = tmp_path_factory.mktemp("searches"), []
    for calls in [*kills, None]:
        one, other = fake({"a": True}, calls=calls), fake({"b": False}, bad)
        try:
            searches = run(folder, makes, one, other, seeds=(seed, seed + 1))
        except KeyboardInterrupt:
            assert calls is not None
        asked += [*one.asked, *other.asked]
    assert all(asked.count(about) == 2 for about in asked)
    fakes = fake({"a": True}), fake({"b": False}, bad)
    whole = run(tmp_path_factory.mktemp("whole"), makes, *fakes, seeds=(seed, seed + 1))
    assert [record(search) for search in searches] == [record(search) for search in whole]


@pytest.mark.parametrize("method", ["add", "add_candidate"])
@pytest.mark.parametrize("comes", ["before", "after"])
def test_killed_while_the_store_is_written(
    method: str, comes: str, run: Any, fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the first writing, then at the second of what is left, and so on; only a number that was lost comes again."""
    whole, asked = fake({"a": True}), []
    (expected,) = run(tmp_path, evolution, whole)
    write = getattr(Store, method)
    (tmp_path / "killed").mkdir()
    for before in (0, 1, 2):
        left = before

        def killing(*arguments: Any) -> None:
            nonlocal left
            left -= 1
            if left >= 0 or comes == "after":
                write(*arguments)
            if left < 0:
                raise KeyboardInterrupt

        own = fake({"a": True})
        with monkeypatch.context() as patched:
            patched.setattr(Store, method, killing)
            with pytest.raises(KeyboardInterrupt):
                run(tmp_path / "killed", evolution, own)
        asked += own.asked
    (killed,) = run(tmp_path / "killed", evolution, own := fake({"a": True}))
    assert record(killed) == record(expected)
    lost = 3 if (method, comes) == ("add", "before") else 0
    assert len([*asked, *own.asked]) == len(whole.asked) + lost


MODULE = """
    from dataclasses import dataclass

    from lnas.estimators import Estimator
    from lnas.seeds import derive_seed
    from lnas.types import Estimate

    @dataclass(frozen=True)
    class Protocol:
        name: str

    class Paid(Estimator):
        def __init__(self, name):
            self.name = name

        @property
        def measures(self):
            return {self.name: True}

        @property
        def protocol(self):
            return Protocol(self.name)

        def estimate(self, candidate, *, seed):
            if candidate.genes[0] == 3:
                raise ValueError("my own bug")
            return {self.name: Estimate(derive_seed(seed, self.name, candidate) / 2**32, seconds=2.0)}
"""


def test_what_is_ahead_is_measured_side_by_side(
    run: Any, fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one search: several of its candidates are under way at a time, and it is told of them in order."""
    under_way: list[int] = []

    class Eager:
        """Takes all tasks that it can get before it does any."""

        def run(self, function: Any, tasks: Any) -> Any:
            tasks = iter(tasks)
            while batch := list(itertools.islice(tasks, 3)):
                under_way.append(len(batch))
                yield from (attempt(function, task) for task in reversed(batch))

    makes = [lambda seed, by: RandomSearch(NATS, seed, by), lambda seed, by: PruningSearch(NATS, seed, by)]
    for number, make in enumerate(makes):
        budget = UntilOver() if number else Evaluations(8)
        folders = tmp_path / f"{number}a", tmp_path / f"{number}b"
        for folder in folders:
            folder.mkdir()
        one = run(folders[0], [make], fake({"a": True}), budget=budget)
        with monkeypatch.context() as patched:
            patched.setattr(conducting, "local_executor", lambda processes, threads: Eager())
            two = run(folders[1], [make], fake({"a": True}), budget=budget, processes=3)
        assert [record(search) for search in one] == [record(search) for search in two]
        assert max(under_way) == 3
        under_way.clear()


def test_workers_are_as_many_as_there_is_to_measure(
    run: Any, fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is known already is told first: the second start has seven proposals left, not none of the first three."""
    counts: list[int] = []

    def counted(processes: int, threads: int) -> Any:
        counts.append(processes)
        return Serial()

    run(tmp_path, lambda seed, by: RandomSearch(NATS, seed, by), fake({"a": True}), budget=Evaluations(5))
    monkeypatch.setattr(conducting, "local_executor", counted)
    run(tmp_path, lambda seed, by: RandomSearch(NATS, seed, by), fake({"a": True}), budget=Evaluations(12), processes=3)
    assert counts[0] == 3


def test_two_processes_find_what_one_finds(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Searches of different lengths, so that in the end there are more workers than searches."""
    (tmp_path / "paid_estimator.py").write_text(textwrap.dedent(MODULE))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))  # workers import it: spare them pytest's
    from paid_estimator import Paid  # type: ignore[import-not-found]

    found = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        folder.mkdir()
        makes = [evolution, lambda seed, by: RankEvolution(NATS, seed, by, 2, 1, steps=2 + 3 * seed)]
        found.append(run(folder, makes, Paid("a"), Paid("b"), seeds=(0, 1), budget=Evaluations(7), processes=processes))
        assert [stored(folder, search) for search in found[-1]] == [
            [trial.candidate for trial in search.course.trials] for search in found[-1]
        ]
    one, two = found
    assert [record(search) for search in one] == [record(search) for search in two]
    assert len({len(search.course.trials) for search in one}) > 1
    assert sum(search.course.without for search in one) > 0


def test_more_searches_and_more_evaluations_measure_only_what_is_lacking(run: Any, fake: Any, tmp_path: Path) -> None:
    first, same, more, several = (fake({"a": True}) for _ in range(4))
    (before,) = run(tmp_path, evolution, first, budget=Evaluations(5))
    (again,) = run(tmp_path, evolution, same, budget=Evaluations(5))
    assert same.asked == []
    assert record(again) == record(before)
    (longer,) = run(tmp_path, evolution, more, budget=Evaluations(9))
    assert told(longer)[:5] == told(before)
    assert len(longer.course.trials) == 9
    assert not set(more.asked) & set(first.asked)
    searches = run(tmp_path, evolution, several, budget=Evaluations(9), seeds=(0, 1, 2))
    assert record(searches[0]) == record(longer)
    assert {seed for _, seed in several.asked} == {1, 2}
    fewer = fake({"a": True})
    (shorter,) = run(tmp_path, evolution, fewer, budget=Evaluations(4))
    assert told(shorter) == told(before)[:4]
    assert fewer.asked == []


def test_another_measure_is_added_to_what_is_there(run: Any, fake: Any, tmp_path: Path) -> None:
    """Another judge's search proposes by itself, and takes the numbers that are there."""
    listing = (lambda seed, by: RandomSearch(SPACE, seed, by), lambda seed, by: RandomSearch(SPACE, seed, by))
    run(tmp_path, listing[0], fake({"a": True}), budget=Evaluations(8))
    old, new = fake({"a": True}), fake({"b": False})
    (search,) = run(tmp_path, listing[1], old, new, budget=Evaluations(8))
    assert old.asked == []
    assert len(new.asked) == 8
    assert all(trial.estimates.keys() == {"a", "b"} for trial in search.course.trials)


def test_what_decides_a_search_is_in_its_name(make_search: Any, make_bench: Any, fake: Any) -> None:
    def name(make: Make = evolution, rank: str = "a", version: str = "", seed: int = 0, **options: Any) -> str:
        bench = make_bench(fake({"a": True}, version=version), fake({"b": False}), rank=rank)
        return make_search(make, bench, SIX, seed, **options).name

    def own(seed: int, by: Objective) -> Strategy:
        """Forgets its objective among its settings."""
        strategy = evolution(0, by)
        strategy._settings = {"strategy": "own"}  # type: ignore[attr-defined]
        return strategy

    names = [
        name(),
        name(STRATEGIES["RandomSearch"][0]),
        name(rank="b"),
        name(version="2"),
        name(seed=1),
        name(branch=Branch(2, 0)),
        name(branch=Branch(3, 0)),
        name(branch=Branch(2, 1)),
        name(own),
        name(own, rank="b"),
        name(own, seed=1),
    ]
    assert len(set(names)) == len(names)
    assert names[0] == name(label="another label")


def failing_at(run: Any, fake: Any, folder: Path, number: int) -> tuple[Search, Arch]:
    """A search of 6 whose number-th evaluation failed; which architecture that was."""
    (folder / "rehearsal").mkdir(exist_ok=True)
    (rehearsal,) = run(folder / "rehearsal", evolution, fake({"a": True}))
    arch = rehearsal.course.trials[number].arch
    (search,) = run(folder, evolution, fake({"a": True}, {arch: FAILURE}))
    assert search.course.trials[number].estimates["a"].status == "failed"
    return search, arch


@pytest.mark.parametrize("number", [0, 3, 5])
def test_a_failure_that_a_search_went_on_from_stays_one(number: int, run: Any, fake: Any, tmp_path: Path) -> None:
    before, arch = failing_at(run, fake, tmp_path, number)
    mended = fake({"a": True})
    (after,) = run(tmp_path, evolution, mended, budget=Evaluations(10))
    assert told(after)[:6] == told(before)
    assert after.course.trials[number].estimates["a"].status == "failed"
    assert (arch, 0) not in mended.asked
    assert told(after)[6:]


def test_a_failure_that_no_search_was_told_is_tried_again(
    run: Any, fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "rehearsal").mkdir()
    (expected,) = run(tmp_path / "rehearsal", evolution, fake({"a": True}))
    arch = expected.course.trials[3].arch
    with monkeypatch.context() as patched:
        patched.setattr(conducting, "trial_of", _killing_at(arch))
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path, evolution, fake({"a": True}, {arch: FAILURE}))
    mended = fake({"a": True})
    (search,) = run(tmp_path, evolution, mended)
    assert record(search) == record(expected)
    assert mended.asked[0] == (arch, 0)


def _killing_at(arch: Arch) -> Callable[..., Any]:
    trial_of = conducting.trial_of

    def killing(candidate: Any, known: Any) -> Any:
        if candidate == arch:
            raise KeyboardInterrupt
        return trial_of(candidate, known)

    return killing


def test_a_search_that_nothing_serves_ends_and_can_go_on_when_mended(run: Any, fake: Any, tmp_path: Path) -> None:
    def long(seed: int, by: Objective) -> Strategy:
        return RandomSearch(NATS, seed, by)

    class Broken(fake):  # type: ignore[misc]
        def estimate(self, candidate: Any, *, seed: int) -> dict[str, Estimate]:
            raise ValueError("my own bug")

    with pytest.raises(RunError, match=r"got 'none among 50 in a row'. The last failed: .*ValueError: my own bug"):
        run(tmp_path, long, Broken({"a": True}), budget=Evaluations(100))
    mended = fake({"a": True})
    (search,) = run(tmp_path, long, mended, budget=Evaluations(60))
    assert search.course.without == 49
    assert len(mended.asked) == 11


def test_another_search_does_not_change_what_one_went_on_from(run: Any, fake: Any, listed: Any, tmp_path: Path) -> None:
    """With the same seed they share numbers: what the one was told as failed, the other is told as failed."""
    before, arch = failing_at(run, fake, tmp_path, 2)

    def other(seed: int, by: Objective) -> Strategy:
        return listed([arch] * 4)

    mended = fake({"a": True})
    run(tmp_path, [other, evolution], mended, budget=Evaluations(4))
    assert mended.asked == []
    (again,) = run(tmp_path, evolution, mended)
    assert record(again) == record(before)


def test_what_fails_is_told_alike_when_it_is_proposed_again(run: Any, fake: Any, listed: Any, tmp_path: Path) -> None:
    """Even by an estimator that would serve at the second time: a replay is told the same."""

    class Flaky(fake):  # type: ignore[misc]
        def estimate(self, candidate: Any, *, seed: int) -> dict[str, Estimate]:
            numbers: dict[str, Estimate] = super().estimate(candidate, seed=seed)
            return {"a": FAILURE} if len(self.asked) == 1 else numbers

    def twice(seed: int, by: Objective) -> Strategy:
        return listed([ARCHS[0], ARCHS[1], ARCHS[0]])

    (first,) = run(tmp_path, twice, Flaky({"a": True}), budget=UntilOver())
    (replayed,) = run(tmp_path, twice, fake({"a": True}), budget=UntilOver())
    assert [trial.estimates["a"].status for trial in first.course.trials] == ["failed", "ok", "failed"]
    assert record(replayed) == record(first)


def test_a_strategy_that_changed_is_refused(run: Any, fake: Any, listed: Any, tmp_path: Path) -> None:
    run(tmp_path, lambda seed, by: listed(ARCHS[:4]), fake({"a": True}), budget=UntilOver())
    with pytest.raises(
        RunError, match=r"candidate 2: expected tiny:0-1-0, which an earlier start was given, got 'tiny:"
    ):
        run(tmp_path, lambda seed, by: listed([*ARCHS[:2], *ARCHS[3:]]), fake({"a": True}), budget=UntilOver())


def branched(run: Any, folder: Path, parent: Path, estimator: Any, branch: Branch, **options: Any) -> Search:
    folder.mkdir(exist_ok=True)
    (search,) = run(folder, evolution, estimator, branch=branch, parent=parent, **options)
    return search


def test_a_branch_repeats_its_parent_without_measuring_and_parts_then(run: Any, fake: Any, tmp_path: Path) -> None:
    (parent,) = run(tmp_path, evolution, fake({"a": True}), budget=Evaluations(9))
    before = (tmp_path / "store.sqlite").read_bytes()
    searches = {}
    for seed in (1, 2):
        own = fake({"a": True})
        options = {"branch": Branch(5, seed), "budget": Evaluations(9)}
        search = searches[seed] = branched(run, tmp_path / str(seed), tmp_path, own, **options)
        assert told(search)[:5] == told(parent)[:5]
        assert told(search)[5:] != told(parent)[5:]
        known = {trial.candidate for trial in parent.course.trials}
        assert [arch for arch, _ in own.asked] == [
            arch for arch in dict.fromkeys(t.candidate for t in search.course.trials[5:]) if arch not in known
        ]
        again = fake({"a": True})
        assert record(branched(run, tmp_path / str(seed), tmp_path, again, **options)) == record(search)
        assert again.asked == []
    assert told(searches[1]) != told(searches[2])
    assert (tmp_path / "store.sqlite").read_bytes() == before


def test_a_branch_may_be_killed(run: Any, fake: Any, tmp_path: Path) -> None:
    run(tmp_path, evolution, fake({"a": True}), budget=Evaluations(5))

    def branch(folder: str, calls: int | None = None) -> Search:
        own = fake({"a": True}, calls=calls)
        return branched(run, tmp_path / folder, tmp_path, own, Branch(3, 1), budget=Evaluations(9))

    for calls in (0, 1, 2):
        with pytest.raises(KeyboardInterrupt):
            branch("killed", calls)
    assert record(branch("killed")) == record(branch("whole"))


def test_a_branch_is_told_its_parents_failures(run: Any, fake: Any, tmp_path: Path) -> None:
    """An estimator that is mended meanwhile would make it another search."""
    parent, arch = failing_at(run, fake, tmp_path, 2)
    mended = fake({"a": True})
    search = branched(run, tmp_path / "branch", tmp_path, mended, Branch(4, 1))
    assert told(search)[:4] == told(parent)[:4]
    assert (arch, 0) not in mended.asked


def test_a_branch_of_a_strategy_that_changed_is_refused(run: Any, fake: Any, listed: Any, tmp_path: Path) -> None:
    (tmp_path / "branch").mkdir()
    run(tmp_path, lambda seed, by: listed(ARCHS[:4]), fake({"a": True}), budget=UntilOver())
    with pytest.raises(RunError, match=r"candidate 1: expected tiny:0-0-1, which an earlier start was given"):
        run(
            tmp_path / "branch",
            lambda seed, by: listed([ARCHS[0], ARCHS[2]]),
            fake({"a": True}),
            budget=UntilOver(),
            branch=Branch(2, 1),
            parent=tmp_path,
        )


def test_records_are_neither_kept_nor_handed_out(
    run: Any, fake: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(conducting, "local_executor")
    recorded = fake({"a": True}, {ARCHS[1]: FAILURE}, recorded=True)
    (search,) = run(tmp_path, STRATEGIES["RandomSearch"][0], recorded, budget=Evaluations(8), processes=2)
    assert len(search.course.trials) == len(recorded.asked) == 8
    assert search.course.without == 1
    assert stored(tmp_path, search) == []
    with closing(Store(tmp_path / "store.sqlite")) as store:
        assert store.all_estimates(recorded.protocol, 0) == {}


def test_of_records_and_measurements_only_the_measurements_are_kept(run: Any, fake: Any, tmp_path: Path) -> None:
    recorded, measured = fake({"a": True}, {ARCHS[1]: FAILURE}, recorded=True), fake({"b": False})
    (search,) = run(tmp_path, STRATEGIES["RandomSearch"][0], recorded, measured, budget=Evaluations(8))
    assert search.course.without == 1
    assert all(trial.estimates.keys() == {"a", "b"} for trial in search.course.trials)
    assert len(measured.asked) == 8
    with closing(Store(tmp_path / "store.sqlite")) as store:
        assert store.all_estimates(recorded.protocol, 0) == {}
        assert len(store.all_estimates(measured.protocol, 0)) == 8
    again = fake({"b": False})
    (replayed,) = run(tmp_path, STRATEGIES["RandomSearch"][0], recorded, again, budget=Evaluations(8))
    assert record(replayed) == record(search)
    assert again.asked == []


@pytest.mark.parametrize("measured", [[], [{"b": False}]])
def test_records_are_not_of_regions(measured: list[Any], run: Any, fake: Any, tmp_path: Path) -> None:
    estimators = [fake({"a": True}, recorded=True), *map(fake, measured)]
    with pytest.raises(UsageError, match="expected a strategy that proposes architectures, got 'regions'"):
        run(tmp_path, STRATEGIES["PruningSearch"][0], *estimators, budget=UntilOver())
    assert estimators[-1].asked == []


def test_an_estimator_that_cannot_serve_ends_the_search(run: Any, fake: Any, tmp_path: Path) -> None:
    class Picky(fake):  # type: ignore[misc]
        def estimate(self, candidate: Any, *, seed: int) -> dict[str, Estimate]:
            raise UsageError("Picky: expected images, got none.")

    with pytest.raises(UsageError, match=r"^Picky: expected images, got none\."):
        run(tmp_path, evolution, Picky({"a": True}))


def test_evaluations_are_shown_where_they_are_the_budget(run: Any, fake: Any, tmp_path: Path) -> None:
    warmed, _ = STRATEGIES["RegularizedEvolution-children"]
    bars = Bars()
    for budget, seeds in ((4, (0,)), (6, (0, 1)), (5, (0, 1))):
        run(tmp_path, warmed, fake({"a": True}), budget=Evaluations(budget), seeds=seeds, display=bars)
    assert bars.bars == [
        ["evaluations by judge", 7, 0, 7],
        ["evaluations by judge", 18, 7, 11],
        ["evaluations by judge", 16, 16, 0],
    ]


def test_searches_are_shown_where_there_is_no_such_budget_or_nothing_is_measured(
    run: Any, fake: Any, tmp_path: Path
) -> None:
    bars = Bars()
    run(tmp_path, evolution, fake({"a": True}), budget=Seconds(20), seeds=(0, 1, 2), display=bars)
    run(tmp_path, evolution, fake({"a": True}, recorded=True), seeds=(0, 1), display=bars)
    assert bars.bars == [["searches by judge", 3, 0, 3], ["searches by judge", 2, 0, 2]]
