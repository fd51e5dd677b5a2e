from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import torch

from lnas.training.callbacks import SeedEpochs


def test_seed_epochs_makes_an_epochs_draws_its_own() -> None:
    def draws(epoch: int) -> list[float]:
        torch.rand(7)
        SeedEpochs(5).on_train_epoch_start(SimpleNamespace(current_epoch=epoch), None)  # type: ignore[arg-type]
        return [*torch.rand(3).tolist(), *np.random.rand(3), random.random()]  # noqa: NPY002

    first, second = draws(0), draws(1)
    assert draws(0) == first
    assert all(one != other for one, other in zip(first, second, strict=True))
