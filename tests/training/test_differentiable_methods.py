from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
import pytest
import torch
from jsonargparse import ArgumentParser
from torch import Tensor

from lnas.nets import RegionNet, build_supernet
from lnas.nets.partial_channels import PartialChoice
from lnas.spaces import DartsSpace, NatsTopologySpace
from lnas.training import quiet_lightning
from lnas.training.differentiable_methods import Darts, Gdas, PcDarts
from lnas.training.differentiable_module import DifferentiableModule
from lnas.training.relaxations import GumbelChoice
from lnas.types import Region

NATS, DARTS = NatsTopologySpace(), DartsSpace()
METHODS: dict[str, Any] = {
    "darts, first order": (Darts, {}),
    "darts, second order": (Darts, {"order": "second"}),
    "gdas": (Gdas, {}),
    "pc-darts": (PcDarts, {"divisor": 2, "warmup_epochs": 0}),
}


class Noise(pl.LightningDataModule):
    def train_dataloader(self) -> Any:
        return torch.utils.data.DataLoader([self.validation_batch(9)], batch_size=None)

    def validation_batch(self, step: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(step)
        return torch.randn(4, 3, 8, 8, generator=generator), torch.arange(4)


def supernet(space: Any, **options: Any) -> RegionNet:
    torch.manual_seed(0)
    region = space.region if space is NATS else Region(space.name, ((0, 3, 6),) * 28)
    return build_supernet(region, **{"channels": 4, "cells": 1 if space is NATS else 2, **options})


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("space", [NATS, DARTS], ids=lambda space: space.name)
def test_a_search_ends_in_an_architecture(space: Any, method: str) -> None:
    make, options = METHODS[method]
    module = make(supernet(space), 5, **options)
    before = [vector.detach().clone() for vector in module.parameters()]
    trainer = pl.Trainer(
        accelerator="cpu",
        max_epochs=1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with quiet_lightning():
        trainer.fit(module, datamodule=Noise())
    arch = module.derive()
    space.validate(arch)
    assert all(vector.isfinite().all() for vector in module.parameters())
    moved = [not torch.equal(*pair) for pair in zip(before, module.parameters(), strict=True)]
    assert sum(moved) > len(moved) / 2
    assert {"train_loss", "val_loss", "entropy", "lr"} <= trainer.callback_metrics.keys()


def test_the_published_settings() -> None:
    darts, gdas, pc_darts = (make(supernet(NATS, channels=8)) for make in (Darts, Gdas, PcDarts))
    assert gdas._relaxation == GumbelChoice(10.0, 0.1)
    for module, rates, last, warmup in (
        (darts, (0.025, 3e-4), 0.001, 0),
        (gdas, (0.025, 3e-4), 0.001, 0),
        (pc_darts, (0.1, 6e-4), 0.0, 15),
    ):
        assert module._warmup_epochs == warmup
        module.trainer = pl.Trainer(accelerator="cpu", max_epochs=50, logger=False)
        (weights, logits), _ = module.configure_optimizers()
        assert (weights.defaults["lr"], logits.defaults["lr"]) == rates
        assert (weights.defaults["momentum"], weights.defaults["weight_decay"]) == (0.9, 3e-4)
        assert (logits.defaults["betas"], logits.defaults["weight_decay"]) == ((0.5, 0.999), 1e-3)
        module._scheduler.step(50)
        assert weights.param_groups[0]["lr"] == pytest.approx(last)


def test_pc_darts_is_partial_and_leaves_the_given_net_alone() -> None:
    net = supernet(DARTS, channels=8)
    module = PcDarts(net)
    assert module.net is not net
    assert sum(isinstance(part, PartialChoice) for part in module.net.modules()) == 2 * 14
    assert not any(isinstance(part, PartialChoice) for part in net.modules())
    assert [len(vector) for vector in module.edge_logits] == [2, 3, 4, 5] * 2


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Darts", {"order": "second", "clip": None}),
        ("Gdas", {"end": 0.5, "none": "excluded"}),
        ("PcDarts", {"divisor": 2, "warmup_epochs": 3}),
    ],
)
def test_a_method_is_named_in_a_configuration(name: str, options: dict[str, Any]) -> None:
    """All that follows the supernet and the seed is set there."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_argument("--method", type=Callable[[RegionNet, int], DifferentiableModule])
    path = f"lnas.training.differentiable_methods.{name}"
    made = parser.parse_object({"method": {"class_path": path, "init_args": options}})
    module = parser.instantiate(made).method(supernet(NATS), 7)
    assert type(module).__name__ == name
    assert module.hparams["seed"] == 7
    for option in options.keys() & module.hparams.keys():
        assert module.hparams[option] == options[option]
    if name == "Gdas":
        assert module._relaxation == GumbelChoice(10.0, 0.5)
