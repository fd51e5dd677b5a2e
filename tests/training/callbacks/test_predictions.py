"""What a test pass predicts is what the network says of each image, in order."""

from __future__ import annotations

import lightning.pytorch as pl
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from lnas.training import CandidateModule, quiet_lightning
from lnas.training.callbacks.predictions import PredictionsCallback


def test_rows_follow_the_images_and_a_second_pass_begins_anew() -> None:
    torch.manual_seed(0)
    images, labels = torch.randn(10, 3, 4, 4), torch.randint(7, (10,))
    net = nn.Sequential(nn.Flatten(), nn.Linear(48, 7))
    seen = PredictionsCallback()
    with quiet_lightning():
        trainer = pl.Trainer(
            accelerator="cpu", logger=False, callbacks=[seen], enable_progress_bar=False, enable_checkpointing=False
        )
        module = CandidateModule(net, 7, lambda parameters: torch.optim.SGD(parameters, lr=0.1))
        for _ in range(2):
            trainer.test(module, DataLoader(TensorDataset(images, labels), batch_size=4), verbose=False)
    is_, said, confidence = seen.predictions
    shares = net(images).softmax(1)
    assert torch.equal(is_, labels)
    assert torch.equal(said, shares.argmax(1))
    assert torch.allclose(confidence, shares.max(1).values)


def test_before_a_pass_there_are_no_rows() -> None:
    assert [len(column) for column in PredictionsCallback().predictions] == [0, 0, 0]
