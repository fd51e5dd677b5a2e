"""Randomness that depends on the seed and the epoch alone."""

from __future__ import annotations

import lightning.pytorch as pl

from lnas.randomness import seed_generators
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
        seed_generators(derive_seed(self._seed, "epoch", trainer.current_epoch, *further))
