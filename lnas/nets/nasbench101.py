"""The networks of NAS-Bench-101: stem, three stacks of cells, max pooling between, head."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from lnas.errors import UsageError, complaint
from lnas.nets.choice import OperationChoice, Pick
from lnas.nets.layers import PLAIN, Layers
from lnas.nets.module_channels import KERNELS, STACKS, split_channels, vertex_channels
from lnas.nets.names import ImageSize
from lnas.nets.region_net import RegionNet
from lnas.nets.sliced import SlicedLayers
from lnas.nets.stems import convolutional_stem
from lnas.nets.widths import Width, largest, masked
from lnas.spaces.nasbench101.graph import OPS, VERTICES, Module, clear_dead
from lnas.types import Region

# The benchmark's 0.997 is the part that running statistics keep, PyTorch's the part that they take up.
_BENCHMARK_MOMENTUM = 0.003
INPUT = 0
# Graphs whose wiring is not computed anew at every forward pass.
_REMEMBERED = 4096

Weight = float | Tensor
"""How much something counts: 1, or what a mixture gives it."""


class Vertex(NamedTuple):
    """How an inner vertex is computed.

    Attributes:
        width: Channels in and out. Of several at once, all are computed, and read as much as they weigh.
        sources: What is summed, each with its weight; vertex 0 is the cell's input, projected.
        operation: What is applied to the sum.
    """

    width: Width
    sources: Mapping[int, Weight]
    operation: Pick


class Output(NamedTuple):
    """How a cell's output is put together.

    Attributes:
        shares: The inner vertices that are concatenated, and how many leading channels of each.
        from_input: Whether the projected input is added.
        weight: Of the whole.
    """

    shares: Mapping[int, int]
    from_input: bool
    weight: Weight = 1.0


class Wiring(NamedTuple):
    """How a cell is computed: its inner vertices in order, and the outputs that are summed, one in a path."""

    vertices: Mapping[int, Vertex]
    outputs: Sequence[Output]


class ConvBnRelu(nn.Module):
    """Convolution, batch norm, ReLU: the benchmark's only convolutional block."""

    def __init__(self, c_in: int, c_out: int, kernel: int, layers: SlicedLayers) -> None:
        super().__init__()
        self.conv = layers.conv(c_in, c_out, kernel)
        self.norm = layers.norm(c_out)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor, width: int | None = None) -> Tensor:
        """Map (B, C, H, W) to (B, width, H, W), by default as wide as the input."""
        return self.relu(self.norm(self.conv(x, width=x.shape[1] if width is None else width)))


class NasBench101Cell(nn.Module):
    """A cell, which the benchmark calls a module: operations on the vertices, which sum what feeds them.

    Args:
        graph: Every edge that the cell may have.
        choices: The operations that each inner vertex may have.
        c_in: Width of the input.
        widths: The largest width of each vertex, in ascending order, so that the output's is last.
        layers: How layers are made.
    """

    def __init__(
        self,
        graph: Module,
        choices: Sequence[Sequence[int]],
        c_in: int,
        widths: Mapping[int, int],
        layers: SlicedLayers,
    ) -> None:
        super().__init__()
        *inner, output = widths
        self.channels = widths[output]
        self.vertices = nn.ModuleDict()
        for vertex in inner:
            make = functools.partial(_operation, channels=widths[vertex], layers=layers)
            self.vertices[str(vertex)] = OperationChoice(choices[vertex - 1], OPS, make)
        self.projections = nn.ModuleDict()
        for target in (target for source, target in graph.present if source == INPUT):
            name = "output" if target == output else str(target)
            self.projections[name] = ConvBnRelu(c_in, widths[target], 1, layers)

    def forward(self, x: Tensor, wiring: Wiring) -> Tensor:
        """Map (B, C, H, W) to (B, C', H, W)."""
        values: dict[int, Tensor] = {}
        for vertex, (width, sources, operation) in wiring.vertices.items():
            name, size = str(vertex), largest(width)
            terms = (
                _weighted(self.projections[name](x, size) if source == INPUT else values[source][:, :size], weight)
                for source, weight in sources.items()
            )
            values[vertex] = self.vertices[name](masked(_total(terms), width), operation)
        return self._output(x, values, wiring.outputs)

    def _output(self, x: Tensor, values: Mapping[int, Tensor], outputs: Sequence[Output]) -> Tensor:
        projects = any(output.from_input for output in outputs)
        projected = [self.projections["output"](x, self.channels)] if projects else []
        totals = []
        for shares, from_input, weight in outputs:
            parts = [values[vertex][:, :width] for vertex, width in shares.items()]
            joined = [torch.cat(parts, dim=1)] if parts else []
            totals.append(_weighted(_total([*joined, *projected] if from_input else joined), weight))
        return _total(totals)


