"""The networks of NATS-Bench's topology space: stem, three stages of cells, residual blocks between, head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from lnas.spaces.nats_topology import EDGES, NODES, OPS, live_edges


class ReluConvBn(nn.Sequential):
    """ReLU, convolution without bias, batch norm: the benchmark's only convolutional block."""

    def __init__(self, c_in: int, c_out: int, kernel: int, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(c_in, c_out, kernel, stride, padding=kernel // 2, bias=False),
            nn.BatchNorm2d(c_out),
        )


class NatsTopologyCell(nn.Module):
    """A cell at constant width and resolution; each node sums its live edges.

    Convolutions of dead edges exist, so that parameters are counted as the benchmark does, and are never computed.
    """

    def __init__(self, genes: tuple[int, ...], channels: int) -> None:
        super().__init__()
        live = live_edges(genes)
        self.edges = nn.ModuleDict()
        self._inputs: list[list[tuple[int, str]]] = [[] for _ in range(NODES)]
        for (source, target), gene in zip(EDGES, genes, strict=True):
            if OPS[gene] == "none":
                continue
            name = f"{source}->{target}"
            self.edges[name] = _edge(OPS[gene], channels)
            if (source, target) in live:
                self._inputs[target].append((source, name))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, H, W) to the same shape; zeros where the cell has no path from input to output."""
        nodes: list[Tensor | None] = [x]
        for inputs in self._inputs[1:]:
            total = None
            for source, name in inputs:
                term = self.edges[name](nodes[source])
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


class NatsTopologyNet(nn.Module):
    """Stem, `cells` cells at C, residual block, cells at 2C, residual block, cells at 4C, BN-ReLU, pooling, linear.

    Args:
        genes: The cell, as in `NatsTopologySpace`.
        num_classes: Outputs of the classifier.
        channels: C; the benchmark's is 16.
        cells: Cells per stage; the benchmark's is 5.

    Attributes:
        classifier: The last linear layer.

    Source: NAS-Bench-201, `xautodl/models/cell_infers/tiny_network.py`. Input is (B, 3, H, W) with H, W >= 4, output
    (B, num_classes).
    """

    def __init__(self, genes: tuple[int, ...], num_classes: int = 10, channels: int = 16, cells: int = 5) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        blocks: list[nn.Module] = []
        for stage in range(3):
            width = channels * 2**stage
            if stage:
                blocks.append(ResidualBlock(width // 2, width))
            blocks += [NatsTopologyCell(genes, width) for _ in range(cells)]
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(width, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (B, 3, H, W) to logits (B, num_classes)."""
        return self.classifier(self.head(self.blocks(self.stem(x))))


def _edge(op: str, channels: int) -> nn.Module:
    if op == "skip_connect":
        return nn.Identity()
    if op == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    return ReluConvBn(channels, channels, kernel=1 if op == "nor_conv_1x1" else 3)
