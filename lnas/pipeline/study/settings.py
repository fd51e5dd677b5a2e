"""The settings of an estimator that a study compares, and what belongs to each."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lnas.data import ImageData
from lnas.errors import UsageError, complaint, unknown_name
from lnas.estimators import Estimator, EstimatorFactory, factories_for
from lnas.pipeline.directions import directions_of
from lnas.stats import measure_names
from lnas.store import protocol_key
from lnas.types import Arch

SIZE = "params"
"""The measure that says which architectures are of the same size."""

_KEPT = "kept"


@dataclass(frozen=True)
class Iterations:
    """Shorter trainings, read from the curves of a longer one instead of being trained.

    Args:
        setting: Label of the longer training.
        steps: After how many of its steps it is read.
    """

    setting: str
    steps: Sequence[int]

    def require(self, settings: Sequence[Setting]) -> None:
        """Raise `UsageError` unless there is such a setting, it is as long, and its numbers are those of its curves."""
        estimators = {setting.label: setting.estimator for setting in settings}
        if self.setting not in estimators:
            raise UsageError(f"iterations.setting: {unknown_name('setting', self.setting, estimators)}")
        longest = getattr(estimators[self.setting], "steps", None) or math.inf
        if not all(1 <= step <= longest for step in self.steps):
            expected = "steps >= 1" if math.isinf(longest) else f"steps in 1..{longest}, those of {self.setting!r}"
            call = f"iterations.steps={list(self.steps)}"
            raise UsageError(complaint(call, expected, list(self.steps), "Name a longer setting, or fewer steps."))
        if getattr(estimators[self.setting].protocol, "trivial_cells", _KEPT) != _KEPT:
            call, expected = f"iterations.setting={self.setting!r}", "a short training that keeps trivial cells"
            step = "The rule is about whole trainings, not their curves: name another setting."
            raise UsageError(complaint(call, expected, "protocol='as_released'", step))


@dataclass(frozen=True)
class Setting:
    """An estimator under a label, beside measures that all settings share.

    Attributes:
        label: What tables call it.
        estimator: What it is about.
        shared: What gives the other measures.
    """

    label: str
    estimator: Estimator
    shared: tuple[Estimator, ...]

    @cached_property
    def directions(self) -> dict[str, bool]:
        """Whether higher is better, of its own measures and the shared ones."""
        return directions_of([self.estimator, *self.shared])

    @cached_property
    def protocol(self) -> str:
        """The key under which the store keeps its own measures."""
        return protocol_key(self.estimator.protocol)

    def require(self, expressions: Iterable[str]) -> None:
        """Raise `UsageError` unless it has all measures that some rank expressions name."""
        for expression in expressions:
            for name in measure_names(expression):
                if name not in self.directions:
                    unknown = unknown_name("measure", name, self.directions)
                    raise UsageError(f"rank {expression!r}, setting {self.label!r}: {unknown}")


def make_settings(
    factories: Mapping[str, EstimatorFactory],
    expressions: Iterable[str],
    net: Callable[[Arch, int], Any],
    data: ImageData,
) -> list[Setting]:
    """Make the estimators, the base first.

    Args:
        factories: Label -> what makes its estimator; the first is the base.
        expressions: What is ranked by. Measures that no setting gives are taken once for all, each as its estimator
            does by default; the number of parameters is always among them.
        net: Builds the network of an architecture.
        data: Images to measure on.

    Raises:
        UsageError: If there is no setting, or two are the same.
    """
    if not factories:
        raise UsageError(complaint("settings={}", "at least one setting", "none", "The first is the base."))
    estimators = {label: factory(net, data) for label, factory in factories.items()}
    given = {name for estimator in estimators.values() for name in estimator.measures}
    named = dict.fromkeys([SIZE, *(name for expression in expressions for name in measure_names(expression))])
    shared = tuple(factory(net, data) for factory in factories_for(name for name in named if name not in given))
    settings = [Setting(label, estimator, shared) for label, estimator in estimators.items()]
    _require_different(settings)
    return settings


def _require_different(settings: Sequence[Setting]) -> None:
    labels: dict[str, str] = {}
    for setting in settings:
        other = labels.setdefault(setting.protocol, setting.label)
        if other != setting.label:
            expected = f"a protocol that differs from that of {other!r}"
            raise UsageError(complaint(f"setting {setting.label!r}", expected, "the same", "Drop one of them."))
