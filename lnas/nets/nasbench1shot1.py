"""The networks of NAS-Bench-1Shot1's sub-spaces: those of NAS-Bench-101, and supernets that can mix parents."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import get_args

from torch import Tensor

from lnas.nets.choice import Pick
from lnas.nets.module_channels import split_channels
from lnas.nets.nasbench101 import INPUT, NasBench101Net, Output, Vertex, Weight, Wiring, input_last
from lnas.nets.region_net import uniform_weights
from lnas.nets.widths import MixedWidth, Weighted, Width, weighted
from lnas.spaces.nasbench101.graph import Module, live_vertices, pairs
from lnas.spaces.nasbench101.oneshot import NasBench1Shot1Space, Subspace, parent_sets

Parents = tuple[int, ...]
Options = Mapping[int, Weighted[Parents]]
"""The sets of parents that each vertex but the input may have, with their weights."""

_SUBSPACES: Mapping[str, Subspace] = {NasBench1Shot1Space(number).name: number for number in get_args(Subspace)}


class NasBench1Shot1Net(NasBench101Net):
    """The network of NAS-Bench-101 for cells whose vertices choose their parents, as in `NasBench1Shot1Space`.

    In a mixture, an inner vertex sums all possible parents, each with the weight of the sets that it is in, and the
    output is the weighted sum, over its sets of parents, of their concatenations. How wide a vertex is depends on both:
    all widths are computed at once, and a vertex reads a channel as much as the widths that have it weigh, like the
    masks of FBNetV2. So a mixture in which every decision has one choice of weight 1 is that path.

    Deviations from the released supernet (automl/nasbench-1shot1, `optimizers/darts/model_search.py`):

    - there each vertex has `channels` channels and a cell's output several times as many; here `channels` is the
      width of the output, as in the benchmark, so that paths are the benchmark's networks;
    - there edges have weights of their own; here sets of parents have, which are what the space decides;
    - no ReLU, convolution and batch norm before the global pooling, and no padding in the max pooling between stacks;
    - its batch norms take up 0.997 of a batch's statistics, the benchmark's and ours 0.003.
    """

    @property
    def _parent_sets(self) -> Mapping[int, Sequence[Parents]]:
        """The sets of parents that the space has for each vertex but the input."""
        sets = parent_sets(_SUBSPACES[self.region.space])
        return {vertex: sets[vertex] for vertex in range(1, len(sets))}

    @property
    def _inner(self) -> int:
        return len(self._parent_sets) - 1

    def _options(self, connections: Sequence[Pick]) -> Options:
        decisions = zip(connections, self.region.choices[: -self._inner], strict=True)
        return {
            vertex: weighted(*next(decisions), sets) if len(sets) > 1 else ((sets[0], 1.0),)
            for vertex, sets in self._parent_sets.items()
        }

    def _possible_edges(self) -> tuple[int, ...]:
        return _edges(self._options(uniform_weights(self.region)[: -self._inner]))

    def _edges(self, connections: Sequence[int]) -> tuple[int, ...]:
        return _edges(self._options(connections))

    def _fewest_sharing(self) -> int:
        *_, outputs = self._options(uniform_weights(self.region)[: -self._inner]).values()
        return min(len(_inner(parents)) for parents, _ in outputs)

    def _mixed(self, connections: Sequence[Pick], operations: Sequence[Pick], channels: int) -> Wiring:
        options = self._options(connections)
        output = max(options)
        _, *live, _ = live_vertices(Module(_edges(options), (0,) * self._inner))
        fed = {vertex: _summed(options[vertex]) for vertex in range(1, output)}
        widths = _widths(fed, options[output], channels)
        vertices = {vertex: Vertex(widths[vertex], fed[vertex], operations[vertex - 1]) for vertex in live}
        outputs = [Output(_shares(parents, channels), INPUT in parents, weight) for parents, weight in options[output]]
        return Wiring(vertices, outputs)


def _shares(parents: Parents, channels: int) -> dict[int, int]:
    """Divide the output's channels among its inner parents."""
    inner = _inner(parents)
    return dict(zip(inner, split_channels(channels, len(inner)), strict=True))


def _widths(fed: Mapping[int, Mapping[int, Weight]], outputs: Weighted[Parents], channels: int) -> dict[int, Width]:
    """Return the width of each inner vertex in a mixture.

    Args:
        fed: For each inner vertex its parents, with their weights.
        outputs: The sets of parents of the output, with their weights.
        channels: Width of the output.
    """
    choices: dict[int, list[tuple[int, Weight]]] = {vertex: [] for vertex in fed}
    for parents, weight in outputs:
        shares = _shares(parents, channels)
        most, least = max(shares.values()), min(shares.values())
        wide = _wide(fed, shares)
        for vertex in fed:
            parts = ((most, wide.get(vertex, 0.0)), (least, 1 - wide.get(vertex, 0.0)))
            choices[vertex] += [(size, weight * part) for size, part in parts if isinstance(part, Tensor) or part]
    return {vertex: _merged(widths) for vertex, widths in choices.items()}


def _wide(fed: Mapping[int, Mapping[int, Weight]], shares: Mapping[int, int]) -> dict[int, Weight]:
    """Return, for each inner vertex, the weight of its having the largest share of channels rather than the smallest.

    A vertex without a share of its own is as wide as the widest that it feeds. Left out are those that never have the
    largest: whatever feeds a vertex must be able to be as wide.
    """
    most = max(shares.values())
    even = most == min(shares.values())
    wide: dict[int, Weight] = {}
    for vertex in sorted(fed, reverse=True):
        narrow = [1 - fed[target][vertex] * weight for target, weight in wide.items() if vertex in fed[target]]
        if even or shares.get(vertex) == most:
            wide[vertex] = 1.0
        elif vertex not in shares and narrow:
            wide[vertex] = 1 - math.prod(narrow)
    return wide


def _merged(choices: Weighted[int]) -> Width:
    sizes = {size for size, _ in choices}
    return sizes.pop() if len(sizes) == 1 else MixedWidth(choices)


def _summed(options: Weighted[Parents]) -> dict[int, Weight]:
    """Return, for each parent, the summed weights of the sets that it is in."""
    weights: dict[int, Weight] = {}
    for parents, weight in options:
        for parent in parents:
            weights[parent] = weights[parent] + weight if parent in weights else weight
    return {parent: weights[parent] for parent in input_last(weights)}


def _edges(options: Options) -> tuple[int, ...]:
    """Return 1 for each edge that some option has, in the order of `pairs`."""
    return tuple(
        int(any(source in parents for parents, _ in options[target])) for source, target in pairs(max(options) + 1)
    )


def _inner(parents: Parents) -> Parents:
    return tuple(parent for parent in parents if parent != INPUT)
