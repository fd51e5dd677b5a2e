from __future__ import annotations

import math

import lightning.pytorch as pl
import torch
from torch import Tensor, nn

from lnas.training import quiet_lightning, short_trainer
from lnas.training.callbacks import AccuracyCallback, accuracy


class Threshold(pl.LightningModule):
    """A user's own module: class 1 where the input is above a bias that training raises by 1 a step."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(()))
        self.dropout = nn.Dropout(1.0)

    def forward(self, x: Tensor) -> Tensor:
        kept = x if not self.training else self.dropout(x)
        return torch.stack([torch.zeros(len(x)), kept - self.bias], dim=1)

    def training_step(self, batch: Tensor, batch_idx: int) -> Tensor:
        return -self.bias

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=1)


VALUES = torch.tensor([0.5, 1.5, 2.5, 3.5])
LABELS = torch.tensor([1, 1, 0, 1])


def test_counts_hits_in_eval_mode_over_batches_of_any_size() -> None:
    module = Threshold().train()
    assert accuracy(module, [(VALUES[:3], LABELS[:3]), (VALUES[3:], LABELS[3:])]) == 0.75
    assert module.training


def test_parts_keep_their_modes() -> None:
    module = Threshold().train()
    module.dropout.eval()
    accuracy(module, [(VALUES, LABELS)])
    assert (module.training, module.dropout.training) == (True, False)


def test_logits_that_are_not_finite_predict_nothing() -> None:
    module = Threshold()
    assert math.isnan(accuracy(module, [(VALUES, LABELS), (torch.tensor([math.nan, 1.0]), LABELS[:2])]))
    assert module.training


def test_is_measured_after_the_last_step() -> None:
    callback = AccuracyCallback({"all": [(VALUES, LABELS)], "first": [(VALUES[:1], LABELS[:1])]})
    assert callback.accuracies == {}
    with quiet_lightning():
        short_trainer([callback], steps=2, accelerator="cpu").fit(Threshold(), range(2))
    assert callback.accuracies == {"all": 0.25, "first": 0.0}
