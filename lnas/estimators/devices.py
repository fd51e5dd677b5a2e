"""Where networks are measured. Imports torch only when called."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def fastest_device() -> torch.device:
    """Return this machine's accelerator, or its CPU if there is none."""
    import torch

    there = torch.accelerator.is_available()
    return (there and torch.accelerator.current_accelerator()) or torch.device("cpu")
