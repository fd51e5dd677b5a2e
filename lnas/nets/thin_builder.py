"""A factory of thin networks that configs can name and protocols can describe. Imports torch only when called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lnas.nets.names import Initialization
from lnas.types import Arch, Region


@dataclass(frozen=True)
class ThinNetBuilder:
    """`build_thin_net` with its options bound: a `net:` on which linear regions are counted.

    Args:
        channels: Of the images, and so the width of the first cell.
        init: Initial weights by name.
    """

    channels: int = 1
    init: Initialization = "pytorch"

    def __call__(self, candidate: Arch | Region, num_classes: int) -> Any:
        """Build the thin network of an architecture, or of a region as a uniform mixture: an `nn.Module`."""
        from lnas.nets.mixture import UniformMixture
        from lnas.nets.thin import build_thin_net

        net = build_thin_net(candidate, num_classes, self.channels, init=self.init)
        return UniformMixture(net) if isinstance(candidate, Region) else net
