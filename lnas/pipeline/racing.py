"""Measure candidates as a race: all of them shortly, ever fewer of them further, every number kept."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeGuard, runtime_checkable

from lnas.analysis.racing import Raced, Racing, check_rungs, race
from lnas.errors import UsageError, complaint, unknown_name
from lnas.estimators import Estimator
from lnas.pipeline.display import Display
from lnas.pipeline.estimation import check_proposal, known_or_measured
from lnas.pipeline.tracking import Tracker
from lnas.search import Strategy
from lnas.stats import measure_names
from lnas.store import Store
from lnas.types import Arch, Trial

_CHECKPOINTS = "racing"
_KEPT = "kept"


@runtime_checkable
class Shortenable(Protocol):
    """An estimator whose trainings can be cut short, and go on from there."""

    @property
    def protocol(self) -> object:
        """As an estimator has it."""

    @property
    def steps(self) -> int | None:
        """Of its trainings; None where steps do not decide."""

    def shortened(self, steps: int, checkpoints: str | None = None) -> Estimator:
        """Return the estimator of so many steps, otherwise alike, that keeps and uses checkpoints in a folder."""


def check_racing(racing: Racing, strategy: Strategy, estimators: Sequence[Estimator]) -> None:
    """Raise `UsageError` unless all candidates are known at the start, and what measures them ends at the last rung."""
    check_rungs(racing)
    measures = [name for estimator in estimators for name in estimator.measures]
    for name in measure_names(racing.rank) if racing.rank else ():
        if name not in measures:
            raise UsageError(f"racing.rank={racing.rank!r}: {unknown_name('measure', name, measures)}")
    call = f"racing.rungs={list(racing.rungs)}"
    if strategy.learns:
        name = type(strategy).__name__
        step = "Race with RandomSearch, or leave racing out."
        raise UsageError(complaint("racing", "a strategy that proposes without being told results", name, step))
    if not any(map(_has_steps, estimators)):
        names = [type(estimator).__name__ for estimator in estimators]
        step = "Rank by angle or loss, or leave racing out."
        raise UsageError(complaint(call, "an estimator that trains step by step", names, step))
    for estimator in filter(_has_steps, estimators):
        if estimator.steps != racing.rungs[-1]:
            expected = f"rungs that end at {estimator.steps}, the steps of the {type(estimator).__name__}"
            raise UsageError(complaint(call, expected, racing.rungs[-1], "Change the last rung or the steps."))
        if getattr(estimator.protocol, "trivial_cells", _KEPT) != _KEPT:
            # After few steps hardly any classifier has turned: the rule would put the best last.
            expected = "a short training that keeps trivial cells"
            raise UsageError(complaint("racing", expected, "protocol='as_released'", "Race with 'as_published'."))


def race_candidates(
    racing: Racing,
    rank: str,
    directions: Mapping[str, bool],
    folder: Path,
    strategy: Strategy,
    estimators: Sequence[Estimator],
    candidates: int,
    seed: int,
    run: str,
    store: Store,
    tracker: Tracker,
    display: Display,
) -> Raced:
    """Ask the strategy for all candidates at once, and measure them rung by rung, taking from the store what it has.

    The numbers of each rung are kept under the protocol of a training of so many steps; a training goes on from the
    checkpoint of the rung before, under `folder`, which is removed when the race is over: three times the weights of
    each candidate, with their momentum and where they began. What has no steps is measured at the first rung.

    Args:
        racing: The rungs.
        rank: Of the run.
        directions: Whether higher is better, of each measure.
        folder: The run's.
        strategy: Which `check_racing` accepts.
        estimators: Each measure comes from one of them.
        candidates: How many start.
        seed: Of the estimates.
        run: The run's name in the store.
        store: Where numbers are kept.
        tracker: Told every number, stored ones included, of each rung as a group of its own.
        display: Shows the progress of each rung.
    """
    archs = _proposals(strategy, candidates, run, store)
    checkpoints = folder / _CHECKPOINTS

    def measure(steps: int, numbers: Sequence[int]) -> list[Trial]:
        group = f"candidates-{steps}-steps"
        at_rung = [_cut(estimator, steps, checkpoints) for estimator in estimators]
        known = set.intersection(*(set(store.all_estimates(item.protocol, seed)) for item in at_rung))
        trials = []
        tracker.group(group)
        done = sum(archs[number] in known for number in numbers)
        with display.bar(f"candidates after {steps} steps", len(numbers), done) as advance:
            for number in numbers:
                trial = known_or_measured(at_rung, archs[number], seed, store)
                trials.append(trial)
                tracker.numbers({f"{group}/{name}": item.value for name, item in trial.estimates.items()}, step=number)
                if archs[number] not in known:
                    advance()
        return trials

    raced = race(racing, candidates, measure, rank, directions)
    shutil.rmtree(checkpoints, ignore_errors=True)
    return raced


def _proposals(strategy: Strategy, candidates: int, run: str, store: Store) -> list[Arch]:
    stored = store.candidates(run)
    archs = strategy.ask(candidates)
    for number, arch in enumerate(archs):
        if arch in archs[:number]:
            step = "Use one that proposes each once."
            raise UsageError(complaint("the strategy", "no architecture twice", str(arch), step))
        check_proposal(arch, number, stored)
        if number >= len(stored):
            store.add_candidate(run, number, arch)
    return archs


def _cut(estimator: Estimator, steps: int, checkpoints: Path) -> Estimator:
    return estimator.shortened(steps, str(checkpoints)) if _has_steps(estimator) else estimator


def _has_steps(estimator: Estimator) -> TypeGuard[Shortenable]:
    return isinstance(estimator, Shortenable) and estimator.steps is not None
