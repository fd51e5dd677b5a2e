"""Drop more paths the longer a network is trained."""

from __future__ import annotations

import lightning.pytorch as pl


class DropPathSchedule(pl.Callback):
    """Let the probability of drop-path rise from 0 in proportion to the epochs that are done.

    Args:
        final: Toward which it rises: of E epochs, the last has (E - 1) / E of it.

    Source: quark0/darts, `cnn/train.py`. The module's `net` has `set_drop_path`, as `DartsNet` has.
    """

    def __init__(self, final: float) -> None:
        self._final = final

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        assert trainer.max_epochs is not None
        pl_module.net.set_drop_path(self._final * trainer.current_epoch / trainer.max_epochs)  # type: ignore[operator, union-attr]
