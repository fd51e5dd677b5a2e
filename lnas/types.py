"""The small frozen types that all packages share."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import json
import math
import operator
import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from lnas.errors import UsageError, complaint
from lnas.reading import read_json_object

Status = Literal["ok", "nonfinite", "failed"]

_T = TypeVar("_T")
_IDENTITY = re.compile(r"(.+):([0-9]{1,9}(?:-[0-9]{1,9})*)")
_NOT_ORDERED = (str, Mapping, Set)
_ARCH_EXAMPLE = 'Example: {"space": "nats_topology", "genes": [3, 1, 2, 0, 4, 3]}.'
_REGION_EXAMPLE = 'Example: {"space": "tiny", "choices": [[0, 1], [0], [1]]}.'


@dataclass(frozen=True, order=True)
class Arch:
    """One architecture: the name of its space and one integer per decision.

    What the integers mean is the space's affair; `str(arch)` is the identity used in stores, files and logs. Integers
    of any type are taken, those of numpy too, and kept as plain ones.

    Raises:
        UsageError: If the space is no text, or the genes are no integers.

    Example:
        >>> arch = Arch("nats_topology", (3, 1, 2, 0, 4, 3))
        >>> str(arch)
        'nats_topology:3-1-2-0-4-3'
        >>> Arch.from_json(arch.to_json()) == arch
        True
    """

    space: str
    genes: tuple[int, ...]

    def __post_init__(self) -> None:
        _require_name("Arch", self.space)
        try:
            object.__setattr__(self, "genes", _integers(self.genes))
        except TypeError as error:
            call = f"Arch({self.space!r}, ...)"
            raise UsageError(complaint(call, "integers as genes", self.genes, "Example: (3, 1, 2).")) from error

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
        record = read_json_object(f"Arch.from_json({text!r})", text, ("space", "genes"), _ARCH_EXAMPLE)
        return cls(record["space"], record["genes"])

    @classmethod
    def from_text(cls, text: str, call: str = "Arch.from_text(text)") -> Arch:
        """Read what `str` wrote, of whichever space; none is asked whether it has such an architecture.

        Args:
            text: SPACE:GENES.
            call: Whom the error blames.

        Raises:
            UsageError: If it is something else, such as a region.

        Example:
            >>> Arch.from_text("nats_topology:3-1-2-0-4-3").genes
            (3, 1, 2, 0, 4, 3)
        """
        found = _IDENTITY.fullmatch(text)
        if found is None:
            expected = "SPACE:GENES as arch, such as nats_topology:3-1-2-0-4-3"
            raise UsageError(complaint(call, expected, text, "Write it so."))
        return cls(found[1], tuple(map(int, found[2].split("-"))))


@dataclass(frozen=True, order=True)
class Region:
    """A part of a space: for each decision, the choices that are still allowed.

    A supernet is built over one, and a pruning search shrinks one. Where a space's decisions are independent, a region
    with one choice each is an architecture.

    Raises:
        UsageError: If the space is no text, choices are no integers, a decision is left without one, or its choices
            are not in ascending order.

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
        _require_name("Region", self.space)
        call = f"Region({self.space!r}, ...)"
        try:
            object.__setattr__(self, "choices", tuple(map(_integers, _ordered(self.choices))))
        except TypeError as error:
            expected = "integers as choices of each decision"
            raise UsageError(complaint(call, expected, self.choices, "Example: ((0, 2, 3), (1,)).")) from error
        for decision, allowed in enumerate(self.choices):
            if not allowed or list(allowed) != sorted(set(allowed)):
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
        """Return the region in which a choice is no longer allowed.

        Raises:
            UsageError: If there is no such decision, the choice is not allowed anyway, or it is the last one.
        """
        call = f"Region.without({decision!r}, {choice!r})"
        self._require_decision(call, decision)
        allowed = self.choices[decision]
        if choice not in allowed:
            raise UsageError(complaint(call, f"a choice of {allowed}", choice, "Others are not allowed anyway."))
        return self.replaced(decision, tuple(item for item in allowed if item != choice))

    def replaced(self, decision: int, allowed: tuple[int, ...]) -> Region:
        """Return the region in which one decision has these choices.

        Raises:
            UsageError: If there is no such decision, or choices are not as in a region.
        """
        self._require_decision(f"Region.replaced({decision!r}, {allowed!r})", decision)
        return Region(self.space, (*self.choices[:decision], allowed, *self.choices[decision + 1 :]))

    def to_json(self) -> str:
        """Return `{"space":...,"choices":[[...],...]}`, without blanks: a region of many decisions is long."""
        return json.dumps({"space": self.space, "choices": self.choices}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Region:
        """Read what `to_json` wrote.

        Raises:
            UsageError: If the text is not such an object.
        """
        record = read_json_object(f"Region.from_json({text!r})", text, ("space", "choices"), _REGION_EXAMPLE)
        return cls(record["space"], record["choices"])

    def _require_decision(self, call: str, decision: int) -> None:
        if decision not in range(len(self.choices)):
            expected = f"a decision in 0..{len(self.choices) - 1}"
            raise UsageError(complaint(call, expected, decision, f"The region is {self}."))


def candidate_from_json(text: str) -> Arch | Region:
    """Read what `Arch.to_json` or `Region.to_json` wrote.

    Raises:
        UsageError: If the text is neither.

    Example:
        >>> candidate_from_json('{"space": "tiny", "choices": [[0, 1], [0], [1]]}')
        Region(space='tiny', choices=((0, 1), (0,), (1,)))
    """
    return Region.from_json(text) if '"choices"' in text else Arch.from_json(text)


def _require_name(kind: str, space: object) -> None:
    if not isinstance(space, str):
        raise UsageError(complaint(f"{kind}({space!r}, ...)", "the name of a space", space, 'Example: "nats_size".'))


def _integers(values: Iterable[int]) -> tuple[int, ...]:
    """Return integers of any type as plain ones, but no bools: those equal 0 and 1, and are written otherwise."""
    items = _ordered(values)
    if bool in map(type, items):
        raise TypeError("no integers but bools")
    return tuple(map(operator.index, items))


def _ordered(values: Iterable[_T]) -> tuple[_T, ...]:
    if isinstance(values, _NOT_ORDERED):
        raise TypeError("not a sequence")
    return tuple(values)


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
    """A candidate and what was measured of it, by name.

    Attributes:
        candidate: An architecture; in a search that prunes a supernet, a region.
        estimates: Name of each measure -> its estimate.
    """

    candidate: Arch | Region
    estimates: Mapping[str, Estimate]

    @property
    def arch(self) -> Arch:
        """The candidate of a search among architectures.

        Raises:
            UsageError: If it is a region.
        """
        if isinstance(self.candidate, Region):
            call, step = "Trial.arch", "`Trial.candidate` may be either."
            raise UsageError(complaint(call, "an architecture", str(self.candidate), step))
        return self.candidate


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
