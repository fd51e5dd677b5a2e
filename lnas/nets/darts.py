"""The networks of the DARTS space: stem, cells of which two reduce, pooling, linear."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from lnas.errors import UsageError, complaint
from lnas.nets.choice import OperationChoice, Pick
from lnas.nets.darts_operations import FactorizedReduce, drop_path, make_operation
from lnas.nets.layers import PLAIN, Layers, ReluConvBn
from lnas.nets.names import Head, ImageSize, PoolNorm
from lnas.nets.region_net import RegionNet
from lnas.nets.stems import convolutional_stem
from lnas.spaces.darts.cells import INPUTS, edges_into
from lnas.spaces.darts.notation import CELLS, EDGES, NODES, OPS, split_cells
from lnas.types import Arch, Region

_STEM_MULTIPLIER = 3
# Of the stem for 224 pixels: two convolutions with their batch norms, and a ReLU between.
_LAYERS_TO_QUARTER = 5
_NONE, _SKIP = OPS.index("none"), OPS.index("skip_connect")
_INTO = edges_into(NODES)


class DartsCell(nn.Module):
    """A cell of two inputs, whose four intermediate nodes sum their edges and are concatenated.

    Args:
        choices: The operations that each of the 14 edges has.
        inputs: Width of the output of the cell before the last, and of the last one.
        channels: Width of a node; the output has four times as many.
        reduction: Whether the edges that leave the inputs have stride 2.
        halves_first: Whether the first input has twice the resolution of the second and is halved.
        layers: How its layers are made.
        pool_norm: Whether batch norms follow the poolings.
    """

    def __init__(
        self,
        choices: Sequence[Sequence[int]],
        inputs: Sequence[int],
        channels: int,
        reduction: bool,
        halves_first: bool,
        layers: Layers,
        pool_norm: PoolNorm,
    ) -> None:
        super().__init__()
        self._reduction = reduction
        if halves_first:
            self.preprocess0: nn.Module = FactorizedReduce(inputs[0], channels, layers)
        else:
            self.preprocess0 = ReluConvBn(inputs[0], channels, 1, layers=layers)
        self.preprocess1 = ReluConvBn(inputs[1], channels, 1, layers=layers)
        make = functools.partial(make_operation, channels=channels, layers=layers, pool_norm=pool_norm)
        self.edges = nn.ModuleDict(
            {
                _edge_name(edge): OperationChoice(allowed, OPS, functools.partial(make, stride=self._stride(edge)))
                for edge, allowed in enumerate(choices)
            }
        )

    def forward(self, s0: Tensor, s1: Tensor, picks: Sequence[Pick], drop_probability: float = 0.0) -> Tensor:
        """Map the outputs of the last two cells to this one's.

        Args:
            s0: Output of the cell before the last, (B, C0, H, W), or (B, C0, 2H, 2W) after a reduction.
            s1: Output of the last cell, (B, C1, H, W).
            picks: One per edge; edges on which `none` is picked are not computed.
            drop_probability: With which the output of an edge is dropped, unless it is the identity.
        """
        states = [self.preprocess0(s0), self.preprocess1(s1)]
        for into in _INTO:
            terms = [
                self._edge(edge, states[EDGES[edge][0]], picks[edge], drop_probability)
                for edge in into
                if not _is(picks[edge], _NONE)
            ]
            if not terms:
                call = "DartsNet(images, arch)"
                raise UsageError(complaint(call, "an edge into each node", picks, "Let the space validate it."))
            states.append(sum(terms[1:], terms[0]))
        return torch.cat(states[INPUTS:], dim=1)

    def _edge(self, edge: int, x: Tensor, pick: Pick, drop_probability: float) -> Tensor:
        x = self.edges[_edge_name(edge)](x, pick)
        is_identity = _is(pick, _SKIP) and self._stride(edge) == 1
        return drop_path(x, drop_probability) if drop_probability and not is_identity else x

    def _stride(self, edge: int) -> int:
        return 2 if self._reduction and EDGES[edge][0] < INPUTS else 1


class AuxiliaryHead(nn.Sequential):
    """A second classifier on the features at two thirds of the depth, (B, C, 8, 8), or (B, C, 7, 7) for ImageNet.

    Its second convolution has a batch norm for CIFAR and none for ImageNet, as in the release.
    """

    def __init__(self, channels: int, num_classes: int, image_size: ImageSize) -> None:
        large = image_size == 224
        super().__init__(
            nn.ReLU(),
            nn.AvgPool2d(5, stride=2 if large else 3, count_include_pad=False),
            nn.Conv2d(channels, 128, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 768, 2, bias=False),
            *([] if large else [nn.BatchNorm2d(768)]),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(768, num_classes),
        )


class DartsNet(RegionNet):
    """Stem, `cells` cells of which those at a third and two thirds reduce and double the width, pooling, linear.

    A path computes the two edges of each node that are present; a mixture computes all edges. The stem has 3C channels
    for images of 32 pixels, at full resolution, and of 64, with stride 2 (ours; DARTS has none for that size). For 224
    it has C at an eighth of the resolution, and the first cell's first input is taken at a quarter.

    Args:
        region: Which operations each edge has, as in `DartsSpace`.
        num_classes: Outputs of the classifier.
        channels: C, the width of a node in the first cell. Retraining takes 36 for CIFAR and 48 for ImageNet, the
            search 16.
        cells: Cells in all; 20 for CIFAR, 14 for ImageNet, 8 in the search.
        layers: How the cells' layers are made. Stem and classifiers are always plain.
        image_size: Decides the stem and the auxiliary classifier.
        auxiliary: Whether there is an auxiliary classifier, for `logits_with_auxiliary`.
        drop_path: Probability with which the output of an edge is dropped in train mode, for each image; see
            `set_drop_path`.
        pool_norm: "batch" follows each pooling with a batch norm without scale and shift, as DARTS does in its supernet
            only.
        head: "norm_relu_pool" puts a batch norm and a ReLU before the pooling, as the nets of TE-NAS have. Without, the
            features of what ends in batch norms sum to the same over every batch, and their tangent kernel is singular.

    Raises:
        UsageError: If a node is left without an edge, or `drop_path` is not in [0, 1).

    Source: quark0/darts, `cnn/model.py`, `cnn/model_search.py`. Input is (B, 3, H, W), H and W divisible by 4 after
    the stem, output (B, num_classes). The auxiliary classifier needs images of the nominal size.
    """

    def __init__(
        self,
        region: Region,
        num_classes: int = 10,
        channels: int = 36,
        cells: int = 20,
        layers: Layers = PLAIN,
        image_size: ImageSize = 32,
        auxiliary: bool = False,
        drop_path: float = 0.0,
        pool_norm: PoolNorm = "none",
        head: Head = "pool",
    ) -> None:
        super().__init__(
            region,
            num_classes=num_classes,
            channels=channels,
            cells=cells,
            layers=layers,
            image_size=image_size,
            auxiliary=auxiliary,
            drop_path=drop_path,
            pool_norm=pool_norm,
            head=head,
        )
        if image_size == 224 and channels < 2:
            call = f"DartsNet(channels={channels}, image_size=224)"
            raise UsageError(complaint(call, "channels >= 2, which the first cell halves", channels, "Take 48."))
        _require_inputs(region)
        self.set_drop_path(drop_path)
        self.stem = nn.ModuleList(_stem_parts(channels, image_size))
        self.stages = {"stem": f"stem.{len(self.stem) - 1}"}
        self.cells = nn.ModuleList()
        self._reductions = (cells // 3, 2 * cells // 3)
        normal, reduce = split_cells(region.choices)
        widths = [channels if image_size == 224 else _STEM_MULTIPLIER * channels] * 2
        for index in range(cells):
            # As a set, for the two reductions of a single cell are one.
            stage = sum(index >= place for place in set(self._reductions))
            reduction = index in self._reductions
            halves_first = index - 1 in self._reductions if index else image_size == 224
            width = channels * 2**stage
            choices = reduce if reduction else normal
            self.cells.append(DartsCell(choices, widths[-2:], width, reduction, halves_first, layers, pool_norm))
            self.stages[f"stage{stage + 1}"] = f"cells.{index}"
            widths.append(NODES * width)
        late_width = widths[INPUTS + self._reductions[-1]]
        self.auxiliary = AuxiliaryHead(late_width, num_classes, image_size) if auxiliary else None
        before = [nn.BatchNorm2d(widths[-1]), nn.ReLU()] if head == "norm_relu_pool" else []
        self.head = nn.Sequential(*before, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.stages["head"] = "head"
        self.classifier = nn.Linear(widths[-1], num_classes)

    def logits(self, images: Tensor, picks: Sequence[Pick]) -> Tensor:
        features, _ = self._features(images, picks)
        return self.classifier(self.head(features))

    def logits_with_auxiliary(
        self, images: Tensor, arch: Arch | None = None, *, weights: Sequence[Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the logits and those of the auxiliary classifier, for a loss of both; arguments as in `forward`.

        Raises:
            UsageError: If the network was built without.
        """
        if self.auxiliary is None:
            call = "DartsNet.logits_with_auxiliary(images)"
            raise UsageError(complaint(call, "a network with auxiliary=True", False, "Build it so."))
        features, late = self._features(images, self.picks(arch, weights))
        return self.classifier(self.head(features)), self.auxiliary(late)

    def set_drop_path(self, probability: float) -> None:
        """Set the probability of `drop_path` anew; DARTS raises it linearly with the epochs, from 0 to 0.2."""
        if not 0 <= probability < 1:
            call = f"DartsNet.set_drop_path({probability})"
            raise UsageError(complaint(call, "0 <= probability < 1", probability, "DARTS ends with 0.2."))
        self._drop_probability = probability
        self._arguments["drop_path"] = probability

    def _features(self, images: Tensor, picks: Sequence[Pick]) -> tuple[Tensor, Tensor]:
        """Return the last cell's output and that of the second reduction cell."""
        parts = list(itertools.accumulate(self.stem, lambda x, part: part(x), initial=images))
        s0, s1 = parts[1], parts[-1]
        normal, reduce = split_cells(tuple(picks))
        drop_probability = self._drop_probability if self.training else 0.0
        for index, cell in enumerate(self.cells):
            cell_picks = reduce if index in self._reductions else normal
            s0, s1 = s1, cell(s0, s1, cell_picks, drop_probability)
            if index == self._reductions[-1]:
                late = s1
        return s1, late


def _stem_parts(channels: int, image_size: ImageSize) -> list[nn.Sequential]:
    """Make the stem in one part, whose output is both inputs of the first cell, or for 224 pixels in two parts."""
    if image_size != 224:
        return [convolutional_stem(_STEM_MULTIPLIER * channels, image_size)]
    stem = convolutional_stem(channels, image_size)
    return [stem[:_LAYERS_TO_QUARTER], stem[_LAYERS_TO_QUARTER:]]


def _require_inputs(region: Region) -> None:
    for cell, choices in zip(CELLS, split_cells(region.choices), strict=True):
        for target, edges in enumerate(_INTO, start=INPUTS):
            if all(choices[edge] == (_NONE,) for edge in edges):
                call = f"DartsNet({str(region)!r})"
                expected = f"an edge into node {target} of the {cell} cell"
                raise UsageError(complaint(call, expected, region.choices, "Allow something but 0 on one of them."))


def _is(pick: Pick, choice: int) -> bool:
    return isinstance(pick, int) and pick == choice


def _edge_name(edge: int) -> str:
    source, target = EDGES[edge]
    return f"{source}->{target}"
