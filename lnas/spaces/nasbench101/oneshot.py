"""NAS-Bench-1Shot1: three parts of NAS-Bench-101 in which every vertex has a fixed number of parents."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

import numpy as np

from lnas.errors import UsageError, complaint, unknown_name
from lnas.reading import read_json_object
from lnas.spaces.drawing import Svg
from lnas.spaces.nasbench101.classes import all_labelings
from lnas.spaces.nasbench101.graph import OPS, Module, canonical_numbers, clear_dead, embed, pairs, prune
from lnas.spaces.nasbench101.space import draw_module
from lnas.spaces.product import Decision, ProductSpace
from lnas.types import Arch

Subspace = Literal[1, 2, 3]
LooseEnds = Literal["kept", "pruned"]

_SOME = 1
_PARENTS = {1: (0, 1, 2, 2, 2, 2), 2: (0, 1, 1, 2, 2, 3), 3: (0, 1, 1, 1, 2, 2, 2)}


@dataclass(frozen=True)
class NasBench1Shot1Space(ProductSpace):
    """Cells whose vertices choose their parents, as many as the sub-space says, and their operation.

    The vertices are the input, four inner ones (five in sub-space 3) and the output. Their numbers of parents are
    0 1 2 2 2 2 in sub-space 1, 0 1 1 2 2 3 in sub-space 2 and 0 1 1 1 2 2 2 in sub-space 3: nine edges each, so that
    every architecture is a cell of NAS-Bench-101.

    There is one gene for each vertex with more than one possible set of parents, the output included, which indexes
    these sets in lexicographic order; then one for the operation of each inner vertex, as an index into
    `conv3x3-bn-relu, conv1x1-bn-relu, maxpool3x3`. The notation is JSON that lists both.

    Vertices that do not reach the output ("loose ends") are allowed. They change nothing, so that most classes have
    many members.

    Source: Zela et al. 2020 (NAS-Bench-1Shot1). The released generator of cells without loose ends yields 2,487, 3,609
    and 24,066 of them and leaves others out; `cells("pruned")` yields all 3,702, 12,474 and 135,900.

    Attributes:
        subspace: 1, 2 or 3.

    Raises:
        UsageError: If there is no such sub-space.

    Example:
        >>> space = NasBench1Shot1Space(1)
        >>> space.size, space.class_count
        (14580, 2685)
        >>> arch = Arch("nasbench1shot1_1", (2, 3, 9, 0, 0, 1, 2))
        >>> space.parents(arch)
        ((), (0,), (0, 1), (1, 2), (1, 2), (3, 4))
    """

    subspace: Subspace

    def __post_init__(self) -> None:
        if type(self.subspace) is not int or self.subspace not in _PARENTS:
            call = f"NasBench1Shot1Space(subspace={self.subspace!r})"
            raise UsageError(complaint(call, "a sub-space of 1, 2, 3", self.subspace, "Example: subspace=3."))

    @property
    def name(self) -> str:
        return f"nasbench1shot1_{self.subspace}"

    @property
    def vertices(self) -> int:
        """Number of vertices, input and output included."""
        return len(_PARENTS[self.subspace])

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return _decisions(self.subspace)

    @property
    def class_count(self) -> int:
        """2,685, 7,773 and 55,854 in sub-spaces 1, 2 and 3: counted once (at most a second, then remembered)."""
        return len(_representatives(self))

    def parents(self, arch: Arch) -> tuple[tuple[int, ...], ...]:
        """Return the chosen parents of each vertex, from the input (none) to the output."""
        self.validate(arch)
        return self._raw_parents(arch.genes)

    def operations(self, arch: Arch) -> tuple[str, ...]:
        """Return the operation of each inner vertex."""
        self.validate(arch)
        return tuple(OPS[gene] for gene in arch.genes[-self._inner :])

    def parse(self, text: str) -> Arch:
        """Read `{"parents": {"1": [0], ...}, "operations": [...]}`, with all vertices but the input.

        Raises:
            UsageError: If the text is no such JSON or has more keys, a vertex is left out or unknown, has another
                number of parents than the sub-space says, or parents that do not come before it, or an operation is
                unknown.
        """
        call = f"{self!r}.parse({text!r})"
        record = read_json_object(call, text, ("parents", "operations"), self._example())
        parents = self._read_parents(call, record["parents"])
        return Arch(self.name, (*parents, *self._read_operations(call, record["operations"])))

    def format(self, arch: Arch) -> str:
        parents = {str(vertex): chosen for vertex, chosen in enumerate(self.parents(arch)) if vertex}
        return json.dumps({"parents": parents, "operations": self.operations(arch)})

    def to_nasbench101(self, arch: Arch) -> Arch:
        """Return the same cell as an architecture of `NasBench101Space`, under whose hash the table lists it."""
        module = embed(self._module(arch))
        return Arch("nasbench101", (*module.edges, *module.operations))

    def cells(self, loose_ends: LooseEnds = "kept") -> Iterator[Arch]:
        """Yield the architectures in the order of their genes.

        Args:
            loose_ends: "kept", all of them; "pruned", the first of those that are equal, vertex by vertex, once the
                vertices that do not reach the output are dropped. These are fewer than all and more than the classes,
                since the order of the vertices still counts.

        Raises:
            UsageError: If there is no such kind.
        """
        if loose_ends not in get_args(LooseEnds):
            raise UsageError(f"{self!r}.cells: {unknown_name('kind of loose ends', loose_ends, get_args(LooseEnds))}")
        seen = set()
        for connectivity in itertools.product(*self.region.choices[: -self._inner]):
            module = self._raw_module((*connectivity, *[_SOME] * self._inner))
            if loose_ends == "pruned":
                module = clear_dead(module)
            if module.edges not in seen:
                seen.add(module.edges)
                free = [range(len(OPS)) if operation == _SOME else (0,) for operation in module.operations]
                for operations in itertools.product(*free):
                    yield Arch(self.name, (*connectivity, *operations))

    def canonical(self, arch: Arch) -> Arch:
        """Return the first architecture, in the order of the genes, that is isomorphic after pruning."""
        self.validate(arch)
        return next(self._numbered([_first_members(self)[np.ravel_multi_index(arch.genes, self._lengths)]]))

    def classes(self) -> Iterator[Arch]:
        yield from self._numbered(_representatives(self))

    def sample_class(self, rng: np.random.Generator) -> Arch:
        representatives = _representatives(self)
        return next(self._numbered([representatives[rng.integers(len(representatives))]]))

    def draw(self, arch: Arch) -> Svg:
        return draw_module(self._module(arch), title=self.format(arch))

    @property
    def _inner(self) -> int:
        return self.vertices - 2

    @property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(len(decision.choices) for decision in self.decisions)

    def _example(self) -> str:
        return f"Example: {self.format(Arch(self.name, (0,) * len(self.decisions)))}."

    def _numbered(self, numbers: Sequence[int] | np.ndarray) -> Iterator[Arch]:
        """Yield the architectures that have so many others before them in the order of the genes."""
        for genes in np.stack(np.unravel_index(numbers, self._lengths), axis=1).tolist():
            yield Arch(self.name, tuple(genes))

    def _raw_parents(self, genes: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        chosen = iter(genes)
        return tuple(sets[next(chosen) if len(sets) > 1 else 0] for sets in parent_sets(self.subspace))

    def _raw_module(self, genes: tuple[int, ...]) -> Module:
        parents = self._raw_parents(genes)
        edges = tuple(int(source in parents[target]) for source, target in pairs(self.vertices))
        return Module(edges, genes[-self._inner :])

    def _module(self, arch: Arch) -> Module:
        self.validate(arch)
        return self._raw_module(arch.genes)

    def _read_parents(self, call: str, parents: Any) -> Iterator[int]:
        """Yield the genes of the vertices that have more than one possible set of parents."""
        names = [str(vertex) for vertex in range(1, self.vertices)]
        if not isinstance(parents, dict) or sorted(parents) != names:
            raise UsageError(complaint(call, f"the parents of vertices {', '.join(names)}", parents, self._example()))
        for name, sets in zip(names, parent_sets(self.subspace)[1:], strict=True):
            listed = [repr(list(allowed)) for allowed in sets]  # as text, in which True is not 1
            given = repr(parents[name])
            if given not in listed:
                expected = f"{len(sets[0])} ascending vertices below {name} as parents of vertex {name}"
                raise UsageError(complaint(call, expected, parents[name], self._example()))
            if len(sets) > 1:
                yield listed.index(given)

    def _read_operations(self, call: str, operations: Any) -> Iterator[int]:
        if not isinstance(operations, list) or len(operations) != self._inner:
            expected = f"{self._inner} operations, one per inner vertex"
            raise UsageError(complaint(call, expected, operations, self._example()))
        for vertex, label in enumerate(operations, start=1):
            if label not in OPS:
                expected = f"an operation of {', '.join(OPS)} at vertex {vertex}"
                raise UsageError(complaint(call, expected, label, self._example()))
            yield OPS.index(label)


@cache
def parent_sets(subspace: Subspace) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """List, for each vertex of a sub-space, the sets of parents it can have, in lexicographic order."""
    counts = enumerate(_PARENTS[subspace])
    return tuple(tuple(itertools.combinations(range(vertex), count)) for vertex, count in counts)


@cache
def _decisions(subspace: Subspace) -> tuple[Decision, ...]:
    parents = [
        Decision(f"parents of vertex {vertex}", tuple(",".join(map(str, chosen)) for chosen in sets))
        for vertex, sets in enumerate(parent_sets(subspace))
        if len(sets) > 1
    ]
    inner = range(1, len(_PARENTS[subspace]) - 1)
    return (*parents, *(Decision(f"operation of vertex {vertex}", OPS) for vertex in inner))


@cache
def _first_members(space: NasBench1Shot1Space) -> np.ndarray:
    """Return, for each architecture in the order of the genes, the number of the first one that is isomorphic to it."""
    labelings = all_labelings(space.vertices)
    inner = tuple(range(space.vertices - 2))
    keys = []
    for connectivity in itertools.product(*space.region.choices[: -len(inner)]):
        # Labelled with their own numbers, the inner vertices that are left tell which ones they are.
        left = prune(space._raw_module((*connectivity, *inner)))
        code, numbers = canonical_numbers(left.edges, labelings[:, left.operations])
        # The code tells the number of vertices, too: its first digit is edge 0 -> 1, without which vertex 1 is dead.
        keys.append(code * len(labelings) + numbers)
    _, first, members = np.unique(np.concatenate(keys), return_index=True, return_inverse=True)
    return first[members]


@cache
def _representatives(space: NasBench1Shot1Space) -> np.ndarray:
    """Return the numbers of the architectures that come first in their class."""
    return np.unique(_first_members(space))
