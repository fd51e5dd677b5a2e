"""Pairs of architectures that differ in one operation only."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.spaces import NasBench101Space, SearchSpace
from lnas.types import Arch

_FEWEST = 2


class Change(NamedTuple):
    """What was changed.

    Attributes:
        decision: What the decisions of this kind have in common in their names, such as "edge".
        source: The choice before, such as "skip_connect".
        target: The choice after.
    """

    decision: str
    source: str
    target: str


class OperationChanges(NamedTuple):
    """The p pairs of architectures at edit distance 1, each once, by what is changed from the first to the second.

    Attributes:
        archs: How many architectures there were.
        changes: The m changes that occur, those of one kind of decision together, choices in the order of the space.
        first: Place of each pair's first architecture, shape (p,).
        second: Place of its second, shape (p,).
        of_each: The change from the first to the second, 0 .. m - 1, shape (p,).
    """

    archs: int
    changes: list[Change]
    first: np.ndarray
    second: np.ndarray
    of_each: np.ndarray


class _Kind(NamedTuple):
    """Decisions that choose among the same names, and what their own names share."""

    name: str
    decisions: list[int]

    def spelt_out(self, names: Sequence[str]) -> _Kind:
        """Name all its decisions."""
        return self._replace(name=", ".join(names[decision] for decision in self.decisions))


def operation_changes(archs: Sequence[Arch], space: SearchSpace) -> OperationChanges:
    """Find the pairs in which one decision differs and all others are the same.

    Decisions of one kind are put together, such as all edges of a cell, or the widths of all stages: those that choose
    among the same names and share a word of their own. In DARTS one operation on a present edge differs, as an edge
    that is absent in one only would leave a node with another number of inputs. An operation on an edge that
    decides nothing, such as one behind `none`, counts as any other.

    Args:
        archs: No two the same.
        space: One whose genes have a fixed meaning, as all have but NAS-Bench-101: its vertices can be renumbered.

    Raises:
        UsageError: If the space is that one, an architecture is not of the space or given twice, or no two differ in
            one decision only.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 5.1.

    Example:
        >>> from lnas.spaces import NatsSizeSpace
        >>> space = NatsSizeSpace()
        >>> found = operation_changes([space.parse(text) for text in ("8:8:8:8:8", "8:24:8:8:8", "16:8:8:8:8")], space)
        >>> [(found.changes[k].source, found.changes[k].target) for k in found.of_each]
        [('8', '16'), ('8', '24')]
        >>> found.changes[0].decision, found.first.tolist(), found.second.tolist()
        ('width', [0, 0], [2, 1])
    """
    _require_comparable(archs, space)
    genes = np.array([arch.genes for arch in archs])
    kinds, alike = _kinds(space), _alike_but_for_one(genes)
    rows = []
    for number, kind in enumerate(kinds):
        for decision in kind.decisions:
            pairs = _differing(alike[decision], genes[:, decision])
            rows.append(np.column_stack([np.full(len(pairs), number), genes[pairs, decision], pairs]))
    found = np.concatenate(rows)
    if not len(found):
        call, step = "operation_changes(archs, space)", "Give more architectures, or the neighbors of some."
        raise UsageError(complaint(call, "two that differ in one decision only", f"{len(archs)} others", step))
    of_each = _joined(_joined(found[:, 0], found[:, 1]), found[:, 2])
    changes = found[np.unique(of_each, return_index=True)[1], :3]
    named = [_change(kinds[number], source, target, space) for number, source, target in changes.tolist()]
    return OperationChanges(len(archs), named, found[:, 3], found[:, 4], of_each)


def _require_comparable(archs: Sequence[Arch], space: SearchSpace) -> None:
    call = f"operation_changes(archs, {space.name!r})"
    if isinstance(space, NasBench101Space):
        step = "Its vertices can be renumbered: group its cells by complexity instead."
        raise UsageError(complaint(call, "a space whose genes have a fixed meaning", space.name, step))
    for arch in archs:
        space.validate(arch)
    if len(archs) < _FEWEST:
        raise UsageError(
            complaint(call, f"at least {_FEWEST} architectures", len(archs), "They are compared in pairs.")
        )
    ((most, times),) = Counter(archs).most_common(1)
    if times > 1:
        got = f"{most} {times} times"
        raise UsageError(complaint(call, "each architecture once", got, "Average its estimates first."))


def _alike_but_for_one(genes: np.ndarray) -> list[np.ndarray]:
    """Number the rows of (n, decisions), for each decision, so that those equal in all others have one number."""
    columns = [np.unique(column, return_inverse=True)[1] for column in genes.T]
    nothing = np.zeros(len(genes), dtype=int)
    before = list(itertools.accumulate(columns, _joined, initial=nothing))
    after = list(itertools.accumulate(columns[::-1], _joined, initial=nothing))[::-1]
    return [_joined(*ends) for ends in zip(before[:-1], after[1:], strict=True)]


def _joined(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Number pairs of numbers from 0; those stay below how many there are, so that products do not overflow."""
    return np.unique(one * (other.max() + 1) + other, return_inverse=True)[1]


def _differing(alike: np.ndarray, choices: np.ndarray) -> np.ndarray:
    """Return the pairs of one number and different choices, that of the lower choice first, shape (pairs, 2)."""
    order = np.lexsort((choices, alike))
    found = [np.empty((0, 2), dtype=int)]
    for lag in range(1, len(order)):
        first, second = order[:-lag], order[lag:]
        together = alike[first] == alike[second]
        if not together.any():
            break
        found.append(np.column_stack([first[together], second[together]]))
    return np.concatenate(found)


def _kinds(space: SearchSpace) -> list[_Kind]:
    names = space.gene_names()
    same_choices = defaultdict(list)
    for decision, choices in enumerate(space.region.choices):
        same_choices[tuple(space.choice_name(decision, choice) for choice in choices)].append(decision)
    kinds = []
    for decisions in same_choices.values():
        shared = _shared_words([names[decision] for decision in decisions])
        kinds += (
            [_Kind(shared, decisions)] if shared else [_Kind(names[decision], [decision]) for decision in decisions]
        )
    times = Counter(kind.name for kind in kinds)
    return [kind if times[kind.name] == 1 else kind.spelt_out(names) for kind in kinds]


def _shared_words(names: Sequence[str]) -> str:
    first, *others = (name.split() for name in names)
    return " ".join(word for word in first if all(word in words for words in others)).removesuffix(" of")


def _change(kind: _Kind, source: int, target: int, space: SearchSpace) -> Change:
    return Change(kind.name, *(space.choice_name(kind.decisions[0], choice) for choice in (source, target)))
