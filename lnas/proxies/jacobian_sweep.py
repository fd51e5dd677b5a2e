"""Reverse-mode differentiation of a graph that autograd recorded, for many cotangents at a time."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence, Set
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lnas.proxies.jacobian_normed_convolution import NormedConvolution, absorbs
from lnas.proxies.jacobian_pullbacks import Pullback, pullback


class _Edge(NamedTuple):
    """Where the cotangents of an input go: to an output of the node that it comes from, whose shape they take."""

    node: Any
    output: int
    shape: torch.Size


class _Step(NamedTuple):
    """A node, its pullback, and an edge for each of its inputs; None where no leaf is behind it."""

    node: Any
    pull_back: Pullback
    edges: Sequence[_Edge | None]


class ReverseSweep:
    """Pulls stacks of cotangents of a tensor back to leaves of its graph, as `torch.autograd.grad` does with each one.

    What is the same for all cotangents is computed once, here. The graph is kept for further sweeps, and no hook of a
    tensor or a module is called.

    Args:
        output: Computed from the leaves with gradients enabled.
        leaves: Tensors that require a gradient.

    Attributes:
        reached: The places of the leaves on which the output depends, ascending.
        largest: How many elements the largest tensor between leaves and output has.
    """

    @torch.no_grad()
    def __init__(self, output: Tensor, leaves: Sequence[Tensor]) -> None:
        order = _sources_first(output.grad_fn)
        ends = {id(node.variable): node for node in order if hasattr(node, "variable")}
        self.reached = [place for place, leaf in enumerate(leaves) if id(leaf) in ends]
        self._leaves = [leaves[place] for place in self.reached]
        self._ends = [ends[id(leaf)] for leaf in self._leaves]
        self._root = (output.grad_fn, output.output_nr)
        self._steps = _steps(order, set(self._ends))
        self.largest = max(math.prod(kind.shape) for step in self._steps for kind in step.node._input_metadata)

    @torch.no_grad()
    def __call__(self, cotangents: Tensor) -> list[Tensor]:
        """Return the gradients (K, *shape) of the reached leaves for cotangents (K, *shape of the output)."""
        held: dict[tuple[Any, int], list[Tensor]] = defaultdict(list)
        held[self._root].append(cotangents)
        for node, pull_back, edges in self._steps:
            stacks = [_total(held.pop((node, output), [])) for output in range(len(node._input_metadata))]
            if all(stack is None for stack in stacks):
                continue
            for edge, stack in zip(edges, pull_back(*stacks), strict=True):
                if edge is not None and stack is not None:
                    held[edge.node, edge.output].append(_summed_to(stack, edge.shape))
        totals = [_total(held[end, 0]) for end in self._ends]
        return [
            cotangents.new_zeros(len(cotangents), *leaf.shape) if total is None else total
            for leaf, total in zip(self._leaves, totals, strict=True)
        ]


def _sources_first(root: Any) -> list[Any]:
    """Return the nodes of a graph, each after all that its inputs come from."""
    order: list[Any] = []
    seen = {None}
    pending = [(root, False)]
    while pending:
        node, is_expanded = pending.pop()
        if is_expanded:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            pending.append((node, True))
            pending += [(source, False) for source, _ in node.next_functions]
    return order


def _steps(order: Sequence[Any], ends: Set[Any]) -> list[_Step]:
    """Plan the way from the output to the ends, leaving out what does not lead to one."""
    absorbed = _absorbed(order)
    leads = {None: False} | {node: node in ends for node in order}
    steps = []
    for node in order:
        if node in ends or node in absorbed.values():
            continue
        own, convolution = node.next_functions, absorbed.get(node)
        inputs = own if convolution is None else (*convolution.next_functions, *own[1:])
        wanted = [leads[source] for source, _ in inputs]
        leads[node] = any(wanted)
        if leads[node]:
            edges = [_edge(*found) if is_wanted else None for found, is_wanted in zip(inputs, wanted, strict=True)]
            fast = None if convolution is None else NormedConvolution(node, convolution, wanted)
            steps.append(_Step(node, fast or pullback(node, wanted), edges))
    return steps[::-1]


def _absorbed(order: Sequence[Any]) -> dict[Any, Any]:
    """Return the convolutions that are computed together with the batch norm that alone takes their output."""
    uses = Counter(source for node in order for source, _ in node.next_functions)
    firsts = {node: node.next_functions[0][0] for node in order if node.next_functions}
    return {
        node: source
        for node, source in firsts.items()
        if source is not None and uses[source] == 1 and absorbs(node, source)
    }


def _edge(node: Any, output: int) -> _Edge:
    kind = node.variable if hasattr(node, "variable") else node._input_metadata[output]
    return _Edge(node, output, torch.Size(kind.shape))


def _total(stacks: Sequence[Tensor]) -> Tensor | None:
    if len(stacks) < 2:
        return stacks[0] if stacks else None
    total = stacks[0] + stacks[1]
    for stack in stacks[2:]:
        total += stack
    return total


def _summed_to(stack: Tensor, shape: torch.Size) -> Tensor:
    """Undo broadcasting, which a node leaves to autograd's engine."""
    if stack.shape[1:] == shape:
        return stack
    leading = stack.ndim - 1 - len(shape)
    return (stack.sum(tuple(range(1, 1 + leading))) if leading else stack).sum_to_size(len(stack), *shape)
