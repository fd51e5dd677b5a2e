"""A network factory that configs can name and protocols can describe. Imports torch only when called."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from lnas.nets.names import DeadEdges, Head, ImageSize, Initialization, PoolNorm
from lnas.types import Arch, Region


@dataclass(frozen=True)
class NetBuilder:
    """`build_net` with its options bound: the default of every `net:` argument.

    A user's own is any callable `(arch, num_classes) -> Module` whose last linear layer is `.classifier`.

    Args:
        channels: Width of the first stage, with which all others scale; None is the benchmark's own.
        cells: Cells per stage, for DARTS in all; None is the benchmark's own.
        affine: Whether the cells' batch norms scale and shift.
        track_running_stats: Whether the cells' batch norms keep running statistics.
        bias: Whether the cells' convolutions have a bias.
        init: Initial weights by name.
        bn_momentum: How much of a batch's statistics the running ones take up; None is the benchmark's own.
        image_size: Decides the stem; 32 is for smaller images, too.
        dead_edges: Which edges off every path are computed (NATS topology).
        auxiliary: Whether there is a second classifier at two thirds of the depth (DARTS).
        drop_path: Probability with which a path is dropped in train mode (DARTS).
        pool_norm: Whether batch norms follow the poolings (DARTS); None is the published one.
        head: What the features go through before the classifier (DARTS).
    """

    channels: int | None = None
    cells: int | None = None
    affine: bool = True
    track_running_stats: bool = True
    bias: bool = False
    init: Initialization = "pytorch"
    bn_momentum: float | None = None
    image_size: ImageSize = 32
    dead_edges: DeadEdges = "benchmark"
    auxiliary: bool = False
    drop_path: float = 0.0
    pool_norm: PoolNorm | None = None
    head: Head = "pool"

    def __call__(self, candidate: Arch | Region, num_classes: int) -> Any:
        """Build the network of an architecture, or the supernet of a region as a uniform mixture: an `nn.Module`."""
        options = {field.name: getattr(self, field.name) for field in fields(self)}
        if isinstance(candidate, Region):
            from lnas.nets.mixture import build_mixture

            return build_mixture(candidate, num_classes, options)
        from lnas.nets.build import build_net

        return build_net(candidate, num_classes, **options)


BENCHMARK_NET = NetBuilder()
