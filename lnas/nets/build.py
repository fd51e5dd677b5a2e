"""From an architecture, a region or a space to a network."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple, get_args

import torch

from lnas.errors import UsageError, complaint, unknown_name
from lnas.nets.initialization import initialize
from lnas.nets.layers import BN_MOMENTUM, Layers
from lnas.nets.names import DeadEdges, Head, ImageSize, Initialization, PoolNorm
from lnas.nets.region_net import RegionNet
from lnas.spaces import SPACES, SearchSpace
from lnas.types import Arch, Region


class Size(NamedTuple):
    """Width of the first stage, and cells per stage or in all; None where the architecture decides the depth."""

    channels: int
    cells: int | None


class Skeleton(NamedTuple):
    """Where the class of a space's networks is, and their size in the benchmark and in published supernets.

    Attributes:
        channels_last_from: The width from which channels-last was measured to be faster.
        supernet_pool_norm: What follows poolings in published supernets, where that differs from the nets.
    """

    module: str
    net: str
    benchmark: Size
    supernet: Size
    channels_last_from: int = 8
    supernet_pool_norm: PoolNorm | None = None


# The 16 channels of the released 1shot1 supernets are a vertex's; two (in sub-space 2 three) of them make an output.
_SKELETONS = {
    "nats_topology": Skeleton("lnas.nets.nats_topology", "NatsTopologyNet", Size(16, 5), Size(16, 5)),
    "nats_size": Skeleton("lnas.nets.nats_size", "NatsSizeNet", Size(64, None), Size(64, None)),
    "nasbench101": Skeleton("lnas.nets.nasbench101", "NasBench101Net", Size(128, 3), Size(16, 3)),
    "nasbench1shot1_1": Skeleton("lnas.nets.nasbench1shot1", "NasBench1Shot1Net", Size(128, 3), Size(32, 3)),
    "nasbench1shot1_2": Skeleton("lnas.nets.nasbench1shot1", "NasBench1Shot1Net", Size(128, 3), Size(48, 3)),
    "nasbench1shot1_3": Skeleton("lnas.nets.nasbench1shot1", "NasBench1Shot1Net", Size(128, 3), Size(32, 3)),
    "darts": Skeleton("lnas.nets.darts", "DartsNet", Size(36, 20), Size(16, 8), 4, "batch"),
    "nds_resnet": Skeleton("lnas.nets.nds", "NdsResNet", Size(16, None), Size(16, None)),
    "nds_resnext_a": Skeleton("lnas.nets.nds", "NdsResNeXtANet", Size(16, None), Size(16, None)),
}

_ALLOWED = {
    "image_size": get_args(ImageSize),
    "dead_edges": get_args(DeadEdges),
    "pool_norm": (None, *get_args(PoolNorm)),
    "head": get_args(Head),
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
    bn_momentum: float | None = None,
    image_size: ImageSize = 32,
    dead_edges: DeadEdges = "benchmark",
    auxiliary: bool = False,
    drop_path: float = 0.0,
    pool_norm: PoolNorm | None = None,
    head: Head = "pool",
) -> RegionNet:
    """Build the benchmark's network of an architecture.

    Weights come from the global generator; seed it first. They are laid out channels-last from the width on where that
    was measured to be faster on CPUs (`scripts/benchmark_layout.py`), so flatten them by `flatten`, not by `view`.

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
        image_size: Decides the stem; 32 is for smaller images, too.
        bn_momentum: How much of a batch's statistics the running ones take up; None is the benchmark's own: 0.1, and in
            NAS-Bench-101 0.003, too little for trainings of less than some thousand steps.
        dead_edges: Which edges off every path are computed; see `NatsTopologyNet`.
        auxiliary: Whether there is a second classifier at two thirds of the depth (DARTS).
        drop_path: Probability with which a path is dropped in train mode (DARTS).
        pool_norm: Whether batch norms follow the poolings (DARTS); None is the published one, "none" here.
        head: What the features go through before the classifier (DARTS): "norm_relu_pool" is that of TE-NAS' nets.

    Returns:
        A module from images (B, 3, H, W) to logits (B, num_classes), whose last linear layer is `.classifier`.

    Raises:
        UsageError: If no network is known for the space, or its networks have no such option.
    """
    call = f"build_net({arch}, ...)"
    if not isinstance(arch, Arch):
        raise UsageError(complaint("build_net(arch)", "an Arch", arch, "A space's `parse` reads the notation."))
    skeleton = skeleton_of(arch.space, call)
    SPACES[arch.space]().validate(arch)
    options = {
        "image_size": image_size,
        "dead_edges": dead_edges,
        "auxiliary": auxiliary,
        "drop_path": drop_path,
        "pool_norm": pool_norm,
        "head": head,
    }
    layers = Layers(affine, track_running_stats, bias, bn_momentum)
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
    bn_momentum: float | None = BN_MOMENTUM,
    image_size: ImageSize = 32,
    dead_edges: DeadEdges = "benchmark",
    pool_norm: PoolNorm | None = None,
    head: Head = "pool",
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
        bn_momentum: As in `build_net`.
        dead_edges: As in `build_net`.
        pool_norm: As in `build_net`; None is the published one, "batch" here.
        head: As in `build_net`.

    Raises:
        UsageError: If no network is known for the space, or its networks have no such option.
    """
    region = space.region if isinstance(space, SearchSpace) else space
    if not isinstance(region, Region):
        expected = "a space or a Region"
        raise UsageError(complaint("build_supernet(space)", expected, space, "`Region.of(arch)` holds one arch."))
    call = f"build_supernet({region.space}, ...)"
    skeleton = skeleton_of(region.space, call)
    SPACES[region.space]().require_region(region)
    options = {
        "image_size": image_size,
        "dead_edges": dead_edges,
        "pool_norm": skeleton.supernet_pool_norm if pool_norm is None else pool_norm,
        "head": head,
    }
    layers = Layers(affine, track_running_stats, bias, bn_momentum)
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
    if type(num_classes) is not int or num_classes < 1:
        raise UsageError(complaint(call, "num_classes >= 1", num_classes, "One output per class."))
    for name, allowed in _ALLOWED.items():
        if options[name] not in allowed:
            expected = f"{name} of {', '.join(map(str, allowed))}"
            raise UsageError(complaint(call, expected, options[name], "Images under 32 pixels take image_size=32."))
    skeleton_class = getattr(import_module(skeleton.module), skeleton.net)
    depth = {} if size.cells is None else {"cells": size.cells}
    net = skeleton_class(
        region,
        num_classes=num_classes,
        channels=size.channels,
        layers=layers,
        **depth,
        **_known(options, skeleton_class, call),
    )
    initialize(net, init)
    return net.to(memory_format=torch.channels_last) if size.channels >= skeleton.channels_last_from else net


