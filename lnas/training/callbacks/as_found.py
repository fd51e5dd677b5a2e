"""Measuring a module on the way without leaving a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import lightning.pytorch as pl
import torch


@contextmanager
def left_as_found(module: pl.LightningModule) -> Iterator[None]:
    """Set back, at the end, the mode of every part, the buffers and the global generator."""
    modes = {part: part.training for part in module.modules()}
    buffers = {name: buffer.clone() for name, buffer in module.named_buffers()}
    devices = [module.device] if module.device.type == "cuda" else []
    try:
        with torch.no_grad(), torch.random.fork_rng(devices):
            yield
    finally:
        with torch.no_grad():
            for name, buffer in module.named_buffers():
                buffer.copy_(buffers[name])
        for part, training in modes.items():
            part.training = training
