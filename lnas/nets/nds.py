"""The networks of two NDS spaces: stem, three stages of residual blocks, global average pooling, linear."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from lnas.nets.choice import Pick
from lnas.nets.layers import PLAIN, Layers
from lnas.nets.names import ImageSize
from lnas.nets.region_net import RegionNet
from lnas.nets.sliced import SlicedConvBn, SlicedLayers, SlicedLinear, SlicedShortcut
from lnas.nets.stems import convolutional_stem
from lnas.nets.widths import Weighted, Width, as_weighted, as_width, joint, largest, masked, resized, scaled, weighted
from lnas.spaces.nds import (
    RESNET_DEPTHS,
    RESNET_WIDTHS,
    RESNEXT_DEPTHS,
    RESNEXT_GROUPS,
    RESNEXT_RATIOS,
    RESNEXT_WIDTHS,
    STAGES,
    STRIDES,
)
from lnas.types import Region

_STEM_WIDTH = 16


@dataclass(frozen=True, eq=False)
class StagePicks:
    """What is picked for a stage: blocks, width and, for bottlenecks, width inside and groups of the convolutions."""

    depth: Weighted[int]
    width: Width
    inner: Width = 0
    groups: Weighted[int] = ((1, 1.0),)


class BasicTransform(nn.Module):
    """3x3 convolution, BN, ReLU, 3x3 convolution, BN; the first has the stride."""

    def __init__(self, c_in: int, width: int, stride: int, layers: SlicedLayers) -> None:
        super().__init__()
        self.a = SlicedConvBn(c_in, width, 3, stride, layers)
        self.relu = nn.ReLU()
        self.b = SlicedConvBn(width, width, 3, 1, layers)

    def forward(self, x: Tensor, picks: StagePicks) -> Tensor:
        """Map (B, C, H, W) to (B, width, H', W')."""
        return self.b(self.relu(self.a(x, picks.width)), picks.width)


class GroupedConvBn(nn.Module):
    """3x3 convolution and BN, of as many channels and groups as each call asks for."""

    def __init__(self, channels: int, stride: int, fewest_groups: int, layers: SlicedLayers) -> None:
        super().__init__()
        self.conv = layers.conv(channels, channels, 3, stride, groups=fewest_groups)
        self.norm = layers.norm(channels)

    def forward(self, x: Tensor, width: Width, groups: Weighted[int]) -> Tensor:
        """Map (B, width, H, W) to (B, width, H', W')."""
        return masked(self.norm(self._convolved(x, width, groups)), width)

    def _convolved(self, x: Tensor, width: Width, groups: Weighted[int]) -> Tensor:
        """Convolve in each number of groups that is mixed; where groups begin, and so a path, depends on the width."""
        if isinstance(width, int) and len(groups) == 1:
            return self.conv(x, width=width, groups=groups[0][0])
        size = largest(width)
        convolved = [
            weight * resized(self.conv(x[:, :part], width=part, groups=number), size)
            for (part, number), weight in joint(lambda *path: path, as_weighted(width), groups)
        ]
        return sum(convolved[1:], convolved[0])


class BottleneckTransform(nn.Module):
    """1x1 convolution to the inner width, grouped 3x3 convolution with the stride, 1x1 convolution; BN after each."""

    def __init__(self, c_in: int, width: int, inner: int, groups: int, stride: int, layers: SlicedLayers) -> None:
        super().__init__()
        self.a = SlicedConvBn(c_in, inner, 1, 1, layers)
        self.a_relu = nn.ReLU()
        self.b = GroupedConvBn(inner, stride, groups, layers)
        self.b_relu = nn.ReLU()
        self.c = SlicedConvBn(inner, width, 1, 1, layers)

    def forward(self, x: Tensor, picks: StagePicks) -> Tensor:
        """Map (B, C, H, W) to (B, width, H', W')."""
        x = self.a_relu(self.a(x, picks.inner))
        x = self.b_relu(self.b(x, picks.inner, picks.groups))
        return self.c(x, picks.width)


class NdsBlock(nn.Module):
    """A transformation and its shortcut; ReLU after their sum."""

    def __init__(self, transform: nn.Module, shortcut: SlicedShortcut) -> None:
        super().__init__()
        self.transform = transform
        self.shortcut = shortcut
        self.relu = nn.ReLU()

    def forward(self, x: Tensor, c_in: Width, picks: StagePicks) -> Tensor:
        """Map (B, c_in, H, W) to (B, width, H', W')."""
        return self.relu(self.shortcut(x, c_in, picks.width) + self.transform(x, picks))


class NdsStage(nn.ModuleList):
    """Blocks of one width, of which the first ones are used; a mixture of depths is one of what follows each."""

    def forward(self, x: Tensor, c_in: Width, picks: StagePicks) -> Tensor:
        """Map (B, c_in, H, W) to (B, width, H', W')."""
        weights = dict(picks.depth)
        mixed: list[Tensor] = []
        for depth, block in enumerate(itertools.islice(self, max(weights)), start=1):
            x = block(x, c_in, picks)
            c_in = picks.width
            if len(weights) > 1 and depth in weights:
                mixed.append(weights[depth] * x)
        return sum(mixed[1:], mixed[0]) if mixed else x


class NdsNet(RegionNet):
    """Stem, three stages at strides 1, 2, 2, global average pooling, linear.

    Paths through a supernet use the first blocks of each stage, and of their layers the leading channels. In a mixture,
    widths are masks as in FBNetV2, applied after each batch norm of a transformation or projection, depths weigh what
    comes out after so many blocks, and a grouped convolution is the weighted sum of those of the paths.

    Args:
        region: Which choices each decision has.
        num_classes: Outputs of the classifier.
        channels: Width of the stem, with which all others scale; the benchmark's is 16. Widths inside bottlenecks stay
            multiples of the largest number of groups.
        layers: How the blocks' layers are made. Stem and classifier are always plain.
        image_size: Decides the stem: the benchmark's on CIFAR-10, a 3x3 convolution with BN and ReLU, or for larger
            images that of `convolutional_stem`. The ImageNet nets of NDS have another one.

    Source: `pycls/models/anynet.py` with the stem `res_stem_cifar`. Input is (B, 3, H, W), output (B, num_classes).

    Weights are drawn as PyTorch does; `init="pycls"` draws them as the released code does.
    """

    fields: tuple[tuple[Any, ...], ...]
    """What the genes of each field stand for."""

    def __init__(
        self,
        region: Region,
        num_classes: int = 10,
        channels: int = _STEM_WIDTH,
        layers: Layers = PLAIN,
        image_size: ImageSize = 32,
    ) -> None:
        super().__init__(region, num_classes=num_classes, channels=channels, layers=layers, image_size=image_size)
        self._channels = channels
        self.stem = convolutional_stem(channels, image_size, relu=True)
        self.trunk = nn.ModuleList()
        self.stages = {"stem": "stem"}
        sliced, c_in = SlicedLayers.like(layers), channels
        widths = {self._scaled(self.fields[1][gene]) for gene in region.choices[STAGES]}
        for stage, picks in enumerate(self._stage_picks(self._largest_genes())):
            projects = stage > 0 or widths != {channels}
            self.trunk.append(NdsStage(self._blocks(c_in, picks, STRIDES[stage], projects, sliced)))
            self.stages[f"stage{stage + 1}"] = f"trunk.{stage}"
            c_in = largest(picks.width)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.stages["head"] = "head"
        self.classifier = SlicedLinear(c_in, num_classes)

    def logits(self, images: Tensor, picks: Sequence[Pick]) -> Tensor:
        x = self.stem(images)
        c_in: Width = self._channels
        for stage, stage_picks in zip(self.trunk, self._stage_picks(picks), strict=True):
            x = stage(x, c_in, stage_picks)
            c_in = stage_picks.width
        return self.classifier(self.head(x))

    @abstractmethod
    def _transform(self, c_in: int, picks: StagePicks, stride: int, layers: SlicedLayers) -> nn.Module:
        """Build what a block adds to its shortcut."""

    @abstractmethod
    def _stage_picks(self, picks: Sequence[Pick]) -> Iterator[StagePicks]:
        """Translate the picks, stage by stage."""

    def _largest_genes(self) -> tuple[int, ...]:
        """Return the genes of which all others use a part."""
        return tuple(allowed[-1] for allowed in self.region.choices)

    def _by_stage(self, picks: Sequence[Pick]) -> Iterator[tuple[Weighted, ...]]:
        """Yield what each stage's picks stand for, one per field."""
        for stage in range(STAGES):
            yield tuple(
                weighted(picks[k], self.region.choices[k], self.fields[k // STAGES])
                for k in range(stage, len(picks), STAGES)
            )

    def _width(self, options: Weighted[int]) -> Width:
        return as_width(joint(self._scaled, options))

    def _scaled(self, width: int) -> int:
        return scaled(width, self._channels, of=_STEM_WIDTH)

    def _blocks(
        self, c_in: int, picks: StagePicks, stride: int, projects: bool, layers: SlicedLayers
    ) -> Iterator[NdsBlock]:
        width = largest(picks.width)
        for _ in range(picks.depth[0][0]):
            shortcut = SlicedShortcut(c_in, width, stride, layers, projects)
            yield NdsBlock(self._transform(c_in, picks, stride, layers), shortcut)
            c_in, stride, projects = width, 1, False


class NdsResNet(NdsNet):
    """The networks of `NdsResNetSpace`, of basic blocks. Arguments and source are those of `NdsNet`."""

    fields = (RESNET_DEPTHS, RESNET_WIDTHS)

    def _transform(self, c_in: int, picks: StagePicks, stride: int, layers: SlicedLayers) -> nn.Module:
        return BasicTransform(c_in, largest(picks.width), stride, layers)

    def _stage_picks(self, picks: Sequence[Pick]) -> Iterator[StagePicks]:
        for depth, widths in self._by_stage(picks):
            yield StagePicks(depth, self._width(widths))


class NdsResNeXtANet(NdsNet):
    """The networks of `NdsResNeXtASpace`, of bottleneck blocks. Arguments and source are those of `NdsNet`."""

    fields = (RESNEXT_DEPTHS, RESNEXT_WIDTHS, RESNEXT_RATIOS, RESNEXT_GROUPS)

    def _transform(self, c_in: int, picks: StagePicks, stride: int, layers: SlicedLayers) -> nn.Module:
        return BottleneckTransform(c_in, largest(picks.width), largest(picks.inner), picks.groups[0][0], stride, layers)

    def _stage_picks(self, picks: Sequence[Pick]) -> Iterator[StagePicks]:
        for depth, widths, ratios, groups in self._by_stage(picks):
            inner = as_width(joint(self._inner, widths, ratios))
            yield StagePicks(depth, self._width(widths), inner, groups)

    def _largest_genes(self) -> tuple[int, ...]:
        """As for any, but fewer groups need more weights."""
        fewest_groups = (allowed[0] for allowed in self.region.choices[-STAGES:])
        return (*super()._largest_genes()[:-STAGES], *fewest_groups)

    def _inner(self, width: int, ratio: float) -> int:
        """Return the width inside a bottleneck: width times ratio at the benchmark's size, and always divisible."""
        unit = max(RESNEXT_GROUPS)
        return unit * scaled(round(width * ratio), self._channels, of=_STEM_WIDTH * unit)
