"""Measuring a pool under several settings: what the store lacks, and no more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from lnas.analysis.readings import at_step
from lnas.errors import RunError, UsageError, complaint
from lnas.execution import Executor
from lnas.pipeline.display import Display
from lnas.pipeline.reasons import reason
from lnas.pipeline.scoring.collecting import Estimates, collect
from lnas.pipeline.scoring.measuring import MeasuringTask, plan
from lnas.pipeline.scoring.outcome import by_arch
from lnas.pipeline.scoring.parts import divide
from lnas.pipeline.study.settings import SIZE, Iterations, Setting
from lnas.spaces import SearchSpace
from lnas.stats import measure_names
from lnas.store import Store
from lnas.types import Arch, Estimate, Trial


@dataclass(frozen=True)
class Measured:
    """A pool under one setting.

    Attributes:
        label: Of the setting, or of what was read from it.
        archs: The pool.
        own: The setting's own estimates of each architecture.
        shared: Those that all settings share.
        directions: Whether higher is better, of every measure.
        protocol: Key of the setting's own protocol.
    """

    label: str
    archs: Sequence[Arch]
    own: Sequence[Estimates]
    shared: Sequence[Estimates]
    directions: dict[str, bool]
    protocol: str

    @cached_property
    def trials(self) -> list[Trial]:
        """One for each architecture."""
        return [
            Trial(arch, {**shared, **own}) for arch, own, shared in zip(self.archs, self.own, self.shared, strict=True)
        ]

    @property
    def names(self) -> list[str]:
        """The setting's own measures."""
        return [name for name in self.directions if name in self.own[0]]

    @property
    def seconds(self) -> float:
        """Mean time of the setting's own measurements; measures that were taken together share theirs."""
        return float(np.mean([sum({estimate.seconds for estimate in row.values()}) for row in self.own]))

    @property
    def sizes(self) -> np.ndarray:
        """Number of parameters of each architecture, shape (n,)."""
        return self.values(SIZE)

    def first(self, count: int) -> Measured:
        """Return what is known of the first so many architectures."""
        return replace(self, archs=self.archs[:count], own=self.own[:count], shared=self.shared[:count])

    def values(self, name: str) -> np.ndarray:
        """Return a measure of each architecture, shape (n,); NaN where there is no number."""
        return np.array([trial.estimates[name].value for trial in self.trials])


def measure(
    archs: Sequence[Arch],
    settings: Sequence[Setting],
    space: SearchSpace,
    seed: int,
    executor: Executor,
    store: Store,
    display: Display,
) -> list[Measured]:
    """Measure a pool under all settings, each architecture and setting a task of its own; begin with what is stored.

    Raises:
        UsageError: If an estimator cannot serve an architecture at all.
        RunError: If a measure of a setting has no number at all.
    """
    shared = settings[0].shared
    divided = [divide([estimator], "class", space) for estimator in (*shared, *(each.estimator for each in settings))]
    parts = [part for some in divided for part in some]
    tasks = [MeasuringTask(arch, (number,)) for arch, asked in plan(archs, parts, seed) for number in asked]
    known = collect(tasks, parts, seed, executor, store, display)
    rows = []
    for some in divided:
        known, own = known[len(some) :], by_arch(archs, some, known[: len(some)])
        rows.append([own[arch] for arch in archs])
    of_shared = [_merged(each[k] for each in rows[: len(shared)]) for k in range(len(archs))]
    measured = [
        Measured(setting.label, archs, own, of_shared, setting.directions, setting.protocol)
        for setting, own in zip(settings, rows[len(shared) :], strict=True)
    ]
    _require_numbers(measured)
    return measured


def read_iterations(iterations: Iterations, measured: Sequence[Measured], rank: str) -> list[Measured]:
    """Return what shorter trainings would have measured, by the curves of the setting that is named.

    Raises:
        UsageError: If that was shorter, or keeps no curve of a measure that is ranked by.
    """
    longest = next(setting for setting in measured if setting.label == iterations.setting)
    readings = [_read(longest, step) for step in iterations.steps]
    for reading in readings:
        for name in measure_names(rank):
            if name not in reading.directions:
                step = "Leave iterations out, or choose a rank of others."
                raise UsageError(
                    complaint(reading.label, f"a curve of each measure of {rank!r}", f"none of {name}", step)
                )
    return readings


def _read(longest: Measured, step: int) -> Measured:
    own = [at_step(estimates, step) for estimates in longest.own]
    read = {name for row in own for name, estimate in row.items() if estimate.status != "failed"}
    names = read.union(*longest.shared)
    directions = {name: higher for name, higher in longest.directions.items() if name in names}
    return Measured(f"step {step} of {longest.label}", longest.archs, own, longest.shared, directions, longest.protocol)


def _merged(rows: Iterable[Estimates]) -> dict[str, Estimate]:
    return {name: estimate for row in rows for name, estimate in row.items()}


def _require_numbers(measured: Sequence[Measured]) -> None:
    for setting in measured:
        for name in setting.directions:
            estimates = [trial.estimates[name] for trial in setting.trials]
            if all(estimate.status != "ok" for estimate in estimates):
                step = f"The first {reason(estimates[0])}. What failed is tried again at the next start."
                raise RunError(complaint(f"setting {setting.label!r}", f"a number for {name}", "none", step))
