"""What every search strategy offers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.seeds import derive_seed
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
    def fewest(self) -> int:
        """Of how few evaluations a budget makes no sense: with fewer it never proposes what it learned."""
        return 1

    @property
    def is_over(self) -> bool:
        """Whether its own rule says that there is nothing more to be gained; the caller may go on."""
        return False

    @property
    def ahead(self) -> int:
        """How many more it can be asked for that depend on nothing it is yet to be told: measured side by side."""
        return 0

    @property
    def wants(self) -> Sequence[str] | None:
        """The measures it needs of its next proposal, to be read before `ask(1)`.

        None means those of its objective, and whatever else the search measures. They change on the way where a
        strategy looks at some of its proposals by something cheaper than its objective.
        """
        return None

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

    def reseed(self, seed: int) -> None:
        """Let a seed decide every draw from now on; what was learned and drawn stays, and so do the settings.

        A search branches by it: one that was replayed up to a step goes on otherwise with each seed.

        Raises:
            UsageError: If it draws nothing.
        """
        call, step = f"{type(self).__name__}.reseed(seed={seed})", "Every branch of it would be the same."
        raise UsageError(complaint(call, "a strategy that draws by a seed", "none", step))


class SeededStrategy(Strategy):
    """A strategy all of whose draws are those of one generator, `self._rng`.

    Args:
        name: Its own, so that strategies with the same seed draw independently.
        seed: Decides every draw.
    """

    def __init__(self, name: str, seed: int) -> None:
        self._name = name
        self._rng = np.random.default_rng(derive_seed(seed, name))

    def reseed(self, seed: int) -> None:
        self._rng = np.random.default_rng(derive_seed(seed, self._name, "branch"))


def require_askable(call: str, n: int, left: int) -> None:
    """Raise `UsageError` unless 1 <= n <= left."""
    if not 1 <= n <= left:
        raise UsageError(complaint(f"{call}.ask(n={n})", f"1 <= n <= {left}", n, "Ask for fewer."))


def require_positive(call: str, **numbers: float) -> None:
    """Raise `UsageError` for the first number below 1."""
    for name, number in numbers.items():
        if number < 1:
            raise UsageError(complaint(f"{call}({name}={number})", f"{name} >= 1", number, "Raise it."))
