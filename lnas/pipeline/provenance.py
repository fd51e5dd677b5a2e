"""On what a run was made: versions, machine, threads."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from typing import Any

_PACKAGES = ("lnas", "torch", "lightning", "torchmetrics", "timm", "numpy", "scipy", "scikit-learn")


def provenance() -> dict[str, Any]:
    """Return the versions and the machine that bear on the numbers of this process."""
    import torch

    return {
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {os.cpu_count()} cores",
        "threads": torch.get_num_threads(),
    }
