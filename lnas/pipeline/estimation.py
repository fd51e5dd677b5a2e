"""Propose candidates and measure them, keeping every number the moment it exists."""

from __future__ import annotations

from collections.abc import Sequence

from lnas.errors import RunError, UsageError, complaint
from lnas.estimators import Estimator
from lnas.pipeline.display import Display
from lnas.pipeline.tracking import Tracker
from lnas.search import Strategy
from lnas.store import Store
from lnas.types import Arch, Estimate, Trial


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

    Args:
        strategy: New or, equally, one that is replayed: it is told stored numbers as if they were just measured.
        estimators: Each measure comes from one of them.
        candidates: How many to propose.
        seed: Of the estimates.
        run: The run's name in the store.
        store: Where numbers are kept.
        tracker: Told every number, stored ones included.
        display: Shows the progress of what is left.

    Returns:
        The trials in the order proposed.
    """
    trials: list[Trial] = []
    stored = store.candidates(run)
    done = len(stored)
    tracker.group("candidates")
    with display.bar("candidates", total=candidates, done=done) as advance:
        for number in range(candidates):
            (arch,) = strategy.ask(1)
            check_proposal(arch, number, [trial.arch for trial in trials], stored)
            estimates: dict[str, Estimate] = {}
            for estimator in estimators:
                estimates |= known_or_measured(estimator, arch, seed, store)
            trial = Trial(arch, estimates)
            strategy.tell([trial])
            trials.append(trial)
            tracker.numbers({f"candidates/{name}": item.value for name, item in estimates.items()}, step=number)
            if number >= done:
                store.add_candidate(run, number, arch)
                advance()
    return trials


def known_or_measured(estimator: Estimator, arch: Arch, seed: int, store: Store) -> dict[str, Estimate]:
    """Take what the store has, unless it failed: what made it fail may be mended. Else measure, and keep it.

    Raises:
        UsageError: If the estimator leaves a measure out.
    """
    known = store.estimates(estimator.protocol, arch, seed)
    if not known.keys() >= estimator.measures.keys() or any(item.status == "failed" for item in known.values()):
        known = estimator.estimate(arch, seed=seed)
        if not known.keys() >= estimator.measures.keys():
            name = type(estimator).__name__
            raise UsageError(
                complaint(f"{name}.estimate", f"{list(estimator.measures)}", list(known), "Fill every measure.")
            )
        store.add(estimator.protocol, arch, seed, known)
    return {name: known[name] for name in estimator.measures}


def check_proposal(arch: Arch, number: int, proposed: Sequence[Arch], stored: Sequence[Arch]) -> None:
    """Refuse what the strategy proposed as its number-th if it was proposed before.

    Raises:
        RunError: If it is not what the store has as the number-th.
        UsageError: If it was proposed under another number.
    """
    if number < len(stored) and arch != stored[number]:
        raise RunError(
            complaint(
                f"candidate {number}",
                f"{stored[number]}, which an earlier start was given",
                str(arch),
                "The strategy does not repeat itself, or changed since: begin in another folder with --output.",
            )
        )
    if arch in proposed:
        raise UsageError(
            complaint("the strategy", "no architecture twice", str(arch), "Use one that proposes each once.")
        )
