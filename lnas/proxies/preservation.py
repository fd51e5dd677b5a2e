"""Measuring a network without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lnas.nets import isolated_randomness


@contextmanager
def preserved(net: nn.Module, seed: int) -> Iterator[None]:
    """Put a network into train mode, seed all generators, and leave everything as found after the block.

    Batch norms use the batch's statistics and keep none of them. Parameters must not be written in the block, since
    only buffers and modes are restored, and gradients must be asked for, not accumulated.
    """
    modes = [(module, module.training) for module in net.modules()]
    tracking = [m for m in net.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    buffers = [(m, name, b, b.clone()) for m in net.modules() for name, b in m._buffers.items() if b is not None]
    with isolated_randomness(seed), torch.inference_mode(False):
        try:
            net.train()
            for norm in tracking:
                norm.track_running_stats = False
            yield
        finally:
            for norm in tracking:
                norm.track_running_stats = True
            for module, training in modes:
                module.training = training
            _restore(buffers)


@torch.no_grad()
def _restore(buffers: list[tuple[nn.Module, str, torch.Tensor, torch.Tensor]]) -> None:
    for module, name, buffer, content in buffers:
        module._buffers[name] = buffer
        buffer.copy_(content)
