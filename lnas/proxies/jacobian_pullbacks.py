"""How cotangents pass backward through one node of autograd's graph, many at a time.

A pullback takes a stack of K cotangents (K, ...) for each output of the node, None where there is none, and returns a
stack or None for each of its inputs. What comes out of convolutions lies in memory as (n, K, C, H, W), so that folding
the cotangents into the images or into the channels is a view; what follows keeps to that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from lnas.proxies.jacobian_convolution import input_gradient, is_narrow, weight_gradient

Pullback = Callable[..., Sequence[Tensor | None]]


def pullback(node: Any, wanted: Sequence[bool]) -> Pullback:
    """Return the pullback of a node: one of this module where it has one, or else the node's own, called K times.

    Args:
        node: Of a graph that autograd recorded and still holds.
        wanted: For each input of the node whether its cotangents matter.
    """
    make = _MAKERS.get(node.name())
    fast = make(node, wanted) if make else None
    return fast or _one_by_one(node, wanted)


def _one_by_one(node: Any, wanted: Sequence[bool]) -> Pullback:
    # Those of a torch.autograd.Function cannot be called.
    call = getattr(node, "apply", node)

    def pull_back(*stacks: Tensor | None) -> list[Tensor | None]:
        count = next(len(stack) for stack in stacks if stack is not None)
        rows = [_as_tuple(call(*(None if stack is None else stack[k] for stack in stacks))) for k in range(count)]
        columns = zip(wanted, zip(*rows, strict=True), strict=True)
        return [_stacked(column) if matters and column[0] is not None else None for matters, column in columns]

    return pull_back


def _as_tuple(found: Any) -> tuple[Any, ...]:
    return found if isinstance(found, tuple) else (found,)


def _stacked(rows: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(rows)) if len(rows) > 1 else rows[0][None]


def _convolution(node: Any, wanted: Sequence[bool]) -> Pullback | None:
    if not is_narrow(node):
        return None
    to_input = input_gradient(node, node._saved_weight) if wanted[0] else None
    to_weight = weight_gradient(node) if wanted[1] else None
    return lambda stack: (
        to_input(stack) if to_input else None,
        to_weight(stack) if to_weight else None,
        stack.sum((1, 3, 4)) if wanted[2] else None,
    )


def _relu(node: Any, wanted: Sequence[bool]) -> Pullback:
    outputs = node._saved_result
    active = (outputs > 0).to(outputs.dtype)
    return lambda stack: (stack * active,)


def _add(node: Any, wanted: Sequence[bool]) -> Pullback:
    factor = node._saved_alpha
    return lambda stack: (stack, stack if factor == 1 else stack * factor)


def _average_pool(node: Any, wanted: Sequence[bool]) -> Pullback | None:
    """Average pooling is a product with a matrix along each axis, borders included."""
    if node._saved_divisor_override is not None:
        return None
    images = node._saved_self
    strides = node._saved_stride or node._saved_kernel_size
    to_rows, to_columns = (
        torch.nn.functional.avg_pool1d(
            torch.eye(images.shape[axis], dtype=images.dtype, device=images.device),
            node._saved_kernel_size[axis],
            strides[axis],
            node._saved_padding[axis],
            node._saved_ceil_mode,
            node._saved_count_include_pad,
        )
        for axis in (-2, -1)
    )
    return lambda stack: ((to_rows @ (stack.transpose(0, 1) @ to_columns.mT)).transpose(0, 1),)


_MAKERS: dict[str, Callable[[Any, Sequence[bool]], Pullback | None]] = {
    "AddBackward0": _add,
    "AvgPool2DBackward0": _average_pool,
    "ConvolutionBackward0": _convolution,
    "ReluBackward0": _relu,
}
