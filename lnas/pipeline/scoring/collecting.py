"""Doing the measurements that the store lacks, and keeping each the moment it exists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lnas.errors import UsageError
from lnas.execution import Done, Executor
from lnas.pipeline.display import Display
from lnas.pipeline.scoring.measuring import Measuring, MeasuringTask
from lnas.pipeline.scoring.parts import Part
from lnas.store import Store
from lnas.types import Arch, Estimate

Estimates = Mapping[str, Estimate]


def collect(
    tasks: Sequence[MeasuringTask], parts: Sequence[Part], seed: int, executor: Executor, store: Store, display: Display
) -> list[dict[Arch, Estimates]]:
    """Return for each part what is known of the architectures it was asked about.

    What the store has is taken from there, unless a measure failed: what made it fail may be mended.

    Args:
        tasks: What must be known.
        parts: Those that the tasks number.
        seed: Of the estimates.
        executor: Where measurements run.
        store: Where they are kept.
        display: Shows the progress of what is left.

    Raises:
        UsageError: If an estimator cannot serve an architecture at all; the others would fare no better.
    """
    known = [_kept(part, seed, store) for part in parts]
    left = [MeasuringTask(arch, lacking) for arch, asked in tasks if (lacking := _lacking(arch, asked, known))]
    measuring = Measuring(tuple(part.estimator for part in parts), seed)
    with display.bar("measurements", len(tasks), len(tasks) - len(left)) as advance:
        for done in executor.run(measuring, left):
            for number, estimates in zip(done.task.parts, _results(done, parts), strict=True):
                store.add(parts[number].protocol, done.task.arch, seed, estimates)
                known[number][done.task.arch] = estimates
            advance()
    return known


def _kept(part: Part, seed: int, store: Store) -> dict[Arch, Estimates]:
    stored = store.all_estimates(part.protocol, seed)
    return {arch: estimates for arch, estimates in stored.items() if part.is_filled(estimates) and _is_sound(estimates)}


def _is_sound(estimates: Estimates) -> bool:
    return all(estimate.status != "failed" for estimate in estimates.values())


def _lacking(arch: Arch, asked: Sequence[int], known: Sequence[Mapping[Arch, Estimates]]) -> tuple[int, ...]:
    return tuple(number for number in asked if arch not in known[number])


def _results(done: Done[MeasuringTask, list[dict[str, Estimate]]], parts: Sequence[Part]) -> Sequence[Estimates]:
    """Return what a task gave; where it raised, or its process died, failed estimates."""
    if isinstance(done.error, UsageError):
        raise done.error
    if done.error:
        failure = Estimate.failure(done.error)
        return [dict.fromkeys(parts[number].estimator.measures, failure) for number in done.task.parts]
    return done.result or []
