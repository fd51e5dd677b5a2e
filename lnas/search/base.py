"""What every search strategy offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from lnas.errors import RunError, UsageError, complaint
from lnas.search.objective import Objective
from lnas.types import Arch, Trial


class Strategy(ABC):
    """Proposes architectures and learns from what was measured of them. Torch-free; never sees an estimator.

    The caller alternates `ask` and `tell`. A strategy keeps no state that cannot be rebuilt: constructed again with the
    same arguments, asked for as many and told the same trials, it goes on exactly as it would have.

    One that has an objective takes it as its third argument, after the space and the seed.
    """

    @property
    def proposes(self) -> Literal["architectures", "regions"]:
        """What it asks about: architectures, or regions whose supernets are measured."""
        return "architectures"

    @property
    def learns(self) -> bool:
        """Whether what it proposes depends on what it is told; all of it can be asked for at once where it does not."""
        return True

    @property
    @abstractmethod
    def limit(self) -> int:
        """The most architectures it can ever propose."""

    @property
    def free(self) -> int:
        """How many of its first proposals a budget of evaluations does not count."""
        return 0

    @property
    def is_over(self) -> bool:
        """Whether its own rule says that there is nothing more to be gained; the caller may go on."""
        return False

    @property
    def state(self) -> Mapping[str, float]:
        """Numbers that tell how it is doing, such as an entropy: for curves, never for decisions."""
        return {}

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

    def answer(self) -> Arch:
        """Return what was found, by what was told so far.

        Raises:
            RunError: If nothing that was told has a number to judge by.
            UsageError: If it has no answer of its own.
        """
        call, step = f"{type(self).__name__}.answer()", "Rank what it was told."
        raise UsageError(complaint(call, "a strategy with an objective", "none", step))


def require_askable(call: str, n: int, left: int) -> None:
    """Raise `UsageError` unless 1 <= n <= left."""
    if not 1 <= n <= left:
        raise UsageError(complaint(f"{call}.ask(n={n})", f"1 <= n <= {left}", n, "Ask for fewer."))


def require_positive(call: str, **numbers: float) -> None:
    """Raise `UsageError` for the first number below 1."""
    for name, number in numbers.items():
        if number < 1:
            raise UsageError(complaint(f"{call}({name}={number})", f"{name} >= 1", number, "Raise it."))


def best_of(objective: Objective, trials: Sequence[Trial], call: str) -> Arch:
    """Return the best architecture of some trials, the first of equals.

    Raises:
        RunError: If all of them lack a number.
    """
    best = objective.best(trials)
    if best is None:
        expected = f"a trial with {objective.expression}"
        raise RunError(complaint(f"{call}.answer()", expected, f"{len(trials)} without", "Search longer."))
    return trials[best].arch
