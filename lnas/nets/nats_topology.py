"""The networks of NATS-Bench's topology space: stem, three stages of cells, residual blocks between, head."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lnas.nets.choice import OperationChoice, Pick
from lnas.nets.layers import PLAIN, Layers, ReluConvBn
from lnas.nets.names import DeadEdges, ImageSize
from lnas.nets.region_net import RegionNet
from lnas.nets.stems import convolutional_stem
from lnas.spaces.nats_topology import CONVOLUTIONS, EDGES, NODES, OPS, live_edges
from lnas.types import Region

_Inputs = tuple[tuple[tuple[int, int], ...], ...]


class NatsTopologyCell(nn.Module):
    """A cell at constant width and resolution; each node sums its edges."""

    def __init__(
        self, choices: Sequence[Sequence[int]], channels: int, layers: Layers, zero_images: int | None
    ) -> None:
        super().__init__()
        self._zero_images = zero_images
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
                term = self._edge(edge, nodes[source], x, picks[edge])
                total = term if total is None else total + term
            nodes.append(total)
        return torch.zeros_like(x) if nodes[-1] is None else nodes[-1]

    def _edge(self, edge: int, value: Tensor | None, x: Tensor, pick: Pick) -> Tensor:
        operation = self.edges[_edge_name(edge)]
        if value is not None:
            return operation(value, pick)
        # Zeros give the same for every image, and every pixel.
        of_zeros = operation(torch.zeros_like(x[: self._zero_images]), pick)
        return of_zeros if self._zero_images is None else of_zeros[:1, :, :1, :1].expand_as(x)


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
        dead_edges: Edges that lie on no path from input to output have modules, so that parameters are counted as the
            benchmark counts them. "benchmark" computes those that could still change the logits: a convolution of the
            zeros of a node without input gives what its batch norm shifts them by, in 2,140 of the 15,625 cells.
            "skipped" computes none of them, as aw_nas does in its supernets, which is the same where batch norms do not
            shift. "computed" computes all, for measures that look at every convolution.

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
        dead_edges: DeadEdges = "benchmark",
    ) -> None:
        super().__init__(
            region,
            num_classes=num_classes,
            channels=channels,
            cells=cells,
            layers=layers,
            image_size=image_size,
            dead_edges=dead_edges,
        )
        self._inputs = _INPUTS[dead_edges]
        # Two of them, since batch norms in train mode refuse a single pixel of a single image.
        zero_images = None if dead_edges == "computed" else 2
        self.stem = convolutional_stem(channels, image_size)
        blocks: list[nn.Module] = []
        self.stages = {"stem": "stem"}
        for stage in range(3):
            width = channels * 2**stage
            if stage:
                blocks.append(ResidualBlock(width // 2, width))
            blocks += [NatsTopologyCell(region.choices, width, layers, zero_images) for _ in range(cells)]
            self.stages[f"stage{stage + 1}"] = f"blocks.{len(blocks) - 1}"
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Sequential(nn.BatchNorm2d(width), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.stages["head"] = "head"
        self.classifier = nn.Linear(width, num_classes)

    def logits(self, images: Tensor, picks: Sequence[Pick]) -> Tensor:
        inputs = self._inputs(self._representative_genes(picks))
        x = self.stem(images)
        for block in self.blocks:
            x = block(x, picks, inputs) if isinstance(block, NatsTopologyCell) else block(x)
        return self.classifier(self.head(x))

    def _representative_genes(self, picks: Sequence[Pick]) -> tuple[int, ...]:
        """Return genes that are `none` only where nothing else is mixed in, and a convolution where one is."""
        pairs = zip(picks, self.region.choices, strict=True)
        return tuple(pick if isinstance(pick, int) else max(allowed, key=_effect) for pick, allowed in pairs)


def _effect(gene: int) -> int:
    """Return 0 for `none`, 2 for convolutions, whose batch norms can make something of zeros, 1 for the others."""
    return 0 if OPS[gene] == "none" else 1 + (gene in CONVOLUTIONS)


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
def _on_a_path(genes: tuple[int, ...]) -> _Inputs:
    live = live_edges(genes)
    return _by_target([edge for edge, ends in enumerate(EDGES) if ends in live])


@functools.cache
def _with_an_effect(genes: tuple[int, ...]) -> _Inputs:
    """Keep what reaches the output, unless it is nothing but zeros."""
    used, fed = {NODES - 1}, {0}
    for (source, target), gene in reversed(list(zip(EDGES, genes, strict=True))):
        if target in used and _effect(gene):
            used.add(source)
    kept = []
    for edge, ((source, target), gene) in enumerate(zip(EDGES, genes, strict=True)):
        if target in used and _effect(gene) > (source not in fed):
            fed.add(target)
            kept.append(edge)
    return _by_target(kept)


@functools.cache
def _present(genes: tuple[int, ...]) -> _Inputs:
    return _by_target([edge for edge, gene in enumerate(genes) if OPS[gene] != "none"])


def _by_target(edges: Sequence[int]) -> _Inputs:
    return tuple(
        tuple((EDGES[edge][0], edge) for edge in edges if EDGES[edge][1] == target) for target in range(1, NODES)
    )


def _edge_name(edge: int) -> str:
    source, target = EDGES[edge]
    return f"{source}->{target}"


_INPUTS = {"benchmark": _with_an_effect, "skipped": _on_a_path, "computed": _present}
