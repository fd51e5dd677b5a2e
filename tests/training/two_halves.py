"""Train a supernet in two processes, each on half of every batch, then in one on the halves in turn.

Started by `test_supernet_module.py`.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor
from torch.optim.lr_scheduler import ReduceLROnPlateau

from lnas.nets import build_supernet
from lnas.spaces import NatsTopologySpace
from lnas.training import SupernetModule

STEPS, HALF, EPOCHS = 4, 5, 2
QUIET = {
    "logger": False,
    "enable_checkpointing": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
}


def half(step: int, which: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(10 * step + which)
    return torch.randn(HALF, 3, 8, 8, generator=generator), torch.randint(10, (HALF,), generator=generator)


class Halves(pl.LightningDataModule):
    """Serve this process its halves, or all of them in turn."""

    def __init__(self, world_size: int) -> None:
        super().__init__()
        self._world_size = world_size

    def train_dataloader(self) -> Any:
        mine = range(2) if self._world_size == 1 else [self.trainer.global_rank]
        return torch.utils.data.DataLoader(
            [half(step, which) for step in range(STEPS) for which in mine], batch_size=None
        )


def trained(inactive: Any, **options: Any) -> tuple[pl.Trainer, dict[str, Any]]:
    torch.manual_seed(0)
    net = build_supernet(NatsTopologySpace(), channels=4, cells=1)
    schedule = partial(ReduceLROnPlateau, factor=0.5, patience=0, threshold=0.9)
    module = SupernetModule(net, samples=2, inactive=inactive, dropout=0.0, schedule=schedule)
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=EPOCHS, gradient_clip_val=5.0, use_distributed_sampler=False, **options, **QUIET
    )
    trainer.fit(module, datamodule=Halves(trainer.world_size))
    return trainer, {
        "weights": {name: weight.tolist() for name, weight in net.named_parameters()},
        "paths": [[str(arch) for arch in module.paths_at(step)] for step in range(EPOCHS * STEPS)],
        "train_loss": float(trainer.callback_metrics["train_loss"]),
        "lr": trainer.optimizers[0].param_groups[0]["lr"],
    }


def main(folder: Path, inactive: str) -> None:
    """Train both ways; the first process does so alone afterwards."""
    strategy = DDPStrategy(process_group_backend="gloo", find_unused_parameters=True)
    trainer, found = trained(inactive, devices=2, strategy=strategy)
    rank = trainer.global_rank
    (folder / f"{rank}.json").write_text(json.dumps(found))
    if rank == 0:
        _, alone = trained(inactive, devices=1, strategy="auto", accumulate_grad_batches=2)
        (folder / "alone.json").write_text(json.dumps(alone))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
