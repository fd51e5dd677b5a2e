"""Reverse-mode differentiation of a graph that autograd recorded, for many cotangents at a time."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from lnas.proxies.jacobian_pullbacks import Pullback, pullback


class _Edge(NamedTuple):
    """Where the cotangents of an input of a node go: an output of the node it comes from, whose shape they take."""

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

    def __init__(self, output: Tensor, leaves: Sequence[Tensor]) -> None:
        self._root = (output.grad_fn, output.output_nr)
        self._leaves = leaves
        places = {id(leaf): place for place, leaf in enumerate(leaves)}
        self._ends: dict[int, Any] = {}
        steps = []
        leads = {None: False}
        for node in _sources_first(output.grad_fn):
            if hasattr(node, "variable"):
                leads[node] = id(node.variable) in places
                if leads[node]:
                    self._ends[places[id(node.variable)]] = node
                continue
            wanted = [leads[source] for source, _ in node.next_functions]
            leads[node] = any(wanted)
            if leads[node]:
                steps.append(_Step(node, pullback(node, wanted), _edges(node, wanted)))
        self._steps = steps[::-1]
        self.reached = sorted(self._ends)
        self.largest = max((math.prod(kind.shape) for step in steps for kind in step.node._input_metadata), default=1)

    @torch.no_grad()
    def __call__(self, cotangents: Tensor) -> list[Tensor]:
        """Return the gradients of the reached leaves, (K, *shape), for cotangents (K, *shape of the output)."""
        held: dict[tuple[Any, int], list[Tensor]] = defaultdict(list)
        held[self._root].append(cotangents)
        for node, pull_back, edges in self._steps:
            stacks = [_total(held.pop((node, output), [])) for output in range(len(node._input_metadata))]
            if all(stack is None for stack in stacks):
                continue
            for edge, stack in zip(edges, pull_back(*stacks), strict=True):
                if edge is not None and stack is not None:
                    held[edge.node, edge.output].append(_summed_to(stack, edge.shape))
        found = ((place, _total(held[self._ends[place], 0])) for place in self.reached)
        shapes = ((len(cotangents), *self._leaves[place].shape) for place in self.reached)
        return [
            cotangents.new_zeros(shape) if total is None else total
            for (_, total), shape in zip(found, shapes, strict=True)
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


def _edges(node: Any, wanted: Sequence[bool]) -> list[_Edge | None]:
    return [
        _Edge(source, output, _shape(source, output)) if is_wanted else None
        for (source, output), is_wanted in zip(node.next_functions, wanted, strict=True)
    ]


def _shape(node: Any, output: int) -> torch.Size:
    return node.variable.shape if hasattr(node, "variable") else torch.Size(node._input_metadata[output].shape)


def _total(stacks: Sequence[Tensor]) -> Tensor | None:
    if len(stacks) < 2:
        return stacks[0] if stacks else None
    total = stacks[0] + stacks[1]
    for stack in stacks[2:]:
        total += stack
    return total


def _summed_to(stack: Tensor, shape: torch.Size) -> Tensor:
    """Undo broadcasting, which autograd leaves to the engine."""
    if stack.shape[1:] == shape:
        return stack
    leading = stack.ndim - 1 - len(shape)
    return (stack.sum(tuple(range(1, 1 + leading))) if leading else stack).sum_to_size(len(stack), *shape)
