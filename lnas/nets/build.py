"""From an architecture to a network."""

from __future__ import annotations

import torch
from torch import nn

from lnas.errors import UsageError, complaint, unknown_name
from lnas.nets.nats_topology import NatsTopologyNet
from lnas.types import Arch

_CHANNELS_LAST_FROM = 8


def build_net(arch: Arch, num_classes: int = 10, channels: int | None = None, cells: int | None = None) -> nn.Module:
    """Build the benchmark's network of an architecture, with PyTorch's own initial weights.

    Weights come from the global generator; seed it first. On CPUs the weights are laid out channels-last from 8
    channels on, which was measured to train faster there (`scripts/benchmark_layout.py`).

    Args:
        arch: The architecture; its `space` decides the skeleton.
        num_classes: Outputs.
        channels: Width of the first stage; None is the benchmark's own.
        cells: Cells per stage; None is the benchmark's own.

    Returns:
        A module from images (B, 3, H, W) to logits (B, num_classes), whose last linear layer is `.classifier`.

    Raises:
        UsageError: If no network is known for the space.
    """
    if arch.space not in _SKELETONS:
        raise UsageError(f"build_net({str(arch)!r}): {unknown_name('space', arch.space, _SKELETONS)}")
    for name, value in {"channels": channels, "cells": cells}.items():
        if value is not None and value < 1:
            raise UsageError(complaint(f"build_net({name}={value})", f"{name} >= 1", value, "None is the benchmark's."))
    skeleton = _SKELETONS[arch.space]
    width = 16 if channels is None else channels
    net = skeleton(arch.genes, num_classes, width, 5 if cells is None else cells)
    return net.to(memory_format=torch.channels_last) if width >= _CHANNELS_LAST_FROM else net


_SKELETONS = {"nats_topology": NatsTopologyNet}
