from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from lnas.training.callbacks import SeedEpochs


def draws(epoch: int, rank: int = 0) -> list[float]:
    torch.rand(7)
    trainer: Any = SimpleNamespace(current_epoch=epoch, global_rank=rank)
    SeedEpochs(5).on_train_epoch_start(trainer, None)  # type: ignore[arg-type]
    return [*torch.rand(3).tolist(), *np.random.rand(3), random.random()]  # noqa: NPY002


@pytest.mark.parametrize("other", [(1, 0), (0, 1), (1, 1)])
def test_each_epoch_and_each_process_has_draws_of_its_own(other: tuple[int, int]) -> None:
    first, second = draws(0), draws(*other)
    assert draws(0) == first
    assert all(one != other for one, other in zip(first, second, strict=True))
