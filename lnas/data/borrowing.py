"""Seeding the generators that other libraries draw from, and giving them back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def borrowed_generators(seed: int) -> Iterator[None]:
    """Seed what timm and torchvision draw from on the CPU inside the block, and put it back as it was after it."""
    python_state, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng(devices=[]):
        try:
            seed_generators(seed)
            yield
        finally:
            random.setstate(python_state)
            np.random.set_state(numpy_state)  # noqa: NPY002


def seed_generators(seed: int) -> None:
    """Seed Python's, NumPy's and PyTorch's generator; for use while they are borrowed."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    torch.default_generator.manual_seed(seed)
