"""The networks of NATS-Bench's size space: three cells of fixed operations, whose widths are what is decided."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

from torch import Tensor, nn

from lnas.nets.choice import Pick
from lnas.nets.layers import PLAIN, Layers
from lnas.nets.names import ImageSize
from lnas.nets.region_net import RegionNet
from lnas.nets.sliced import SlicedConvBn, SlicedLayers, SlicedLinear, SlicedShortcut
from lnas.nets.widths import Width, as_width, each, largest, masked, scaled, weighted
from lnas.spaces.nats_size import WIDTHS
from lnas.types import Region

_CONVOLUTIONS = ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3))
_SLICED = SlicedLayers()


class SlicedReluConvBn(SlicedConvBn):
    """ReLU, convolution, batch norm."""

    def __init__(self, c_in: int, c_out: int, stride: int, layers: SlicedLayers) -> None:
        super().__init__(c_in, c_out, 3, stride, layers)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor, width: Width) -> Tensor:
        return super().forward(self.relu(x), width)


class NatsSizeCell(nn.Module):
    """The cell |conv3~0| + |conv3~0|conv3~1| + |skip~0|conv3~1|conv3~2|, all of whose nodes have the output's width."""

    def __init__(self, c_in: int, c_out: int, layers: SlicedLayers, projects: bool) -> None:
        super().__init__()
        make = functools.partial(SlicedReluConvBn, c_out=c_out, stride=1, layers=layers)
        self.edges = nn.ModuleDict(
            {f"{source}->{target}": make(c_out if source else c_in) for source, target in _CONVOLUTIONS}
        )
        self.edges["0->3"] = SlicedShortcut(c_in, c_out, 1, layers, projects)

    def forward(self, x: Tensor, c_in: Width, c_out: Width) -> Tensor:
        """Map (B, c_in, H, W) to (B, c_out, H, W)."""
        edges = self.edges
        one = edges["0->1"](x, c_out)
        two = edges["0->2"](x, c_out) + edges["1->2"](one, c_out)
        return edges["0->3"](x, c_in, c_out) + edges["1->3"](one, c_out) + edges["2->3"](two, c_out)


class SlicedResidualBlock(nn.Module):
    """Halves the resolution and changes the width; the shortcut is average pooling and a bare 1x1 convolution."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.conv_a = SlicedReluConvBn(c_in, c_out, 2, _SLICED)
        self.conv_b = SlicedReluConvBn(c_out, c_out, 1, _SLICED)
        self.pool = nn.AvgPool2d(2)
        self.shortcut = SlicedConvBn(c_in, c_out, 1, 1, _SLICED, bare=True)

    def forward(self, x: Tensor, c_in: Width, c_out: Width) -> Tensor:
        """Map (B, c_in, H, W) to (B, c_out, H/2, W/2)."""
        return self.conv_b(self.conv_a(x, c_out), c_out) + self.shortcut(self.pool(x), c_out)


class SlicedStem(nn.Module):
    """The layers of `convolutional_stem`, of the width that each call asks for."""

    def __init__(self, channels: int, image_size: ImageSize) -> None:
        super().__init__()
        self.image_size = image_size
        first, *others = _stem_widths(channels, image_size)
        stride = 1 if image_size == 32 else 2
        self.layers = nn.ModuleList([SlicedConvBn(3, largest(first), 3, stride, _SLICED)])
        for c_in, c_out in itertools.pairwise((first, *others)):
            self.layers.append(SlicedReluConvBn(largest(c_in), largest(c_out), stride, _SLICED))

    def forward(self, images: Tensor, width: Width) -> Tensor:
        """Map (B, 3, H, W) to (B, width, H', W')."""
        x = images
        for layer, part in zip(self.layers, _stem_widths(width, self.image_size), strict=True):
            x = layer(x, part)
        return x


class SlicedHead(nn.Module):
    """Batch norm, ReLU, global average pooling."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = _SLICED.norm(channels)
        self.relu = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)

    def forward(self, x: Tensor, width: Width) -> Tensor:
        """Map (B, width, H, W) to (B, width)."""
        return self.pool(self.relu(masked(self.norm(x), width))).flatten(1)


class NatsSizeNet(RegionNet):
    """Stem, cell, residual block, cell, residual block, cell, BN-ReLU, pooling, linear: the widths are decided.

    Paths through a supernet use the leading channels of the largest layers. In a mixture, every layer's output is
    masked as in FBNetV2, after its batch norm.

    Args:
        region: Which widths each layer has, as in `NatsSizeSpace`.
        num_classes: Outputs of the classifier.
        channels: What the largest of the space's widths becomes; the others scale with it. The benchmark's is 64.
        layers: How the cells' layers are made. Stem, residual blocks and head are always plain.
        image_size: Decides the stem; the benchmark's is for 32 pixels (its ImageNet16-120 has 16).

    Source: NATS-Bench, `xautodl/models/shape_infers/InferTinyCellNet.py`. Input is (B, 3, H, W) with H, W >= 4, output
    (B, num_classes).
    """

    def __init__(
        self,
        region: Region,
        num_classes: int = 10,
        channels: int = WIDTHS[-1],
        layers: Layers = PLAIN,
        image_size: ImageSize = 32,
    ) -> None:
        super().__init__(region, num_classes=num_classes, channels=channels, layers=layers, image_size=image_size)
        self._widths = tuple(scaled(width, channels, WIDTHS[-1]) for width in WIDTHS)
        sizes = [{self._widths[gene] for gene in allowed} for allowed in region.choices]
        first, *others = (max(allowed) for allowed in sizes)
        self.stem = SlicedStem(first, image_size)
        sliced = SlicedLayers.like(layers)
        self.blocks = nn.ModuleList([NatsSizeCell(first, first, sliced, projects=False)])
        for position in (1, 3):
            c_in, c_middle, c_out = (max(allowed) for allowed in sizes[position - 1 : position + 2])
            projects = len(sizes[position] | sizes[position + 1]) > 1
            self.blocks += [SlicedResidualBlock(c_in, c_middle), NatsSizeCell(c_middle, c_out, sliced, projects)]
        self.head = SlicedHead(others[-1])
        self.stages = {"stem": "stem", "stage1": "blocks.0", "stage2": "blocks.2", "stage3": "blocks.4", "head": "head"}
        self.classifier = SlicedLinear(others[-1], num_classes)

    def logits(self, images: Tensor, picks: Sequence[Pick]) -> Tensor:
        widths = [
            as_width(weighted(pick, allowed, self._widths))
            for pick, allowed in zip(picks, self.region.choices, strict=True)
        ]
        x = self.stem(images, widths[0])
        for block, c_in, c_out in zip(self.blocks, (widths[0], *widths), widths, strict=False):
            x = block(x, c_in, c_out)
        return self.classifier(self.head(x, widths[-1]))


def _stem_widths(width: Width, image_size: ImageSize) -> tuple[Width, ...]:
    return (each(_half, width), width, width) if image_size == 224 else (width,)


def _half(width: int) -> int:
    return max(1, width // 2)
