"""Accuracies of the benchmark as estimators: what a few epochs foretell stands beside what costs less."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from lnas.benchmarks import load_benchmark
from lnas.errors import UsageError, complaint
from lnas.pipeline.scores_study.score_files import Estimates, ScoreFile
from lnas.pipeline.truth import Truth
from lnas.spaces import SearchSpace
from lnas.types import Arch


def benchmark_space(truth: Truth) -> SearchSpace:
    """Return the space that the benchmark is of."""
    return load_benchmark(truth.benchmark, truth.path).space


def accuracy_estimates(
    files: Mapping[str, ScoreFile],
    measured: Sequence[Estimates],
    truth: Truth,
    keys: Sequence[str],
    space: SearchSpace,
) -> list[Estimates]:
    """Return the estimators that are accuracies, of the architectures that have one.

    Args:
        files: Some of which are accuracies.
        measured: The other estimators; accuracies are looked up of their architectures, or of all if there are none.
        truth: The benchmark, and the accuracy that is compared with.
        keys: Further accuracies that are compared with.
        space: Of the architectures.

    Raises:
        UsageError: If the benchmark lacks one, it is compared with itself, or there are no architectures.
    """
    asked = {label: file.key for label, file in files.items() if file.key is not None}
    for label, key in asked.items():
        if key in (truth.key, *keys):
            call, step = f"scores.{label}='truth:{key}'", "Drop it, or compare with another."
            raise UsageError(complaint(call, "another accuracy than it is compared with", key, step))
    every = {label: replace(truth, key=key) for label, key in asked.items()}
    for each in every.values():
        each.require(space)
    archs = _archs(measured, truth, space) if every else []
    return [_known(label, archs, each.accuracies(archs, space)) for label, each in every.items()]


def _archs(measured: Sequence[Estimates], truth: Truth, space: SearchSpace) -> Sequence[Arch]:
    if measured:
        return list(dict.fromkeys(arch for each in measured for arch in each.archs))
    listed = truth.listed(space)
    if listed is None:
        step = "Add a file of scores: its architectures are taken."
        raise UsageError(complaint("scores", "a benchmark that lists its architectures", truth.benchmark, step))
    return listed


def _known(label: str, archs: Sequence[Arch], accuracies: Sequence[float | None]) -> Estimates:
    found = {arch: value for arch, value in zip(archs, accuracies, strict=True) if value is not None}
    return Estimates(label, list(found), np.array(list(found.values()), dtype=float), higher_is_better=True)
