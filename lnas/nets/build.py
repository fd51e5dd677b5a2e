"""From an architecture, a region or a space to a network."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, NamedTuple

import torch

from lnas.errors import UsageError, complaint, unknown_name
from lnas.nets.initialization import initialize
from lnas.nets.layers import Layers
from lnas.nets.names import DeadEdges, ImageSize, Initialization, PoolNorm
from lnas.nets.region_net import RegionNet
from lnas.spaces import SearchSpace
from lnas.types import Arch, Region


class Size(NamedTuple):
    """Width of the first stage, and cells per stage or in all; None where the architecture decides the depth."""

    channels: int
    cells: int | None


class Skeleton(NamedTuple):
    """Where the class of a space's networks is, and their size in the benchmark and in published supernets.

    Attributes:
        channels_last_from: The width from which channels-last was measured to be faster.
        supernet_options: How published supernets differ from the stand-alone nets, other than in size.
    """

    module: str
    net: str
    benchmark: Size
    supernet: Size
    channels_last_from: int = 8
    supernet_options: Mapping[str, Any] = MappingProxyType({})


# The 16 channels of the released 1shot1 supernets are a vertex's; two (in sub-space 2 three) of them make an output.
_SKELETONS = {
    "nats_topology": Skeleton("lnas.nets.nats_topology", "NatsTopologyNet", Size(16, 5), Size(16, 5)),
    "nats_size": Skeleton("lnas.nets.nats_size", "NatsSizeNet", Size(64, None), Size(64, None)),
    "nasbench101": Skeleton("lnas.nets.nasbench101", "NasBench101Net", Size(128, 3), Size(16, 3)),
    "nasbench1shot1_1": Skeleton("lnas.nets.nasbench1shot1", "NasBench1Shot1Net", Size(128, 3), Size(32, 3)),
    "nasbench1shot1_2": Skeleton("lnas.nets.nasbench1shot1", "NasBench1Shot1Net", Size(128, 3), Size(48, 3)),
    "nasbench1shot1_3": Skeleton("lnas.nets.nasbench1shot1", "NasBench1Shot1Net", Size(128, 3), Size(32, 3)),
    "darts": Skeleton("lnas.nets.darts", "DartsNet", Size(36, 20), Size(16, 8), 4, {"pool_norm": "batch"}),
    "nds_resnet": Skeleton("lnas.nets.nds", "NdsResNet", Size(16, None), Size(16, None)),
    "nds_resnext_a": Skeleton("lnas.nets.nds", "NdsResNeXtANet", Size(16, None), Size(16, None)),
}


def build_net(
    arch: Arch,
    num_classes: int = 10,
    channels: int | None = None,
    cells: int | None = None,
    *,
    affine: bool = True,
    track_running_stats: bool = True,
    bias: bool = False,
    init: Initialization = "pytorch",
    image_size: ImageSize = 32,
    dead_edges: DeadEdges = "skipped",
    auxiliary: bool = False,
    drop_path: float = 0.0,
    pool_norm: PoolNorm | None = None,
) -> RegionNet:
    """Build the benchmark's network of an architecture.

    Weights come from the global generator; seed it first. On CPUs they are laid out channels-last from the width on
    where that was measured to be faster (`scripts/benchmark_layout.py`).

    Args:
        arch: The architecture; its `space` decides the skeleton.
        num_classes: Outputs.
        channels: Width of the first stage, with which all others scale; None is the benchmark's own.
        cells: Cells per stage, for DARTS in all; None is the benchmark's own. Not where the architecture decides it.
        affine: Whether the cells' batch norms scale and shift.
        track_running_stats: Whether the cells' batch norms keep running statistics; without them they use the
            batch's own in eval mode too.
        bias: Whether the cells' convolutions have a bias.
        init: Initial weights by name; see `initialize`.
        image_size: Decides the stem: 32 pixels or less, 64 or 224.
        dead_edges: Whether edges that lead nowhere are computed (NATS topology).
        auxiliary: Whether there is a second classifier at two thirds of the depth (DARTS).
        drop_path: Probability with which a path is dropped in train mode (DARTS).
        pool_norm: Whether batch norms follow the poolings (DARTS); None is the published one, "none" here.

    Returns:
        A module from images (B, 3, H, W) to logits (B, num_classes), whose last linear layer is `.classifier`.

    Raises:
        UsageError: If no network is known for the space, or its networks have no such option.
    """
    call = f"build_net({str(arch)!r})"
    layers = Layers(affine, track_running_stats, bias)
    options = _without_defaults(
        image_size=image_size,
        dead_edges=dead_edges,
        auxiliary=auxiliary,
        drop_path=drop_path,
        pool_norm=pool_norm,
    )
    skeleton = _skeleton(arch.space, call)
    size = _size(channels, cells, skeleton.benchmark, call)
    return _build(skeleton, Region.of(arch), num_classes, size, layers, init, options, call)


def build_supernet(
    space: SearchSpace | Region,
    num_classes: int = 10,
    channels: int | None = None,
    cells: int | None = None,
    *,
    affine: bool = False,
    track_running_stats: bool = True,
    bias: bool = False,
    init: Initialization = "pytorch",
    image_size: ImageSize = 32,
    dead_edges: DeadEdges = "skipped",
    pool_norm: PoolNorm | None = None,
) -> RegionNet:
    """Build the supernet of a space, or of the part of it that a region allows.

    Call it as `supernet(images, arch)` for one path or `supernet(images, weights=...)` for a mixture;
    `supernet.subnet(arch)` is the stand-alone net that shares its weights.

    Args:
        space: The whole space, or a region of one.
        num_classes: Outputs.
        channels: Width of the first stage; None is that of the published supernet.
        cells: Cells per stage, for DARTS in all; None is that of the published supernet.
        affine: As in `build_net`; off, since the paths share the batch norms.
        track_running_stats: As in `build_net`.
        bias: As in `build_net`.
        init: As in `build_net`.
        image_size: As in `build_net`.
        dead_edges: As in `build_net`.
        pool_norm: As in `build_net`; None is the published one, "batch" here.

    Raises:
        UsageError: If no network is known for the space, or its networks have no such option.
    """
    region = space.region if isinstance(space, SearchSpace) else space
    call = f"build_supernet({region})"
    layers = Layers(affine, track_running_stats, bias)
    skeleton = _skeleton(region.space, call)
    given = _without_defaults(image_size=image_size, dead_edges=dead_edges, pool_norm=pool_norm)
    options = {**skeleton.supernet_options, **given}
    size = _size(channels, cells, skeleton.supernet, call)
    return _build(skeleton, region, num_classes, size, layers, init, options, call)


def _build(
    skeleton: Skeleton,
    region: Region,
    num_classes: int,
    size: Size,
    layers: Layers,
    init: Initialization,
    options: Mapping[str, Any],
    call: str,
) -> RegionNet:
    if num_classes < 1:
        raise UsageError(complaint(call, "num_classes >= 1", num_classes, "One output per class."))
    skeleton_class = getattr(import_module(skeleton.module), skeleton.net)
    known = inspect.signature(skeleton_class).parameters
    for name, value in options.items():
        if name not in known:
            raise UsageError(complaint(call, f"no {name!r} for networks of this space", value, "Leave it out."))
    depth = {} if size.cells is None else {"cells": size.cells}
    net = skeleton_class(region, num_classes=num_classes, channels=size.channels, layers=layers, **depth, **options)
    initialize(net, init)
    return net.to(memory_format=torch.channels_last) if size.channels >= skeleton.channels_last_from else net


def _skeleton(space: str, call: str) -> Skeleton:
    if space not in _SKELETONS:
        raise UsageError(f"{call}: {unknown_name('space', space, _SKELETONS)}")
    return _SKELETONS[space]


def _size(channels: int | None, cells: int | None, default: Size, call: str) -> Size:
    if cells is not None and default.cells is None:
        raise UsageError(complaint(call, "no cells: the architecture decides the depth", cells, "Leave it out."))
    size = Size(default.channels if channels is None else channels, default.cells if cells is None else cells)
    for name, value in size._asdict().items():
        if value is not None and value < 1:
            raise UsageError(complaint(call, f"{name} >= 1", value, "None is the benchmark's own."))
    return size


def _without_defaults(**options: Any) -> dict[str, Any]:
    """Drop what is as in every network: only spaces that have an option are told of it."""
    defaults = {name: item.default for name, item in inspect.signature(build_net).parameters.items()}
    return {name: value for name, value in options.items() if value != defaults[name]}
