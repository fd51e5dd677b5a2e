"""Which estimator is asked about which architecture: itself, or the one that stands for its class of twins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Literal

from lnas.estimators import Estimator
from lnas.spaces import NatsTopologySpace, SearchSpace
from lnas.types import Arch

OncePer = Literal["class", "architecture"]
_Kind = Literal["architecture", "functional", "computational"]


@dataclass(frozen=True)
class Part:
    """An estimator, and whom it is asked about.

    Attributes:
        estimator: What is asked.
        stand_in: Maps an architecture to the one whose numbers are its own, too.
    """

    estimator: Estimator
    stand_in: Callable[[Arch], Arch]

    @cached_property
    def protocol(self) -> object:
        """The estimator's, made once."""
        return self.estimator.protocol

    def is_filled(self, estimates: Mapping[str, object]) -> bool:
        """Tell whether there is something for every measure."""
        return estimates.keys() >= self.estimator.measures.keys()


def divide(estimators: Sequence[Estimator], once_per: OncePer, space: SearchSpace) -> list[Part]:
    """Divide estimators into parts, each with measures of one kind.

    An estimator may say in `measured_per` of each measure in which sense twins share it, up to the weights that are
    drawn: "functional" or "computational", as `NatsTopologySpace.canonical` has it, or "architecture" where they do
    not. Shared measures are taken once for each class of that space, where `once_per` allows. An estimator with
    measures of several kinds is divided by its method `only(names)`; without that it is asked about each architecture,
    as are all that say nothing.
    """
    if once_per == "architecture" or not isinstance(space, NatsTopologySpace):
        return [Part(estimator, _itself) for estimator in estimators]
    return [Part(part, _stand_in(kind, space)) for estimator in estimators for kind, part in _of_one_kind(estimator)]


def _of_one_kind(estimator: Estimator) -> list[tuple[_Kind, Estimator]]:
    measured_per: Mapping[str, _Kind] = getattr(estimator, "measured_per", {})
    by_kind: dict[_Kind, list[str]] = {}
    for name in estimator.measures:
        by_kind.setdefault(measured_per.get(name, "architecture"), []).append(name)
    if len(by_kind) == 1:
        return [(kind, estimator) for kind in by_kind]
    if not hasattr(estimator, "only"):
        return [("architecture", estimator)]
    return [(kind, estimator.only(names)) for kind, names in by_kind.items()]


def _stand_in(kind: _Kind, space: NatsTopologySpace) -> Callable[[Arch], Arch]:
    return _itself if kind == "architecture" else partial(space.canonical, sense=kind)


def _itself(arch: Arch) -> Arch:
    return arch
