"""The gradients of each image's logits with respect to the weights."""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lnas.errors import UsageError, complaint
from lnas.proxies.jacobian_sweep import ReverseSweep

OUTSIDE_CELLS: Set[str] = frozenset({"stem", "head", "lastact", "classifier"})
"""Modules of a network that are no cells, in ours and in those of NAS-Bench-201."""

_CACHED = 10**6
"""Elements of a tensor that the processor's caches hold: as many cotangents are taken at a time as fit."""


class WeightJacobian(NamedTuple):
    """The gradients of each image's logits.

    Attributes:
        matrix: (n, P); row i is the gradient of the sum of the logits of image i.
        in_cell: (P,) bool, which columns are weights of cells.
        logits: (n, classes).
    """

    matrix: Tensor
    in_cell: Tensor
    logits: Tensor


def weight_jacobian(net: nn.Module, images: Tensor, outside_cells: Set[str] = OUTSIDE_CELLS) -> WeightJacobian:
    """Differentiate the sum of each image's logits with respect to all weights that they depend on.

    Weights are the parameters with "weight" in their name: of convolutions, linear layers and batch norms, no biases.
    Exact, also where batch norms in train mode let all images take part in the logits of each.

    Args:
        net: In train mode for the batch's statistics; left as it is, but for the running ones.
        images: (n, C, H, W).
        outside_cells: Names of attributes of the net whose weights are in no cell.

    Raises:
        UsageError: If the logits depend on no weight.

    Source: TE-NAS and TEG-NAS, `lib/procedures/ntk.py`, which differentiate image by image.
    """
    weights = {name: weight.detach().requires_grad_() for name, weight in net.named_parameters() if "weight" in name}
    with torch.enable_grad():
        logits = torch.func.functional_call(net, weights, (images,))
    if not logits.requires_grad:
        expected = 'a net whose logits depend on parameters with "weight" in their names'
        raise UsageError(complaint("weight_jacobian(net, images)", expected, type(net).__name__, "Name them so."))
    sweep = ReverseSweep(logits, list(weights.values()))
    names = [list(weights)[place] for place in sweep.reached]
    rows = [torch.cat([found.flatten(1) for found in sweep(units)], dim=1) for units in _units(logits, sweep.largest)]
    in_cell = [
        torch.full((weights[name].numel(),), name.split(".")[0] not in outside_cells, device=logits.device)
        for name in names
    ]
    return WeightJacobian(torch.cat(rows), torch.cat(in_cell), logits.detach())


def _units(logits: Tensor, largest: int) -> Iterator[Tensor]:
    """Yield stacks of cotangents that pick out one image each."""
    images = range(len(logits))
    step = max(1, _CACHED // largest)
    for start in images[::step]:
        chosen = images[start : start + step]
        units = torch.zeros_like(logits).repeat(len(chosen), 1, 1)
        units[range(len(chosen)), chosen] = 1
        yield units
