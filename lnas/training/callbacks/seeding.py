"""Randomness that depends on the seed and the epoch alone."""

from __future__ import annotations

import random

import lightning.pytorch as pl
import numpy as np
import torch

from lnas.seeds import derive_seed


class SeedEpochs(pl.Callback):
    """Seed the global generators of PyTorch, NumPy and Python at the start of every training epoch.

    Checkpoints hold no generator state; with this, a training that is resumed at an epoch draws the same augmentations
    and dropout masks as one that was never stopped. Mixing images, as timm does it, draws from NumPy's. Several
    processes draw each for its own part of a batch.

    Args:
        seed: Decides all draws, together with the epoch.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        further = [trainer.global_rank] if trainer.global_rank else []  # the first draws as one process alone does
        seed = derive_seed(self._seed, "epoch", trainer.current_epoch, *further)
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        random.seed(seed)
