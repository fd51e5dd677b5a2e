"""What every benchmark answers."""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from lnas.benchmarks.accuracy_key import AccuracyKey
from lnas.errors import UsageError, complaint
from lnas.spaces import SearchSpace
from lnas.types import Arch

_LISTED = 12


@dataclass(frozen=True)
class Card:
    """Where a benchmark's numbers come from.

    Attributes:
        name: What `load_benchmark` calls it.
        what: What was measured, in a sentence or two.
        source: Who measured it and where it was published.
        licence: Under which terms the numbers may be used.
        checked: How the reader, or the data, was checked.
        made: How the file was made: versions, settings, seeds. Empty where others made it.
    """

    name: str
    what: str
    source: str
    licence: str
    checked: str
    made: str = ""


class Benchmark(ABC):
    """Accuracies of architectures, each under a key that leaves nothing open. Accuracies are in percent.

    Attributes:
        card: Where the numbers come from.
        space: What the architectures are of.
    """

    card: Card
    space: SearchSpace

    @abstractmethod
    def keys(self) -> tuple[AccuracyKey, ...]:
        """Every key there is."""

    @abstractmethod
    def query(self, arch: Arch, key: AccuracyKey) -> float:
        """Return an architecture's accuracy in percent.

        Raises:
            UsageError: If the space has no such architecture or the benchmark does not know it, there is no such key,
                or the architecture was not trained with the seed that the key names. Nothing else is answered instead.
        """

    @abstractmethod
    def cost(self, arch: Arch, key: AccuracyKey) -> float:
        """Return the seconds that it took to find an accuracy: the training, and one evaluation on the split.

        Raises:
            UsageError: As `query`, and if no time was recorded under the key.
        """

    def require(self, key: AccuracyKey) -> None:
        """Raise `UsageError` unless there is such a key; the message lists the nearest ones."""
        if key not in self.keys():
            raise unknown_key(self.card.name, key, self.keys())

    def queries(self, archs: Iterable[Arch], key: AccuracyKey) -> np.ndarray:
        """Return the accuracies of several architectures, float64."""
        return np.array([self.query(arch, key) for arch in archs], dtype=np.float64)


def unknown_key(name: str, key: object, known: Sequence[AccuracyKey], having: str = "accuracies") -> UsageError:
    """Word the error for a key that is not there: the nearest ones, or all where they are few."""
    if not isinstance(key, AccuracyKey):
        step = "From its text: AccuracyKey.parse(text)."
        return UsageError(complaint(f"benchmark {name!r}", "an AccuracyKey", key, step))
    texts = [str(item) for item in known]
    shown = texts if len(texts) <= _LISTED else difflib.get_close_matches(str(key), texts, n=_LISTED, cutoff=0)
    more = "" if len(shown) == len(texts) else f" and {len(texts) - len(shown)} more (benchmark.keys())"
    return UsageError(
        f"benchmark {name!r} has no {having} under {str(key)!r}. It has: {', '.join(shown) or 'none'}{more}."
    )
