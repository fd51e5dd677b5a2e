from __future__ import annotations

from types import SimpleNamespace

import torch

from lnas.training.callbacks import SeedEpochs


def test_seed_epochs_makes_an_epochs_draws_its_own() -> None:
    def draws(epoch: int) -> list[float]:
        torch.rand(7)
        SeedEpochs(5).on_train_epoch_start(SimpleNamespace(current_epoch=epoch), None)  # type: ignore[arg-type]
        return torch.rand(3).tolist()

    assert draws(0) == draws(0) != draws(1)
