"""The small frozen types that all packages share."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from lnas.errors import UsageError, complaint

Status = Literal["ok", "nonfinite", "failed"]


@dataclass(frozen=True, order=True)
class Arch:
    """One architecture: the name of its space and one integer per decision.

    What the integers mean is the space's affair; `str(arch)` is the identity used in stores, files and logs.

    Example:
        >>> arch = Arch("nats_topology", (3, 1, 2, 0, 4, 3))
        >>> str(arch)
        'nats_topology:3-1-2-0-4-3'
        >>> Arch.from_json(arch.to_json()) == arch
        True
    """

    space: str
    genes: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.space}:{'-'.join(map(str, self.genes))}"

    def to_json(self) -> str:
        """Return `{"space": ..., "genes": [...]}`."""
        return json.dumps({"space": self.space, "genes": list(self.genes)})

    @classmethod
    def from_json(cls, text: str) -> Arch:
        """Read what `to_json` wrote.

        Raises:
            UsageError: If the text is not such an object.
        """
        try:
            record = json.loads(text)
            space, genes = record["space"], record["genes"]
            integers = isinstance(genes, list) and all(type(gene) is int for gene in genes)
            if not isinstance(space, str) or not integers:
                raise TypeError("not a space and a list of integers")
            return cls(space, tuple(genes))
        except (ValueError, KeyError, TypeError) as error:
            raise UsageError(
                complaint(
                    f"Arch.from_json({text!r})",
                    "an object with a space and a list of genes",
                    text,
                    'Example: {"space": "nats_topology", "genes": [3, 1, 2, 0, 4, 3]}.',
                )
            ) from error


@dataclass(frozen=True, order=True)
class Region:
    """A part of a space: for each decision, the choices that are still allowed.

    A supernet is built over one, and a pruning search shrinks one. Where a space's decisions are independent, a region
    with one choice each is an architecture.

    Raises:
        UsageError: If a decision is left without a choice, or its choices are not in ascending order.

    Example:
        >>> region = Region("tiny", ((0, 1), (0, 1), (1,)))
        >>> Arch("tiny", (0, 1, 1)) in region, Arch("tiny", (0, 1, 0)) in region
        (True, False)
        >>> region.without(0, 1).choices
        ((0,), (0, 1), (1,))
    """

    space: str
    choices: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        for decision, allowed in enumerate(self.choices):
            if not allowed or list(allowed) != sorted(set(allowed)):
                call = f"Region({self.space!r}, ...)"
                expected = f"choices of decision {decision} in ascending order, at least one"
                raise UsageError(complaint(call, expected, allowed, "Example: (0, 2, 3)."))

    def __contains__(self, arch: Arch) -> bool:
        return (
            arch.space == self.space
            and len(arch.genes) == len(self.choices)
            and all(gene in allowed for gene, allowed in zip(arch.genes, self.choices, strict=True))
        )

    def __str__(self) -> str:
        return f"{self.space}:{'-'.join(','.join(map(str, allowed)) for allowed in self.choices)}"

    @property
    def is_single(self) -> bool:
        """Whether every decision is made."""
        return all(len(allowed) == 1 for allowed in self.choices)

    @classmethod
    def of(cls, arch: Arch) -> Region:
        """Return the region that holds this architecture only."""
        return cls(arch.space, tuple((gene,) for gene in arch.genes))

    def without(self, decision: int, choice: int) -> Region:
        """Return the region in which a choice is no longer allowed."""
        return self.replaced(decision, tuple(item for item in self.choices[decision] if item != choice))

    def replaced(self, decision: int, allowed: tuple[int, ...]) -> Region:
        """Return the region in which one decision has these choices."""
        return Region(self.space, (*self.choices[:decision], allowed, *self.choices[decision + 1 :]))

    def to_json(self) -> str:
        """Return `{"space": ..., "choices": [[...], ...]}`."""
        return json.dumps({"space": self.space, "choices": self.choices})

    @classmethod
    def from_json(cls, text: str) -> Region:
        """Read what `to_json` wrote.

        Raises:
            UsageError: If the text is not such an object.
        """
        try:
            record = json.loads(text)
            space, choices = record["space"], record["choices"]
            if not isinstance(space, str) or not all(type(item) is int for allowed in choices for item in allowed):
                raise TypeError("not a space and lists of integers")
            return cls(space, tuple(tuple(allowed) for allowed in choices))
        except (ValueError, KeyError, TypeError) as error:
            example = 'Example: {"space": "tiny", "choices": [[0, 1], [0], [1]]}.'
            expected = "an object with a space and a list of choices per decision"
            raise UsageError(complaint(f"Region.from_json({text!r})", expected, text, example)) from error


@dataclass(frozen=True)
class Estimate:
    """One measured value, or the reason why there is none.

    Attributes:
        value: The number; NaN unless `status` is "ok".
        status: "ok", "nonfinite" (the measure came out as inf or NaN) or "failed" (it could not be computed).
        seconds: Wall time of the measurement; measures taken together share it.
        detail: JSON-able extras: curves under "curves" (name -> list of numbers), the error text of a failure.
    """

    value: float
    status: Status = "ok"
    seconds: float = 0.0
    detail: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.status == "ok" and not math.isfinite(self.value):
            call = f"Estimate({self.value}, status='ok')"
            raise UsageError(complaint(call, "a finite value", self.value, "Estimate.of(value) classifies it."))

    @classmethod
    def of(cls, value: float, seconds: float = 0.0, detail: Mapping[str, Any] | None = None) -> Estimate:
        """Classify a computed number: finite is "ok", anything else is "nonfinite" and carries no number."""
        if math.isfinite(value):
            return cls(float(value), "ok", seconds, detail or {})
        return cls(math.nan, "nonfinite", seconds, {**(detail or {}), "got": repr(float(value))})

    @classmethod
    def failure(cls, error: BaseException, seconds: float = 0.0) -> Estimate:
        """Record that the measurement raised."""
        return cls(math.nan, "failed", seconds, {"error": f"{type(error).__name__}: {error}"})


@dataclass(frozen=True)
class Trial:
    """A candidate and what was measured of it, by name."""

    arch: Arch
    estimates: Mapping[str, Estimate]


def describe(value: object) -> Any:
    """Turn a value into plain JSON-able data, with class names kept: what a protocol's hash is computed from.

    Dataclasses become `{"class": ..., fields...}`; functions and classes their import path; bound methods, partial
    functions and objects without a repr of their own their path and what they hold; other objects their repr. No memory
    address is among it, so that a later process computes the same hash.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {item.name: describe(getattr(value, item.name)) for item in dataclasses.fields(value)}
        return {"class": f"{type(value).__module__}.{type(value).__qualname__}", **fields}
    if isinstance(value, Mapping):
        return {str(key): describe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [describe(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, functools.partial):
        parts = {"function": value.func, "args": value.args, "keywords": value.keywords}
        return {"class": "functools.partial", **{name: describe(part) for name, part in parts.items()}}
    if inspect.ismethod(value) and not inspect.isclass(value.__self__):
        return {"method": f"{value.__module__}.{value.__qualname__}", "self": describe(value.__self__)}
    if hasattr(value, "__qualname__"):
        return f"{value.__module__}.{value.__qualname__}"
    if type(value).__repr__ is object.__repr__:
        return {"class": describe(type(value)), **describe(getattr(value, "__dict__", {}))}
    return repr(value)
