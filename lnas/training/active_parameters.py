"""Which parameters a loss depends on, and what becomes of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.optim import Optimizer

Inactive = Literal["decayed", "skipped"]
"""What an optimizer does to parameters that no sampled path has used.

"decayed": their gradients are zeros, so that momentum and weight decay go on moving them, as under PyTorch before 2.0,
with which the study of one-shot estimators was made. "skipped": they have no gradient and stay as they are, as under
PyTorch since. One active step followed by 50 inactive ones (SGD, learning rate 0.05, momentum 0.9, weight decay 5e-4)
take a weight from 1.000, at a gradient of 1, to 0.496 and to 0.950.

The unused part of a sliced weight (NDS spaces, NATS size) has zeros for gradients in either case, since a gradient has
the shape of the whole weight.
"""


def active_parameters(loss: Tensor) -> Iterator[Tensor]:
    """Yield each tensor that `loss.backward()` would add a gradient to, by a walk through the graph."""
    waiting: list[Any] = [loss.grad_fn]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        if hasattr(node, "variable"):
            yield node.variable
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)


def shares(losses: Sequence[Tensor]) -> dict[Tensor, float]:
    """Return, for each parameter that some but not all of the losses depend on, the share of those that do."""
    counts = Counter(parameter for loss in losses for parameter in active_parameters(loss))
    return {parameter: count / len(losses) for parameter, count in counts.items() if count < len(losses)}


def divide_gradients(by: Mapping[Tensor, float]) -> None:
    """Divide the gradients of some parameters in place."""
    for parameter, divisor in by.items():
        if parameter.grad is not None:
            parameter.grad /= divisor


def zero_missing_gradients(optimizer: Optimizer) -> None:
    """Give parameters without a gradient one of zeros, so that the optimizer does not skip them."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if parameter.grad is None and parameter.requires_grad:
                parameter.grad = torch.zeros_like(parameter)
