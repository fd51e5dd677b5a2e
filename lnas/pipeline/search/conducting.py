"""Running searches: each waits for its own numbers only, and every number is kept the moment it exists."""

from __future__ import annotations

import hashlib
import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from lnas.execution import local_executor
from lnas.pipeline.display import Display
from lnas.pipeline.estimation import check_proposal
from lnas.pipeline.search.budget import Evaluations
from lnas.pipeline.search.course import Branch, Course
from lnas.pipeline.search.judge import Bench
from lnas.pipeline.search.measuring import Ledger, Measuring, SearchTask, trial_of
from lnas.pipeline.search.table import require_architectures
from lnas.store import Store
from lnas.types import Arch, Region


@dataclass(frozen=True)
class Search:
    """One of many searches.

    Attributes:
        strategy: Label of its strategy.
        bench: Its judge.
        seed: Of its draws and of its estimates.
        course: What it proposes and was told.
    """

    strategy: str
    bench: Bench
    seed: int
    course: Course

    @cached_property
    def name(self) -> str:
        """Under which a store keeps what it proposed: a hash of all that decides it, so that no other has it."""
        return self._named(self.course.branch)

    @cached_property
    def parent(self) -> str:
        """The name of the search without a branch."""
        return self._named(None)

    def _named(self, branch: Branch | None) -> str:
        bench, strategy = self.bench, self.course.strategy
        of_branch = branch and [branch.at, branch.seed]
        decides = [strategy.settings, bench.objective.settings, bench.protocols, self.seed, of_branch]
        return f"search/{hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]}"


def conduct(
    searches: Sequence[Search], stores: Sequence[Store], processes: int, threads: int, display: Display
) -> None:
    """Run searches of one judge to their ends.

    Args:
        searches: New; what the stores have is told to them as if it were just measured.
        stores: Of this command and, where it branches from another, of that.
        processes: Measurements at a time, of several searches or of what one of them proposes ahead; 1 measures in
            this process.
        threads: Of each measurement.
        display: Shows the progress.
    """
    bench = searches[0].bench
    if any(estimator.is_recorded for estimator in bench.estimators):
        for search in searches:
            require_architectures(search.course.strategy)
    if bench.is_recorded:
        _look_up_all(searches, display)
    else:
        _measure_all(searches, stores, processes, threads, display)


def _look_up_all(searches: Sequence[Search], display: Display) -> None:
    bench = searches[0].bench
    ledger = Ledger(bench, ())
    with display.bar(f"searches by {bench.label}", len(searches)) as advance:
        for search in searches:
            course = search.course
            while (candidate := course.proposal()) is not None:
                course.tell(*trial_of(candidate, ledger.known(candidate, bench.asked(course.wanted), search.seed)))
            advance()


def _measure_all(
    searches: Sequence[Search], stores: Sequence[Store], processes: int, threads: int, display: Display
) -> None:
    bench = searches[0].bench
    lives = [_Live(number, search, stores, processes) for number, search in enumerate(searches)]
    ledger = Ledger(bench, stores, [(candidate, live.search.seed) for live in lives for candidate in live.before])
    going = deque(lives)
    with _progress(lives, display) as (evaluated, ended):

        def tasks() -> Iterator[SearchTask]:
            """Ask one search after the other; end when all of them wait."""
            waiting = 0
            while waiting < len(going):
                live = going.popleft()
                live.tell_known(ledger, evaluated)
                if live.has_ended:
                    ended()
                    continue
                going.append(live)
                task = next(live.lacking(ledger), None)
                waiting = waiting + 1 if task is None else 0
                if task is not None:
                    live.under_way.add(task)
                    yield task

        while going:  # a run of tasks ends when fewer can be done than there are workers: the next has fewer
            for live in going:
                live.tell_known(ledger, evaluated)
            ready = sum(1 for live in going for _ in live.lacking(ledger))
            executor = local_executor(max(1, min(processes, ready)), threads)
            for done in executor.run(Measuring(bench.estimators), tasks()):
                ledger.keep(done)
                lives[done.task.search].under_way.remove(done.task)


class _Live:
    """A search whose numbers are measured.

    Attributes:
        number: Its own among the searches.
        search: What is searched.
        before: What it proposed in earlier starts; of a branch, at first, what its parent did.
        under_way: What is being measured for it.
    """

    def __init__(self, number: int, search: Search, stores: Sequence[Store], most: int) -> None:
        self.number = number
        self.search = search
        self.under_way: set[SearchTask] = set()
        self._most = most
        self._store, *earlier = stores
        own = self._store.candidates(search.name)
        self._noted = len(own)
        self.before = max([own, *(_until_branch(search, store) for store in earlier)], key=len)

    @property
    def has_ended(self) -> bool:
        """Whether it proposes nothing more."""
        return not self.search.course.proposals(self._most)

    def lacking(self, ledger: Ledger) -> Iterator[SearchTask]:
        """Yield what its proposals lack that is not under way."""
        for candidate, wanted in self.search.course.proposals(self._most):
            asked = self.search.bench.asked(wanted)
            known = ledger.known(candidate, asked, self.search.seed)
            for estimator in asked:
                task = SearchTask(self.number, candidate, estimator, self.search.seed)
                if estimator not in known and task not in self.under_way:
                    yield task

    def tell_known(self, ledger: Ledger, evaluated: Callable[[], None]) -> None:
        """Tell the search of its proposals, in order, as far as they lack nothing.

        Args:
            ledger: What is known.
            evaluated: Called after each evaluation that no earlier start made.
        """
        search, course = self.search, self.search.course
        while (candidate := course.proposal()) is not None:
            number = len(course.trials)
            check_proposal(candidate, number, self.before)
            asked = search.bench.asked(course.wanted)
            known = ledger.known(candidate, asked, search.seed)
            if len(known) < len(asked):
                return
            course.tell(*trial_of(candidate, known))
            if len(course.trials) == number:
                return  # it was lost
            if number >= self._noted:
                self._store.add_candidate(search.name, number, candidate)
            if number >= len(self.before):
                evaluated()


def _until_branch(search: Search, store: Store) -> list[Arch | Region]:
    """Return what the parent of a search proposed, by its store, before the search parted from it."""
    branch = search.course.branch
    return store.candidates(search.parent)[: branch.at] if branch else []


@contextmanager
def _progress(lives: Sequence[_Live], display: Display) -> Iterator[tuple[Callable[[], None], Callable[[], None]]]:
    """Show the progress; yield what is to be called after each evaluation, and what after each search."""
    label, budget = lives[0].search.bench.label, lives[0].search.course.budget
    if isinstance(budget, Evaluations):
        due = [budget.count + live.search.course.strategy.free for live in lives]
        done = sum(min(len(live.before), most) for live, most in zip(lives, due, strict=True))
        with display.bar(f"evaluations by {label}", sum(due), done) as advance:
            yield advance, lambda: None
    else:
        with display.bar(f"searches by {label}", len(lives)) as advance:
            yield lambda: None, advance
