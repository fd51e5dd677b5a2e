"""Train in two processes, in one go and resumed; each writes what its callbacks saw. Started by `test_processes.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from lightning.pytorch.strategies import DDPStrategy
from torch import Tensor, nn

from lnas.training.callbacks import AngleCallback, LossCallback

STEPS = 6


class Net(pl.LightningModule):
    """Every process begins with weights of its own and has batches of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.out = nn.Linear(4, 4), nn.Linear(4, 2)

    def setup(self, stage: str) -> None:
        torch.manual_seed(self.global_rank)
        for layer in (self.body, self.out):
            layer.reset_parameters()

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        generator = torch.Generator().manual_seed(10 * self.trainer.global_step + self.global_rank)
        inputs, targets = torch.randn(5, 4, generator=generator), torch.randn(5, 2, generator=generator)
        return nn.functional.mse_loss(self.out(self.body(inputs).relu()), targets)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.2, momentum=0.9)


class Own(pl.Callback):
    """What this process sees by itself; comes after the callbacks it watches."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.weights: list[list[float]] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: Any) -> None:
        self.weights.append(pl_module.out.weight.flatten().tolist())

    def on_train_batch_end(self, trainer: pl.Trainer, pl_module: Any, outputs: Any, *rest: Any) -> None:
        self.losses.append(float(outputs["loss"]))
        self.weights.append(pl_module.out.weight.flatten().tolist())


def trained(steps: int, go_on_from: Path | None = None) -> tuple[pl.Trainer, dict[str, Any]]:
    """Train and return what was measured and seen."""
    batch = torch.zeros(1)
    angle, features, loss, own = AngleCallback(every=2), AngleCallback("features"), LossCallback([batch]), Own()
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=2,
        strategy=DDPStrategy(process_group_backend="gloo"),
        max_steps=steps,
        callbacks=[angle, features, loss, own],
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    loader = torch.utils.data.DataLoader([batch] * 100, batch_size=None)
    trainer.fit(Net(), loader, ckpt_path=None if go_on_from is None else str(go_on_from))
    return trainer, {
        "angle": angle.angle,
        "history": angle.history,
        "features": features.angle,
        "steps": loss.steps,
        "after": loss.after,
        "losses": own.losses,
        "weights": own.weights,
    }


def main(folder: Path) -> None:
    """Train in one go, then in two pieces."""
    _, whole = trained(STEPS)
    trainer, _ = trained(3)
    trainer.save_checkpoint(folder / "part.ckpt")
    _, resumed = trained(STEPS, folder / "part.ckpt")
    (folder / f"{trainer.global_rank}.json").write_text(json.dumps({"whole": whole, "resumed": resumed}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