class Stack(nn.Sequential):
    """Cells one after another, all wired alike."""

    def forward(self, x: Tensor, wiring: Wiring) -> Tensor:  # type: ignore[override]
        """Map (B, C, H, W) to (B, C', H, W)."""
        for cell in self:
            x = cell(x, wiring)
        return x


class NasBench101Net(RegionNet):
    """Stem at C, `cells` cells at C, max pooling, cells at 2C, max pooling, cells at 4C, pooling, linear.

    The inner vertices that feed a cell's output share its channels, so the widths of a path depend on its graph. Where
    the region decides all edges, every vertex has the width that they give. Elsewhere all inner vertices are as wide as
    one that need not share, and a path uses the leading channels. There are modules for what lies on some path of the
    region, under the vertices' numbers in the space; in a stand-alone net these are the live vertices.

    Args:
        region: Which edges and operations there are, as in `NasBench101Space`.
        num_classes: Outputs of the classifier.
        channels: C; the benchmark's is 128.
        cells: Cells per stack; the benchmark's is 3.
        layers: How the cells' layers are made. Stem and head are always plain.
        image_size: Decides the stem; the benchmark's is for 32 pixels.

    The benchmark's batch norms take up 0.003 of a batch's statistics: enough for its 17,000 steps, and not for a short
    training, after which a net in eval mode is at chance. Take `bn_momentum=0.1` for those.

    Source: google-research/nasbench, `nasbench/lib/model_builder.py`; a net has exactly the benchmark's parameters.
    Input is (B, 3, H, W), output (B, num_classes).

    Raises:
        UsageError: If the region's edges do not join input and output, or more vertices would share a cell's output
            than it has channels: of a stand-alone net when it is built, of a path when it is called. Also if called
            with weights of edges.
    """

    def __init__(
        self,
        region: Region,
        num_classes: int = 10,
        channels: int = 128,
        cells: int = 3,
        layers: Layers = PLAIN,
        image_size: ImageSize = 32,
    ) -> None:
        super().__init__(
            region, num_classes=num_classes, channels=channels, cells=cells, layers=layers, image_size=image_size
        )
        self._channels = channels
        graph = self._live(self._possible_edges())
        choices = region.choices[-self._inner :]
        sliced = SlicedLayers.like(layers)
        self.stem = convolutional_stem(channels, image_size, relu=True)
        self.pool = nn.MaxPool2d(2, ceil_mode=True)
        self.stacks = nn.ModuleList()
        self.stages = {"stem": "stem"}
        for stack in range(STACKS):
            c_out = channels * 2**stack
            widths = self._largest_channels(graph, c_out)
            inputs = [channels * 2 ** max(stack - 1, 0), *[c_out] * (cells - 1)]
            self.stacks.append(Stack(*(NasBench101Cell(graph, choices, c_in, widths, sliced) for c_in in inputs)))
            self.stages[f"stage{stack + 1}"] = f"stacks.{stack}"
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.stages["head"] = "head"
        self.classifier = nn.Linear(c_out, num_classes)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = _BENCHMARK_MOMENTUM if layers.bn_momentum is None else layers.bn_momentum

    def logits(self, images: Tensor, picks: Sequence[Pick]) -> Tensor:
        x = self.stem(images)
        for number, stack in enumerate(self.stacks):
            x = stack(self.pool(x) if number else x, self._wiring(picks, self._channels * 2**number))
        return self.classifier(self.head(x))

    @property
    def _inner(self) -> int:
        """Number of inner vertices, whose operations are decided last."""
        return VERTICES - 2

    def _possible_edges(self) -> tuple[int, ...]:
        """Return 1 for each edge that the region allows, in the order of `pairs`."""
        return tuple(allowed[-1] for allowed in self.region.choices[: -self._inner])

    def _edges(self, connections: Sequence[int]) -> tuple[int, ...]:
        """Return the edges that all genes but the operations' stand for."""
        return tuple(connections)

    def _fewest_sharing(self) -> int:
        """Return how many inner vertices share the output's channels, at least, where edges are undecided."""
        return 1

    def _mixed(self, connections: Sequence[Pick], operations: Sequence[Pick], channels: int) -> Wiring:
        """Return how a mixture over edges is computed."""
        expected = "an arch, or a region with all edges decided"
        step = "Widths depend on the graph, so edges have no mixture here; NasBench1Shot1Space has mixtures."
        raise UsageError(complaint(f"{type(self).__name__}(images, weights=...)", expected, "weights of edges", step))

    def _wiring(self, picks: Sequence[Pick], channels: int) -> Wiring:
        connections, operations = picks[: -self._inner], picks[-self._inner :]
        genes = [pick for pick in connections if isinstance(pick, int)]
        if len(genes) < len(connections):
            return self._mixed(connections, operations, channels)
        return _path(self._live(self._edges(genes)), operations, channels)

    def _live(self, edges: tuple[int, ...]) -> Module:
        graph = _cleared(edges, self._inner)
        if not graph.present:
            call = f"{type(self).__name__}, edges {edges}"
            raise UsageError(complaint(call, "a path from the input to the output", "none", "Let the space validate."))
        return graph

    def _largest_channels(self, graph: Module, channels: int) -> dict[int, int]:
        """Return the width of each vertex of a region's graph, wide enough for every path."""
        if all(len(allowed) == 1 for allowed in self.region.choices[: -self._inner]):
            return vertex_channels(graph, channels)
        *inner, output = sorted({target for _, target in graph.present})
        return dict.fromkeys(inner, split_channels(channels, self._fewest_sharing())[0]) | {output: channels}


