"""The networks of NATS-Bench's topology space: stem, three stages of cells, residual blocks between, head."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from lnas.nets.choice import OperationChoice, Pick
from lnas.nets.layers import PLAIN, Layers
from lnas.nets.names import DeadEdges, ImageSize
from lnas.nets.region_net import RegionNet
from lnas.nets.stems import convolutional_stem
from lnas.spaces.nats_topology import EDGES, NODES, OPS, live_edges
from lnas.types import Region

_Inputs = tuple[tuple[tuple[int, int], ...], ...]


class ReluConvBn(nn.Sequential):
    """ReLU, convolution, batch norm: the benchmark's only convolutional block."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1, layers: Layers = PLAIN) -> None:
        super().__init__(nn.ReLU(), layers.conv(c_in, c_out, kernel, stride), layers.norm(c_out))


class NatsTopologyCell(nn.Module):
    """A cell at constant width and resolution; each node sums its edges."""

    def __init__(self, choices: Sequence[Sequence[int]], channels: int, layers: Layers) -> None:
        super().__init__()
        make = functools.partial(_operation, channels=channels, layers=layers)
        self.edges = nn.ModuleDict(
            {_edge_name(edge): OperationChoice(allowed, OPS, make) for edge, allowed in enumerate(choices)}
        )

    def forward(self, x: Tensor, picks: Sequence[Pick], inputs: _Inputs) -> Tensor:
        """Map (B, C, H, W) to the same shape; zeros where no edge leads to the output.

        Args:
            x: The input node.
            picks: One per edge.
            inputs: For nodes 1 to 3, the (source, edge) that are summed.
        """
        nodes: list[Tensor | None] = [x]
        for into in inputs:
            total = None
            for source, edge in into:
                value = nodes[source]
                if value is None:  # a node without inputs, when dead edges are computed
                    value = torch.zeros_like(x)
                term = self.edges[_edge_name(edge)](value, picks[edge])
                total = term if total is None else total + term
            nodes.append(total)
        return torch.zeros_like(x) if nodes[-1] is None else nodes[-1]


class ResidualBlock(nn.Module):
    """Halves the resolution and changes the width; the shortcut is average pooling and a bare 1x1 convolution."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv_a = ReluConvBn(c_in, c_out, 3, stride=2)
        self.conv_b = ReluConvBn(c_out, c_out, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(c_in, c_out, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to (B, C', H/2, W/2)."""
        return self.conv_b(self.conv_a(x)) + self.shortcut(x)


class NatsTopologyNet(RegionNet):
    """Stem, `cells` cells at C, residual block, cells at 2C, residual block, cells at 4C, BN-ReLU, pooling, linear.

    Args:
        region: Which operations each edge has, as in `NatsTopologySpace`.
        num_classes: Outputs of the classifier.
        channels: C; the benchmark's is 16.
        cells: Cells per stage; the benchmark's is 5.
        layers: How the cells' layers are made. Stem, residual blocks and head are always plain.
        image_size: Decides the stem; the benchmark's is for 32 pixels.
        dead_edges: Edges that lead nowhere have modules, so that parameters are counted as the benchmark counts them.
            "skipped" does not compute them. "computed" does, to no effect on the logits in eval mode, for measures
            that look at every convolution.

    Source: NAS-Bench-201, `xautodl/models/cell_infers/tiny_network.py`. Input is (B, 3, H, W) with H, W >= 4, output
    (B, num_classes).
    """

    def __init__(
        self,
        region: Region,
        num_classes: int = 10,
        channels: int = 16,
        cells: int = 5,
        layers: Layers = PLAIN,
        image_size: ImageSize = 32,
        dead_edges: DeadEdges = "skipped",
    ) -> None:
        options: dict[str, Any] = {"num_classes": num_classes, "channels": channels, "cells": cells, "layers": layers}
        options |= {"image_size": image_size, "dead_edges": dead_edges}
        super().__init__(region, functools.partial(NatsTopologyNet, **options))
        self._inputs = _live_inputs if dead_edges == "skipped" else _present_inputs
        self.stem = convolutional_stem(channels, image_size)
        blocks: list[nn.Module] = []
        self.stages = {"stem": "stem"}
        for stage in range(3):
            width = channels * 2**stage
            if stage:
                blocks.append(ResidualBlock(width // 2, width))
            blocks += [NatsTopologyCell(region.choices, width, layers) for _ in range(cells)]
            self.stages[f"stage{stage + 1}"] = f"blocks.{len(blocks) - 1}"
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.stages["head"] = "head"
        self.classifier = nn.Linear(width, num_classes)

    def logits(self, images: Tensor, picks: Sequence[Pick]) -> Tensor:
        inputs = self._inputs(self._largest_genes(picks))
        x = self.stem(images)
        for block in self.blocks:
            x = block(x, picks, inputs) if isinstance(block, NatsTopologyCell) else block(x)
        return self.classifier(self.head(x))

    def _largest_genes(self, picks: Sequence[Pick]) -> tuple[int, ...]:
        """Return genes that are `none` exactly where nothing else is mixed in."""
        pairs = zip(picks, self.region.choices, strict=True)
        return tuple(pick if isinstance(pick, int) else allowed[-1] for pick, allowed in pairs)


def _operation(name: str, channels: int, layers: Layers) -> nn.Module | None:
    match name:
        case "none":
            return None
        case "skip_connect":
            return nn.Identity()
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        case _:
            return ReluConvBn(channels, channels, kernel=1 if name == "nor_conv_1x1" else 3, layers=layers)


@functools.cache
def _live_inputs(genes: tuple[int, ...]) -> _Inputs:
    live = live_edges(genes)
    return _by_target([edge for edge, ends in enumerate(EDGES) if ends in live])


@functools.cache
def _present_inputs(genes: tuple[int, ...]) -> _Inputs:
    return _by_target([edge for edge, gene in enumerate(genes) if OPS[gene] != "none"])


def _by_target(edges: Sequence[int]) -> _Inputs:
    return tuple(
        tuple((EDGES[edge][0], edge) for edge in edges if EDGES[edge][1] == target) for target in range(1, NODES)
    )


def _edge_name(edge: int) -> str:
    source, target = EDGES[edge]
    return f"{source}->{target}"
