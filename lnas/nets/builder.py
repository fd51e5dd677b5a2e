"""A network factory that configs can name and protocols can describe. Imports torch only when called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lnas.types import Arch

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class NetBuilder:
    """`build_net` with its options bound: the default of every `net:` argument.

    A user's own is any callable `(arch, num_classes) -> Module` whose last linear layer is `.classifier`.

    Args:
        channels: Width of the first stage; None is the benchmark's own (16 in NATS-Bench).
        cells: Cells per stage; None is the benchmark's own (5 in NATS-Bench).
    """

    channels: int | None = None
    cells: int | None = None

    def __call__(self, arch: Arch, num_classes: int) -> nn.Module:
        """Build the network of an architecture."""
        from lnas.nets.build import build_net

        return build_net(arch, num_classes, channels=self.channels, cells=self.cells)