def skeleton_of(space: str, call: str) -> Skeleton:
    """Return what is known of a space's networks; raise `UsageError`, naming the call, where that is nothing."""
    if space not in _SKELETONS:
        raise UsageError(f"{call}: {unknown_name('space', space, _SKELETONS)}")
    return _SKELETONS[space]


def _size(channels: int | None, cells: int | None, default: Size, call: str) -> Size:
    if cells is not None and default.cells is None:
        raise UsageError(complaint(call, "no cells: the architecture decides the depth", cells, "Leave it out."))
    size = Size(default.channels if channels is None else channels, default.cells if cells is None else cells)
    for name, value in size._asdict().items():
        if value is not None and (type(value) is not int or value < 1):
            raise UsageError(complaint(call, f"{name} >= 1", value, "None is the benchmark's own."))
    return size


def _known(options: Mapping[str, Any], skeleton_class: type[RegionNet], call: str) -> dict[str, Any]:
    """Return the options that these networks have; the others must be such that they change nothing."""
    known = inspect.signature(skeleton_class).parameters
    neutral = inspect.signature(build_net).parameters
    for name, value in options.items():
        if name not in known and value != neutral[name].default:
            raise UsageError(complaint(call, f"no {name!r} for networks of this space", value, "Leave it out."))
    return {name: value for name, value in options.items() if name in known and value is not None}
