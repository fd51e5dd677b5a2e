"""What every estimator offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

from lnas.types import Arch, Estimate


class Estimator(ABC):
    """Measures an architecture more cheaply than training it in full.

    One training or one probe may fill several measures. The numbers depend on the protocol, the architecture and the
    seed alone: not on the order of calls, nor on the process's random generators, which are left as found.

    An estimator of several measures may have `only(names)`, which returns one of some of them, each taken alike, and
    `measured_per`, which maps a measure to the sense in which twins share it, up to the weights that are drawn: a sense
    of the space's `canonical`, or "architecture". `lnas score` then measures one for all.
    """

    @property
    @abstractmethod
    def measures(self) -> Mapping[str, bool]:
        """Name of each measure -> whether higher is better."""

    @property
    @abstractmethod
    def protocol(self) -> object:
        """A frozen dataclass with everything that decides the numbers, the seed apart."""

    @property
    def is_recorded(self) -> bool:
        """Whether its numbers are looked up: nothing is gained by keeping them again, nor by other processes."""
        return False

    @property
    def is_repeatable(self) -> bool:
        """Whether it gives the same numbers each time. One that reads a clock gives about the same."""
        return True

    @abstractmethod
    def estimate(self, candidate: Arch, *, seed: int) -> dict[str, Estimate]:
        """Measure one architecture: an estimate for each of `measures`.

        A measurement that raises is an estimate with status "failed"; one that gives inf or NaN, "nonfinite".

        Raises:
            UsageError: If the estimator cannot serve the architecture or its data at all.
        """
