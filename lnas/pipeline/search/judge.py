"""What searches go by, and what their answers are compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lnas.data import ImageData
from lnas.errors import UsageError, complaint, unknown_name
from lnas.estimators import Estimator, EstimatorFactory, factories_for
from lnas.pipeline.directions import directions_of
from lnas.pipeline.search.no_images import NO_IMAGES
from lnas.pipeline.truth import Truth
from lnas.search import Objective
from lnas.spaces import SearchSpace
from lnas.stats import measure_names
from lnas.store import protocol_key
from lnas.types import Arch


@dataclass(frozen=True)
class Judge:
    """A rank expression, what gives its measures, and accuracies that answers are compared with.

    Args:
        rank: Measure names joined by +; what searches make as good as they can.
        estimators: What gives the measures; if not given, those that RANK needs, with their default settings.
        truths: Label -> a benchmark's accuracies. The search never sees them.
        data: Images to measure on, where they are not those of all judges.
        seconds: Budget of searches by this judge, where it is not that of all.
    """

    rank: str
    estimators: list[EstimatorFactory] | None = None
    truths: dict[str, Truth] = field(default_factory=dict)
    data: ImageData | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Bench:
    """A judge at work: its estimators made.

    Attributes:
        label: What tables call it.
        estimators: Each measure comes from one of them.
        rank: What searches make as good as they can.
        truths: Label -> accuracies that answers are compared with.
        seconds: A budget of its own.
    """

    label: str
    estimators: tuple[Estimator, ...]
    rank: str
    truths: Mapping[str, Truth]
    seconds: float | None

    @cached_property
    def directions(self) -> dict[str, bool]:
        """Of each measure, whether higher is better."""
        return directions_of(self.estimators)

    @cached_property
    def objective(self) -> Objective:
        """What searches make as good as they can."""
        return Objective(self.rank, self.directions)

    @cached_property
    def protocols(self) -> list[str]:
        """The keys under which the store keeps the numbers of each estimator."""
        return [protocol_key(estimator.protocol) for estimator in self.estimators]

    @cached_property
    def is_recorded(self) -> bool:
        """Whether all its numbers are looked up, so that nothing is gained by keeping them."""
        return all(estimator.is_recorded for estimator in self.estimators)

    def asked(self, wanted: Sequence[str] | None) -> list[int]:
        """Return the numbers of the estimators that give some measures; of all, where it is not said which."""
        if wanted is None:
            return list(range(len(self.estimators)))
        for name in wanted:
            if name not in self.directions:
                raise UsageError(f"judge {self.label!r}: {unknown_name('measure', name, self.directions)}")
        names = set(wanted)
        return [k for k, estimator in enumerate(self.estimators) if names & estimator.measures.keys()]


def open_judges(
    judges: Mapping[str, Judge], space: SearchSpace, net: Callable[[Arch, int], Any], data: ImageData | None
) -> list[Bench]:
    """Make the estimators of each judge.

    Raises:
        UsageError: If there is no judge, a rank names a measure that no estimator gives, an estimator needs images and
            there are none, or a benchmark is not of the space.
    """
    if not judges:
        raise UsageError(complaint("judges={}", "at least one judge", "none", "Or give --rank."))
    opened = [_open(label, judge, net, data) for label, judge in judges.items()]
    for bench in opened:
        for truth in bench.truths.values():
            truth.require(space)
    return opened


def _open(label: str, judge: Judge, net: Callable[[Arch, int], Any], data: ImageData | None) -> Bench:
    images = judge.data or data or NO_IMAGES
    factories = judge.estimators or factories_for(measure_names(judge.rank))
    estimators = tuple(factory(net, images) for factory in factories)
    bench = Bench(label, estimators, judge.rank, judge.truths, judge.seconds)
    for name in measure_names(judge.rank):
        if name not in bench.directions:
            raise UsageError(
                f"rank {judge.rank!r} of judge {label!r}: {unknown_name('measure', name, bench.directions)}"
            )
    return bench