def input_last(sources: Iterable[int]) -> list[int]:
    """Sort vertices in the order in which the benchmark sums them."""
    return sorted(sources, key=lambda source: (source == INPUT, source))


@functools.lru_cache(maxsize=_REMEMBERED)
def _cleared(edges: tuple[int, ...], inner: int) -> Module:
    return clear_dead(Module(edges, (0,) * inner))


@functools.lru_cache(maxsize=_REMEMBERED)
def _shape(graph: Module, channels: int) -> tuple[Mapping[int, int], Mapping[int, Sequence[int]]]:
    """Return the width and the parents of each vertex but the input."""
    widths = vertex_channels(graph, channels)
    return widths, {vertex: input_last(s for s, target in graph.present if target == vertex) for vertex in widths}


def _path(graph: Module, operations: Sequence[Pick], channels: int) -> Wiring:
    widths, parents = _shape(graph, channels)
    *inner, output = widths
    vertices = {
        vertex: Vertex(widths[vertex], dict.fromkeys(parents[vertex], 1.0), operations[vertex - 1]) for vertex in inner
    }
    shares = {vertex: widths[vertex] for vertex in parents[output] if vertex != INPUT}
    return Wiring(vertices, [Output(shares, INPUT in parents[output])])


def _operation(name: str, channels: int, layers: SlicedLayers) -> nn.Module:
    if name in KERNELS:
        return ConvBnRelu(channels, channels, KERNELS[name], layers)
    return nn.MaxPool2d(3, stride=1, padding=1)


def _weighted(x: Tensor, weight: Weight) -> Tensor:
    return weight * x if isinstance(weight, Tensor) else x


def _total(terms: Iterable[Tensor]) -> Tensor:
    return functools.reduce(operator.add, terms)
