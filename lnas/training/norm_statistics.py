"""Running statistics of a network's batch norms, held apart from the network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

NormStatistics = Mapping[_BatchNorm, Mapping[str, Tensor | None]]
"""Batch norm -> its buffers by name."""


def norms_of(net: nn.Module) -> list[_BatchNorm]:
    """List the batch norms of a network."""
    return [module for module in net.modules() if isinstance(module, _BatchNorm)]


def no_statistics(norms: Iterable[_BatchNorm]) -> NormStatistics:
    """Return none, without which a batch norm uses those of the batch in eval mode, too, and keeps none of them."""
    return {norm: dict.fromkeys(norm._buffers) for norm in norms}


@contextmanager
def statistics_replaced(statistics: NormStatistics) -> Iterator[None]:
    """Let batch norms use, and update, other statistics inside the block."""
    found = {norm: dict(norm._buffers) for norm in statistics}
    try:
        for norm, buffers in statistics.items():
            norm._buffers.update(buffers)
        yield
    finally:
        for norm, buffers in found.items():
            norm._buffers.update(buffers)


def averaged_statistics(
    norms: Iterable[_BatchNorm], compute: Callable[[Tensor], object], batches: Iterable[Tensor]
) -> NormStatistics:
    """Average the statistics of batches, each counting the same, without touching those of the network.

    Args:
        norms: Batch norms that keep statistics.
        compute: Takes images through the network.
        batches: Images.

    Returns:
        New statistics of the batch norms that were used.
    """
    new = {norm: {name: torch.zeros_like(kept) for name, kept in norm.named_buffers()} for norm in norms}
    modes = [(norm, norm.training, norm.momentum) for norm in new]
    try:
        with statistics_replaced(new):
            for number, images in enumerate(batches, start=1):
                for norm in new:
                    norm.training, norm.momentum = True, 1 / number
                compute(images)
    finally:
        for norm, training, momentum in modes:
            norm.training, norm.momentum = training, momentum
    return {norm: buffers for norm, buffers in new.items() if buffers["num_batches_tracked"]}
