from __future__ import annotations

from functools import partial

import torch
from torch import nn
from torch.utils.data import DataLoader

from lnas.training import CandidateModule, quiet_lightning, short_trainer


def test_a_short_training_is_the_bare_loop() -> None:
    """Proof that the Trainer adds nothing: the same weights, bit for bit, as a loop written out."""

    def net() -> nn.Module:
        torch.manual_seed(0)
        return nn.Sequential(nn.Flatten(), nn.Linear(12, 6), nn.ReLU(), nn.Linear(6, 3))

    torch.manual_seed(1)
    images, labels = torch.randn(10, 3, 2, 2), torch.randint(3, (10,))
    sgd = partial(torch.optim.SGD, lr=0.2, momentum=0.9, nesterov=True, weight_decay=5e-4)
    trained = net()
    batches = DataLoader([(images, labels)] * 8, batch_size=None)
    with quiet_lightning():
        short_trainer([], steps=8, accelerator="cpu").fit(CandidateModule(trained, 3, sgd), batches)
    bare = net()
    optimizer = sgd(bare.parameters())
    for _ in range(8):
        optimizer.zero_grad()
        nn.functional.cross_entropy(bare(images), labels).backward()
        optimizer.step()
    assert all(torch.equal(a, b) for a, b in zip(trained.parameters(), bare.parameters(), strict=True))
