"""Propose candidates and measure them, keeping every number the moment it exists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lnas.errors import RunError, UsageError, complaint
from lnas.estimators import Estimator
from lnas.pipeline.asking import ask
from lnas.pipeline.display import Display
from lnas.pipeline.tracking import Tracker
from lnas.search import Strategy
from lnas.store import Store
from lnas.types import Arch, Estimate, Region, Trial

_REPEATS_IN_A_ROW = 1000


def estimate_candidates(
    strategy: Strategy,
    estimators: Sequence[Estimator],
    candidates: int,
    seed: int,
    run: str,
    store: Store,
    tracker: Tracker,
    display: Display,
) -> list[Trial]:
    """Ask the strategy for candidates, one by one, and measure each, taking from the store what it has.

    What is proposed again is told again, and is no other candidate. A search that is over by its own rule ends.

    Args:
        strategy: New or, equally, one that is replayed: it is told stored numbers as if they were just measured.
        estimators: Each measure comes from one of them.
        candidates: How many at most.
        seed: Of the estimates.
        run: The run's name in the store.
        store: Where numbers are kept.
        tracker: Told every number, stored ones included.
        display: Shows the progress of what is left.

    Returns:
        The trials in the order proposed.
    """
    trials: dict[Arch, Trial] = {}
    stored = store.candidates(run)
    done = len(stored)
    tracker.group("candidates")
    with display.bar("candidates", total=candidates, done=done) as advance:
        while len(trials) < candidates and not (trials and strategy.is_over):
            number, arch = len(trials), _unseen(strategy, trials)
            check_proposal(arch, number, stored)
            trial = known_or_measured(estimators, arch, seed, store)
            strategy.tell([trial])
            trials[arch] = trial
            tracker.numbers({f"candidates/{name}": item.value for name, item in trial.estimates.items()}, step=number)
            if number >= done:
                store.add_candidate(run, number, arch)
                advance()
    return list(trials.values())


def known_or_measured(estimators: Sequence[Estimator], arch: Arch, seed: int, store: Store) -> Trial:
    """Take what the store has, unless it failed: what made it fail may be mended. Else measure, and keep it.

    Raises:
        UsageError: If an estimator leaves a measure out.
    """
    estimates: dict[str, Estimate] = {}
    for estimator in estimators:
        estimates |= _known_or_measured(estimator, arch, seed, store)
    return Trial(arch, estimates)


def _known_or_measured(estimator: Estimator, arch: Arch, seed: int, store: Store) -> dict[str, Estimate]:
    known = store.estimates(estimator.protocol, arch, seed)
    if not known.keys() >= estimator.measures.keys() or any(item.status == "failed" for item in known.values()):
        known = ask(estimator, arch, seed)
        store.add(estimator.protocol, arch, seed, known)
    return {name: known[name] for name in estimator.measures}


def check_proposal(candidate: Arch | Region, number: int, stored: Sequence[Arch | Region]) -> None:
    """Raise `RunError` if the store has another one than the strategy's as the number-th."""
    if number < len(stored) and candidate != stored[number]:
        raise RunError(
            complaint(
                f"candidate {number}",
                f"{stored[number]}, which an earlier start was given",
                str(candidate),
                "The strategy does not repeat itself, or changed since: begin in another folder with --output.",
            )
        )


def _unseen(strategy: Strategy, known: Mapping[Arch, Trial]) -> Arch:
    for _ in range(_REPEATS_IN_A_ROW):
        (arch,) = strategy.ask(1)
        if arch not in known:
            return arch
        strategy.tell([known[arch]])
    got = f"{_REPEATS_IN_A_ROW:,} in a row that it proposed before"
    raise UsageError(complaint("the strategy", "a new architecture", got, "Ask for fewer candidates."))
