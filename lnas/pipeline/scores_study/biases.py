"""What a study finds about the bias of estimators, and what it cannot find."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np

from lnas.analysis.cell_features import cell_features
from lnas.analysis.complexity_groups import ComplexityBias, ComplexityGroups, complexity_bias, complexity_groups
from lnas.analysis.isomorphism_bias import IsomorphismBias, isomorphism_bias, isomorphism_classes
from lnas.analysis.operation_bias import OperationBias, operation_bias
from lnas.analysis.operation_changes import OperationChanges, operation_changes
from lnas.analysis.size_bias import SizeBias, size_bias
from lnas.errors import UsageError
from lnas.execution import Executor
from lnas.pipeline.display import Display
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.pipeline.scores_study.jobs import run_jobs

FoundT = TypeVar("FoundT")


@dataclass(frozen=True)
class Biases:
    """Bias of each estimator that ranks something; a kind that cannot be found is empty.

    Attributes:
        groups: Complexity groups of the architectures.
        complexity: Estimator -> what it makes of the groups.
        size: Estimator -> how much of it is size.
        isomorphism: Estimator -> what it makes of classes of twins.
        operations: Estimator -> what it makes of changes of one operation.
        largest: The same inside the largest complexity group.
        features: Feature -> of each architecture.
        left_out: Kind -> why it cannot be found.
    """

    groups: ComplexityGroups | None = None
    complexity: Mapping[str, ComplexityBias] = field(default_factory=dict)
    size: Mapping[str, SizeBias] = field(default_factory=dict)
    isomorphism: Mapping[str, IsomorphismBias] = field(default_factory=dict)
    operations: Mapping[str, OperationBias] = field(default_factory=dict)
    largest: Mapping[str, OperationBias] = field(default_factory=dict)
    features: Mapping[str, np.ndarray] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


def find_biases(
    evidence: Evidence, order: Sequence[str], sizes: np.ndarray, groups: int, executor: Executor, display: Display
) -> Biases:
    """Find every kind of bias that the space and the architectures allow.

    Args:
        evidence: What is compared.
        order: The estimators that rank something.
        sizes: Of each architecture.
        groups: How many complexity groups.
        executor: Runs what takes seconds.
        display: Shows how far it is.
    """
    left_out: dict[str, str] = {}

    def unless_undefined(kind: str, find: Callable[[], FoundT]) -> FoundT | None:
        try:
            return find()
        except UsageError as error:
            left_out[kind] = str(error)
            return None

    ranking = {name: evidence.ranking[name] for name in order}
    truth, space = evidence.truth, evidence.space
    grouped = unless_undefined("bias by complexity", lambda: complexity_groups(sizes, groups))
    changes = unless_undefined("bias by operation", lambda: operation_changes(evidence.archs, space))
    classes = unless_undefined("bias by isomorphism", lambda: isomorphism_classes(evidence.archs, space))
    jobs = {name: partial(size_bias, merits, truth, sizes) for name, merits in ranking.items()}
    size = unless_undefined("bias by size", lambda: run_jobs(jobs, "bias by size", executor, display))
    features = unless_undefined("features of cells", lambda: cell_features(evidence.archs, space))
    return Biases(
        grouped,
        {name: complexity_bias(merits, truth, grouped) for name, merits in ranking.items()} if grouped else {},
        size or {},
        {name: isomorphism_bias(merits, truth, classes) for name, merits in ranking.items()} if classes else {},
        {name: operation_bias(changes, merits, truth) for name, merits in ranking.items()} if changes else {},
        _in_largest(ranking, truth, changes, grouped),
        features or {},
        left_out,
    )


def _in_largest(
    ranking: Mapping[str, np.ndarray],
    truth: np.ndarray,
    changes: OperationChanges | None,
    groups: ComplexityGroups | None,
) -> dict[str, OperationBias]:
    if changes is None or groups is None:
        return {}
    within = groups.of_each == len(groups.counts) - 1
    return {name: operation_bias(changes, merits, truth, within) for name, merits in ranking.items()}
