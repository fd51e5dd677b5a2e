from __future__ import annotations

from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from torch import Tensor, nn

from lnas.errors import UsageError
from lnas.training import quiet_lightning
from lnas.training.callbacks.keeping import LAST, KeepTraining
from lnas.training.checkpoints import WholeFileCheckpointIO


class Module(pl.LightningModule):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 1)

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        loss = self.layer(batch).square().mean()
        self.log("train_loss", loss, on_epoch=True, on_step=False)
        self.log("other/number", loss)
        return loss

    def configure_optimizers(self) -> Any:
        return torch.optim.SGD(self.parameters(), lr=0.1)


def train(keeper: KeepTraining, epochs: int, checkpoint: Path | None = None) -> None:
    with quiet_lightning():
        trainer = pl.Trainer(
            accelerator="cpu",
            max_epochs=epochs,
            callbacks=[keeper],
            plugins=[WholeFileCheckpointIO()],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        batches = torch.utils.data.DataLoader([torch.ones(3, 2)] * 2, batch_size=None)
        trainer.fit(Module(), batches, ckpt_path=None if checkpoint is None else str(checkpoint))


def test_each_epoch_is_recorded_and_the_chosen_ones_are_kept(tmp_path: Path) -> None:
    told: list[Any] = []
    keeper = KeepTraining(tmp_path, every_n_epochs=2, chosen=[1], on_epoch=told.append)
    train(keeper, epochs=3)
    assert [(record["epoch"], record["step"]) for record in keeper.records] == [(1, 2), (2, 4), (3, 6)]
    assert told == keeper.records
    assert all(record.keys() == {"epoch", "step", "seconds", "train_loss"} for record in told)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["epoch=1.ckpt", LAST]
    assert WholeFileCheckpointIO().load_checkpoint(tmp_path / LAST)["epoch"] == 3 - 1


def test_a_resumed_training_tells_of_what_was_before(tmp_path: Path) -> None:
    first = KeepTraining(tmp_path)
    train(first, epochs=2)
    told: list[Any] = []
    again = KeepTraining(tmp_path, on_epoch=told.append)
    train(again, epochs=3, checkpoint=tmp_path / LAST)
    assert told[:2] == first.records
    assert [record["epoch"] for record in told] == [1, 2, 3]
    anew = KeepTraining(None)
    anew.records = list(told)
    train(anew, epochs=1)
    assert [record["epoch"] for record in anew.records] == [1]


@pytest.mark.parametrize("options", [{"every_n_epochs": 0}, {"chosen": [3, 0]}])
def test_epochs_begin_with_one(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r">= 1, got 0"):
        KeepTraining(None, **options)
