"""DARTS, GDAS and PC-DARTS: differentiable searches by name, with their published settings."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar

import torch
from timm.scheduler import CosineLRScheduler

from lnas.nets.partial_channels import with_partial_channels
from lnas.nets.region_net import RegionNet
from lnas.nets.supernet_file import DIVISOR
from lnas.training.differentiable_module import DifferentiableModule, Published
from lnas.training.relaxations import GumbelChoice


class Darts(DifferentiableModule):
    """Mix all operations by the softmax of their logits: DARTS, by default of first order.

    The published search takes 50 epochs with batches of 64, half of the training images for the weights and the other
    half for the logits. All operations of all edges are computed at each step.

    Args:
        net: The supernet, as for `DifferentiableModule`.
        seed: As there.
        options: As there; `order="second"` for the second order.

    Source: Liu et al. 2019, "DARTS: Differentiable Architecture Search"; quark0/darts.
    """

    def __init__(self, net: RegionNet, seed: int = 0, **options: Any) -> None:
        super().__init__(net, seed, **options)


class Gdas(DifferentiableModule):
    """Draw one operation for each edge at each step, by Gumbel noise: GDAS.

    One path is computed: a step took a quarter of the time of one of `Darts` (NATS topology, C=16, a cell per stage).
    In DARTS cells, draws that leave a node without an edge are drawn again. The published search takes 250 epochs.

    Args:
        net: The supernet, as for `DifferentiableModule`.
        seed: As there.
        start: The temperature in the first epoch.
        end: The temperature in the last epoch.
        options: As for `DifferentiableModule`.

    Source: Dong and Yang 2019, "Searching for a Robust Neural Architecture in Four GPU Hours"; see `GumbelChoice`.
    """

    def __init__(self, net: RegionNet, seed: int = 0, start: float = 10.0, end: float = 0.1, **options: Any) -> None:
        super().__init__(net, seed, relaxation=GumbelChoice(start, end), **options)


class PcDarts(DifferentiableModule):
    """Mix all operations on a part of the channels and normalize the edges: PC-DARTS.

    The published search takes 50 epochs with batches of 256; the logits stay as they are in the first 15. The module's
    `net` is a copy of the given one with fewer channels in its operations; see `with_partial_channels`. In NATS
    topology, for which no settings are published, they are the same. What is saved is memory; a step took 0.85 of the
    time of one of `Darts` (NATS topology, C=16, a cell per stage, one CPU core).

    Args:
        net: The supernet, as for `DifferentiableModule`.
        seed: As there.
        divisor: One of how many channels the operations see.
        warmup_epochs: Epochs at the start in which the logits stay as they are.
        options: As for `DifferentiableModule`.

    Attributes:
        published: On CIFAR with batches of 256; the release ends its schedule at 0.001.

    Source: Xu et al. 2020, "PC-DARTS: Partial Channel Connections for Memory-Efficient Architecture Search";
    yuhuixu1993/PC-DARTS.
    """

    published: ClassVar = Published(
        partial(torch.optim.SGD, lr=0.1, momentum=0.9, weight_decay=3e-4),
        partial(CosineLRScheduler, lr_min=0.0),
        partial(torch.optim.Adam, lr=6e-4, betas=(0.5, 0.999), weight_decay=1e-3),
    )

    def __init__(
        self, net: RegionNet, seed: int = 0, divisor: int = 4, warmup_epochs: int = 15, **options: Any
    ) -> None:
        net = with_partial_channels(net, divisor)
        super().__init__(net, seed, edges="normalized", warmup_epochs=warmup_epochs, **options)
        self.save_hyperparameters({DIVISOR: divisor})
