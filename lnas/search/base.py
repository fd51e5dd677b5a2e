"""What every search strategy offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from lnas.types import Arch, Trial


class Strategy(ABC):
    """Proposes architectures and learns from what was measured of them. Torch-free; never sees an estimator.

    The caller alternates `ask` and `tell`. A strategy keeps no state that cannot be rebuilt: constructed again with the
    same arguments, asked for as many and told the same trials, it goes on exactly as it would have.
    """

    @property
    def learns(self) -> bool:
        """Whether what it proposes depends on what it is told; all of it can be asked for at once where it does not."""
        return True

    @property
    @abstractmethod
    def limit(self) -> int:
        """The most architectures it can ever propose."""

    @property
    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """The JSON-able arguments that decide what it proposes, its name among them."""

    @abstractmethod
    def ask(self, n: int) -> list[Arch]:
        """Propose the next n >= 1 architectures.

        Raises:
            UsageError: If the space cannot give that many more.
        """

    @abstractmethod
    def tell(self, trials: Sequence[Trial]) -> None:
        """Learn what was measured of proposed architectures, in the order in which they were proposed."""
