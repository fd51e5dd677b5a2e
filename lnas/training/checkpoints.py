"""Checkpoints that are whole or absent, and are loaded without running code from them."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import torch
from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO

from lnas.store import write_whole


class WholeFileCheckpointIO(TorchCheckpointIO):
    """Write each checkpoint to its own folder first and rename it; load tensors and plain values only.

    Lightning's own way writes to the system's temporary folder, and moving from there to another disk is not atomic.
    """

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any | None = None) -> None:
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        write_whole(Path(path), buffer.getvalue())

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = True) -> dict[str, Any]:
        return torch.load(path, map_location="cpu", weights_only=True)
