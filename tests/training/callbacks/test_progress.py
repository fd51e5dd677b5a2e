from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import lightning.pytorch as pl
import pytest
import torch

from lnas.training import quiet_lightning
from lnas.training.callbacks import TrainingClock, progress


@pytest.mark.parametrize("interval", [1.0, 0.5])
def test_training_clock_leaves_validation_out(
    interval: float, make: Callable[..., pl.LightningModule], monkeypatch: pytest.MonkeyPatch
) -> None:
    time = SimpleNamespace(now=0.0)

    class Ticking(type(make())):  # type: ignore[misc]
        """A training step takes 1 s and a validation step 100 s, by the clock of the test."""

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            time.now += 1
            return super().training_step(batch, batch_idx)

        def validation_step(self, batch: Any, batch_idx: int) -> None:
            time.now += 100

    def loader(batches: int) -> torch.utils.data.DataLoader[Any]:
        return torch.utils.data.DataLoader([(torch.randn(4, 4), torch.randn(4, 2))] * batches, batch_size=None)

    monkeypatch.setattr(progress, "time", SimpleNamespace(perf_counter=lambda: time.now))
    clock = TrainingClock()
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=2,
        val_check_interval=interval,
        callbacks=[clock],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with quiet_lightning():
        trainer.fit(Ticking(), loader(4), loader(1))
    assert time.now > 200
    assert clock.seconds == 8
