"""One choice of a decision, whose output is scaled: how a path through a supernet has a gradient for its decisions."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Self

from torch import Tensor, nn

from lnas.nets.choice import OperationChoice, Pick


class WeightedChoice(int):
    """A choice (the gene) with a factor for the output of its operation.

    It is computed as a plain choice is, no other operation being touched. The factor counts inside `weighted_choices`.

    Args:
        gene: The choice.
        weight: The factor, a scalar; gradients reach it.
    """

    weight: Tensor

    def __new__(cls, gene: int, weight: Tensor) -> Self:
        choice = super().__new__(cls, gene)
        choice.weight = weight
        return choice


def scaled(pick: Pick, factor: Tensor) -> Pick:
    """Return the pick whose output is that of another one times a scalar."""
    if isinstance(pick, WeightedChoice):
        return WeightedChoice(int(pick), pick.weight * factor)
    return WeightedChoice(pick, factor) if isinstance(pick, int) else pick * factor


@contextmanager
def weighted_choices(net: nn.Module) -> Iterator[None]:
    """Let the operation choices of a network heed the factors of weighted choices inside the block."""
    with ExitStack() as stack:
        for module in net.modules():
            if isinstance(module, OperationChoice):
                stack.callback(module.register_forward_hook(_weighted).remove)
        yield


def _weighted(module: nn.Module, inputs: tuple[Tensor, Pick], output: Tensor) -> Tensor:
    _, pick = inputs
    return output * pick.weight if isinstance(pick, WeightedChoice) else output
