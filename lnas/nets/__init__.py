"""Networks of architectures: plain `nn.Module`s. `NetBuilder` costs no torch; the rest is imported on first use."""

from typing import TYPE_CHECKING

from lnas.lazy import lazy_exports
from lnas.nets.builder import NetBuilder
from lnas.nets.names import Initialization

if TYPE_CHECKING:
    from lnas.nets.build import build_net
    from lnas.nets.initialization import initialize
    from lnas.nets.randomness import isolated_randomness

__all__ = ["Initialization", "NetBuilder", "build_net", "initialize", "isolated_randomness"]

__getattr__ = lazy_exports(
    __name__,
    {
        "build_net": "lnas.nets.build",
        "initialize": "lnas.nets.initialization",
        "isolated_randomness": "lnas.nets.randomness",
    },
)
