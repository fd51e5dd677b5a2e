"""How cotangents pass backward through one node of autograd's graph, many at a time.

A pullback takes a stack of K cotangents for each output of the node, None where there is none, and returns one for each
of its inputs. Stacks have the shape (K, ...); those of feature maps lie in memory as (n, K, C, H, W), so that folding
the cotangents into the images or into the channels costs no copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from lnas.proxies.jacobian_convolution import input_gradient, weight_gradient

Pullback = Callable[..., Sequence[Tensor | None]]


def pullback(node: Any, wanted: Sequence[bool]) -> Pullback:
    """Return the pullback of a node: a fast one where there is one, or else the node's own for one after another.

    Args:
        node: Of a graph that autograd recorded and still holds.
        wanted: For each input of the node whether its cotangents matter.
    """
    make = _MAKERS.get(node.name())
    return (make and make(node, wanted)) or _one_by_one(node, wanted)


def _one_by_one(node: Any, wanted: Sequence[bool]) -> Pullback:
    # The nodes of a torch.autograd.Function are no callables.
    call = getattr(node, "apply", node)

    def pull_back(*stacks: Tensor | None) -> list[Tensor | None]:
        count = next(len(stack) for stack in stacks if stack is not None)
        rows = [_tuple(call(*(None if stack is None else stack[k] for stack in stacks))) for k in range(count)]
        columns = zip(wanted, zip(*rows, strict=True), strict=True)
        return [_stacked(column) if is_wanted and column[0] is not None else None for is_wanted, column in columns]

    return pull_back


def _tuple(found: Any) -> tuple[Tensor | None, ...]:
    return found if isinstance(found, tuple) else (found,)


def _stacked(rows: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(rows), dim=min(1, rows[0].ndim)).movedim(min(1, rows[0].ndim), 0)


def _convolution(node: Any, wanted: Sequence[bool]) -> Pullback | None:
    if node._saved_transposed or node._saved_input.ndim != 4:
        return None
    to_input = input_gradient(node) if wanted[0] else None
    to_weight = weight_gradient(node) if wanted[1] else None
    return lambda stack: (
        to_input(stack) if to_input else None,
        to_weight(stack) if to_weight else None,
        stack.sum((1, 3, 4)) if wanted[2] else None,
    )


def _batch_norm(node: Any, wanted: Sequence[bool]) -> Pullback | None:
    """The images are coupled by the sums over each channel of the cotangents, and of their product with the output."""
    if not node._saved_training:
        return None
    images, weight = node._saved_input, node._saved_weight
    per_channel = (1, -1, *[1] * (images.ndim - 2))
    mean, inverse_std = node._saved_result1.view(per_channel), node._saved_result2.view(per_channel)
    normalized = (images - mean) * inverse_std
    scale = inverse_std if weight is None else inverse_std * weight.view(per_channel)
    count = images.numel() // images.shape[1]
    others = (1, *range(3, images.ndim + 1))

    def pull_back(stack: Tensor) -> Sequence[Tensor | None]:
        shift = stack.sum(others, keepdim=True)
        slope = (stack * normalized).sum(others, keepdim=True)
        inputs = None
        if wanted[0]:
            inputs = torch.addcmul(stack, normalized, slope, value=-1 / count).sub_(shift, alpha=1 / count).mul_(scale)
        return inputs, slope.flatten(1), shift.flatten(1)

    return pull_back


def _relu(node: Any, wanted: Sequence[bool]) -> Pullback:
    outputs = node._saved_result
    active = (outputs > 0).to(outputs.dtype)
    return lambda stack: (stack * active,)


def _add(node: Any, wanted: Sequence[bool]) -> Pullback:
    factor = node._saved_alpha
    return lambda stack: (stack, stack if factor == 1 else stack * factor)


def _average_pool(node: Any, wanted: Sequence[bool]) -> Pullback | None:
    """Pooling is a matrix along each axis, borders included."""
    if node._saved_divisor_override is not None:
        return None
    images = node._saved_self
    rows, columns = (
        torch.nn.functional.avg_pool1d(
            torch.eye(images.shape[axis], dtype=images.dtype, device=images.device),
            node._saved_kernel_size[axis],
            node._saved_stride[axis],
            node._saved_padding[axis],
            node._saved_ceil_mode,
            node._saved_count_include_pad,
        )
        for axis in (-2, -1)
    )
    columns = columns.t().contiguous()
    return lambda stack: ((rows @ (stack.transpose(0, 1) @ columns)).transpose(0, 1),)


_MAKERS: dict[str, Callable[[Any, Sequence[bool]], Pullback | None]] = {
    "AddBackward0": _add,
    "AvgPool2DBackward0": _average_pool,
    "ConvolutionBackward0": _convolution,
    "NativeBatchNormBackward0": _batch_norm,
    "ReluBackward0": _relu,
}
