"""A factory of thin networks that configs can name and protocols can describe. Imports torch only when called."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lnas.nets.names import Initialization
from lnas.types import Arch


@dataclass(frozen=True)
class ThinNetBuilder:
    """`build_thin_net` with its options bound: a `net:` on which linear regions are counted.

    Args:
        channels: Of the images, and so the width of the first cell.
        init: Initial weights by name.
    """

    channels: int = 1
    init: Initialization = "pytorch"

    def __call__(self, arch: Arch, num_classes: int) -> Any:
        """Build the thin network of an architecture, an `nn.Module`."""
        from lnas.nets.thin import build_thin_net

        return build_thin_net(arch, num_classes, self.channels, init=self.init)
