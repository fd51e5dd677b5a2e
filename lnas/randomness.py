"""Use seeded randomness and leave the process's own as found. Imports torch."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import torch

Devices = Literal["all", "cpu"]


@contextmanager
def isolated_randomness(seed: int, devices: Devices = "all") -> Iterator[None]:
    """Seed Python, NumPy and PyTorch inside the block, and put all three back as they were after it.

    Args:
        seed: Decides all draws inside.
        devices: "cpu" leaves the generators of other devices alone, as a process that only loads images must.
    """
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=range(torch.cuda.device_count()) if devices == "all" else []):
        try:
            seed_generators(seed, devices)
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002


def seed_generators(seed: int, devices: Devices = "all") -> None:
    """Seed the generators of Python, NumPy and PyTorch, and leave them so."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    if devices == "all":
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)
