"""A module and a Trainer as any user may have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor, nn

from lnas.training import quiet_lightning

Batch = tuple[Tensor, Tensor]


class Users(pl.LightningModule):
    """Two layers with batch norm and dropout, an attribute of another name for the net, a loss of its own."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.Dropout(dropout))
        self.out = nn.Linear(4, 2)

    def training_step(self, batch: Any, batch_idx: int) -> Any:
        inputs, targets = batch
        return nn.functional.mse_loss(self.out(self.body(inputs)), targets)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1, momentum=0.9)


class Batches:
    """A loader that goes on where a checkpoint was written."""

    def __init__(self, count: int) -> None:
        generator = torch.Generator().manual_seed(0)
        self._batches = [
            (torch.randn(6, 4, generator=generator), torch.randn(6, 2, generator=generator)) for _ in range(count)
        ]
        self._at = 0

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> Batch:
        return self._batches[index]

    def __iter__(self) -> Iterator[Batch]:
        while self._at < len(self):
            self._at += 1
            yield self._batches[self._at - 1]
        self._at = 0

    def state_dict(self) -> dict[str, int]:
        return {"at": self._at}

    def load_state_dict(self, state_dict: dict[str, int]) -> None:
        self._at = state_dict["at"]


class Saver(pl.Callback):
    """Writes a checkpoint right after a step, before the end of its epoch."""

    def __init__(self, path: Path, step: int) -> None:
        self._path = path
        self._step = step

    def on_train_batch_end(self, trainer: pl.Trainer, *args: Any) -> None:
        if trainer.global_step == self._step:
            trainer.save_checkpoint(self._path)


def fit_users(
    module: pl.LightningModule,
    *callbacks: pl.Callback,
    steps: int = 8,
    go_on_from: Path | None = None,
    **options: Any,
) -> pl.Trainer:
    trainer = pl.Trainer(
        **{
            "accelerator": "cpu",
            "max_epochs": -1,
            "max_steps": steps,
            "callbacks": list(callbacks),
            "logger": False,
            "enable_checkpointing": False,
            "enable_progress_bar": False,
            "enable_model_summary": False,
            **options,
        }
    )
    with quiet_lightning():
        trainer.fit(module, Batches(8), ckpt_path=None if go_on_from is None else str(go_on_from))
    return trainer


@pytest.fixture
def make() -> Callable[..., Users]:
    """Build the user's module; equal seeds give equal weights."""

    def built(seed: int = 0, dropout: float = 0.0) -> Users:
        torch.manual_seed(seed)
        return Users(dropout)

    return built


@pytest.fixture
def batches() -> Batches:
    """What `fit` trains on, again and again."""
    return Batches(8)


@pytest.fixture
def fit() -> Callable[..., pl.Trainer]:
    """Train for 8 steps, or as the Trainer's options say; an epoch has 8 batches."""
    return fit_users


@pytest.fixture
def saver() -> type[Saver]:
    """A callback that writes a checkpoint in the middle of an epoch."""
    return Saver
