"""A decision between operations, as one module."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor, nn

Pick = int | Tensor
"""What is made of one decision: a choice (the gene), or a weight for each choice that the region allows."""


class OperationChoice(nn.ModuleDict):
    """The candidate operations of one decision, by name. In a stand-alone net there is one.

    Args:
        choices: The genes that are allowed, ascending.
        names: Names of all operations, by gene.
        make: Builds an operation from its name, or None for one that gives zeros (`none`).
    """

    def __init__(self, choices: Sequence[int], names: Sequence[str], make: Callable[[str], nn.Module | None]) -> None:
        made = {names[gene]: make(names[gene]) for gene in choices}
        super().__init__({name: module for name, module in made.items() if module is not None})
        self._names = {gene: names[gene] for gene in choices}

    def forward(self, x: Tensor, pick: Pick) -> Tensor:
        """Apply the chosen operation, or the weighted sum of all; `pick` must not be an operation that gives zeros."""
        if isinstance(pick, int):
            return self[self._names[pick]](x)
        weighted = [
            weight * self[name](x) for weight, name in zip(pick, self._names.values(), strict=True) if name in self
        ]
        return sum(weighted[1:], weighted[0])
