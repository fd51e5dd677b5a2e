"""Dropout that is no part of the network."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def dropped_inputs(layer: nn.Module, probability: float, seed: int) -> Iterator[None]:
    """Drop the inputs of a layer inside the block, and scale up the others.

    The masks come from a generator of their own, so that they depend on the seed alone and no other randomness on them.

    Args:
        layer: Takes one tensor.
        probability: Of each entry to be dropped, below 1; at 0 nothing is done.
        seed: Decides the masks of all calls inside the block.
    """
    if not probability:
        yield
        return
    generators: dict[torch.device, torch.Generator] = {}

    def drop(module: nn.Module, inputs: tuple[Tensor]) -> Tensor:
        (x,) = inputs
        if x.device not in generators:
            generators[x.device] = torch.Generator(x.device).manual_seed(seed)
        kept = torch.rand(x.shape, generator=generators[x.device], device=x.device) >= probability
        return x * kept / (1 - probability)

    hook = layer.register_forward_pre_hook(drop)
    try:
        yield
    finally:
        hook.remove()
