"""Propose candidates and measure them, keeping every number the moment it exists."""

from __future__ import annotations

from collections.abc import Sequence

from lnas.estimators import Estimator
from lnas.pipeline.display import Display
from lnas.pipeline.tracking import Tracker
from lnas.search import Strategy
from lnas.store import Store
from lnas.types import Estimate, Trial


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
    done = len(store.candidates(run))
    tracker.group("candidates")
    with display.bar("candidates", total=candidates, done=done) as advance:
        for number in range(candidates):
            (arch,) = strategy.ask(1)
            estimates: dict[str, Estimate] = {}
            for estimator in estimators:
                known = store.estimates(estimator.protocol, arch, seed)
                if not known.keys() >= estimator.measures.keys():
                    known = estimator.estimate(arch, seed=seed)
                    store.add(estimator.protocol, arch, seed, known)
                estimates |= {name: known[name] for name in estimator.measures}
            trial = Trial(arch, estimates)
            strategy.tell([trial])
            trials.append(trial)
            tracker.numbers({f"candidates/{name}": item.value for name, item in estimates.items()}, step=number)
            if number >= done:
                store.add_candidate(run, number, arch)
                advance()
    return trials
