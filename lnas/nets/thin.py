"""Networks as wide as one channel, on which linear regions are counted."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from lnas.errors import UsageError, complaint
from lnas.nets.choice import Pick
from lnas.nets.darts import DartsCell
from lnas.nets.initialization import initialize
from lnas.nets.layers import PLAIN, Layers
from lnas.nets.names import Initialization
from lnas.nets.nats_topology import NatsTopologyCell
from lnas.nets.region_net import RegionNet
from lnas.spaces import SPACES
from lnas.spaces.darts.notation import NODES as DARTS_NODES
from lnas.spaces.darts.notation import split_cells
from lnas.spaces.nats_topology import EDGES, NODES, OPS
from lnas.types import Arch, Region


class ThinNatsTopologyNet(RegionNet):
    """The first cell of the benchmark's network, without what is before it: cell, BN-ReLU, pooling, linear.

    Every edge that has an operation is computed, dead ones included, so that their ReLUs count as in the release.

    Args:
        region: Which operations each edge has, as in `NatsTopologySpace`.
        num_classes: Outputs of the classifier.
        channels: Of the images, and so of the cell.
        layers: How the cell's layers are made.

    Source: VITA-Group/TENAS, `TinyNetworkDarts` with C=1, N=1, depth=1 and no stem. Input is (B, channels, H, W),
    output (B, num_classes).
    """

    def __init__(self, region: Region, num_classes: int = 10, channels: int = 1, layers: Layers = PLAIN) -> None:
        super().__init__(region, num_classes=num_classes, channels=channels, layers=layers)
        self.cell = NatsTopologyCell(region.choices, channels, layers, zero_images=None)
        self.head = _head(channels)
        self.classifier = nn.Linear(channels, num_classes)
        self.stages = {"cell": "cell", "head": "head"}

    def logits(self, images: Tensor, picks: Sequence[Pick]) -> Tensor:
        present = [edge for edge, pick in enumerate(picks) if not isinstance(pick, int) or OPS[pick] != "none"]
        inputs = tuple(
            tuple((EDGES[edge][0], edge) for edge in present if EDGES[edge][1] == target) for target in range(1, NODES)
        )
        return self.classifier(self.head(self.cell(images, picks, inputs)))


class ThinDartsNet(RegionNet):
    """A normal cell of `channels` and a reduction cell of twice as many, then BN-ReLU, pooling, linear.

    Both inputs of the first cell are the images, one input of the second one, too. It is the release's network and not
    the first cells of `DartsNet`, which would both be reduction cells where there are two, and has no BN-ReLU at the
    end. Odd resolutions are padded with zeros below and to the right before they are halved, as released.

    Args:
        region: Which operations each edge has, as in `DartsSpace`.
        num_classes: Outputs of the classifier.
        channels: Of the images, and so of a node in the first cell.
        layers: How the cells' layers are made.

    Source: VITA-Group/TENAS, `NASNetworkDARTS` with C=1, N=1, depth=2, stem_multiplier=1 and no stem. Input is
    (B, channels, H, W), output (B, num_classes).
    """

    def __init__(self, region: Region, num_classes: int = 10, channels: int = 1, layers: Layers = PLAIN) -> None:
        super().__init__(region, num_classes=num_classes, channels=channels, layers=layers)
        normal, reduce = split_cells(region.choices)
        images, nodes = channels, DARTS_NODES * channels
        self.cells = nn.ModuleList(
            [
                DartsCell(normal, (images, images), channels, False, False, layers, "none"),
                DartsCell(reduce, (images, nodes), 2 * channels, True, False, layers, "none"),
            ]
        )
        self.head = _head(2 * nodes)
        self.classifier = nn.Linear(2 * nodes, num_classes)
        self.stages = {"cell1": "cells.0", "cell2": "cells.1", "head": "head"}

    def logits(self, images: Tensor, picks: Sequence[Pick]) -> Tensor:
        normal, reduce = split_cells(tuple(picks))
        first, second = self.cells
        return self.classifier(self.head(second(images, first(images, images, normal), reduce)))


_THIN_NETS = {"nats_topology": ThinNatsTopologyNet, "darts": ThinDartsNet}


def build_thin_net(
    candidate: Arch | Region, num_classes: int = 10, channels: int = 1, *, init: Initialization = "pytorch"
) -> RegionNet:
    """Build the network on which TE-NAS counts the linear regions of an architecture, or of a supernet.

    Without a stem its cells see the images themselves, which are crops of one channel there:
    `lnas.data.patches.random_patches` draws them. Weights come from the global generator; seed it first.

    Args:
        candidate: An architecture of NATS topology or DARTS, or a region of them.
        num_classes: Outputs of the classifier, which has no part in the regions.
        channels: Of the images, and so the width of the first cell; TE-NAS and TEG-NAS take 1.
        init: Initial weights by name. The released code leaves PyTorch's; TEG-NAS as published (eq. 6) draws from
            N(0, 1/N), which is "lecun_normal".

    Returns:
        A module from images (B, channels, H, W) to logits (B, num_classes), batch norms affine and convolutions
        without bias, whose last linear layer is `.classifier`. Small images do: the papers' have 3x3 pixels.

    Raises:
        UsageError: If the space has no such network, or an argument is not as above.

    Source: VITA-Group/TENAS, `prune_tenas.py` (`model_config_thin`).
    """
    call = f"build_thin_net({candidate}, ...)"
    if not isinstance(candidate, Arch | Region):
        step = "A space's `parse` reads the notation."
        raise UsageError(complaint("build_thin_net(candidate)", "an Arch or a Region", candidate, step))
    if candidate.space not in _THIN_NETS:
        expected = f"an arch of {' or '.join(_THIN_NETS)}"
        raise UsageError(complaint(call, expected, candidate.space, "Others have no published thin network."))
    space = SPACES[candidate.space]()
    if isinstance(candidate, Arch):
        space.validate(candidate)
    else:
        space.require_region(candidate)
    for name, value in {"num_classes": num_classes, "channels": channels}.items():
        if type(value) is not int or value < 1:
            raise UsageError(complaint(call, f"{name} >= 1", value, "TE-NAS has 10 classes and 1 channel."))
    region = Region.of(candidate) if isinstance(candidate, Arch) else candidate
    net = _THIN_NETS[candidate.space](region, num_classes, channels)
    initialize(net, init)
    return net


def _head(channels: int) -> nn.Sequential:
    return nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
