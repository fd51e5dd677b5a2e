"""Networks of architectures: plain `nn.Module`s. `NetBuilder` costs no torch; the rest is imported on first use."""

from typing import TYPE_CHECKING

from lnas.lazy import lazy_exports
from lnas.nets.builder import BENCHMARK_NET, NetBuilder
from lnas.nets.names import Initialization

if TYPE_CHECKING:
    from lnas.nets.build import build_net, build_supernet
    from lnas.nets.initialization import initialize
    from lnas.nets.randomness import isolated_randomness
    from lnas.nets.region_net import RegionNet, gumbel_weights, softmax_weights, uniform_weights

__all__ = [
    "BENCHMARK_NET",
    "Initialization",
    "NetBuilder",
    "RegionNet",
    "build_net",
    "build_supernet",
    "gumbel_weights",
    "initialize",
    "isolated_randomness",
    "softmax_weights",
    "uniform_weights",
]

__getattr__ = lazy_exports(
    __name__,
    {
        "RegionNet": "lnas.nets.region_net",
        "build_net": "lnas.nets.build",
        "build_supernet": "lnas.nets.build",
        "gumbel_weights": "lnas.nets.region_net",
        "initialize": "lnas.nets.initialization",
        "isolated_randomness": "lnas.nets.randomness",
        "softmax_weights": "lnas.nets.region_net",
        "uniform_weights": "lnas.nets.region_net",
    },
)
