"""Networks of architectures: plain `nn.Module`s. Factories of them cost no torch; the rest is imported on first use."""

from typing import TYPE_CHECKING

from lnas.lazy import lazy_exports
from lnas.nets.builder import BENCHMARK_NET, NetBuilder
from lnas.nets.names import Initialization
from lnas.nets.subnets import SubnetsOf
from lnas.nets.thin_builder import ThinNetBuilder

if TYPE_CHECKING:
    from lnas.nets.build import build_net, build_supernet
    from lnas.nets.initialization import initialize
    from lnas.nets.region_net import RegionNet, gumbel_weights, softmax_weights, uniform_weights
    from lnas.nets.thin import build_thin_net
    from lnas.randomness import isolated_randomness

__all__ = [
    "BENCHMARK_NET",
    "Initialization",
    "NetBuilder",
    "RegionNet",
    "SubnetsOf",
    "ThinNetBuilder",
    "build_net",
    "build_supernet",
    "build_thin_net",
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
        "build_thin_net": "lnas.nets.thin",
        "gumbel_weights": "lnas.nets.region_net",
        "initialize": "lnas.nets.initialization",
        "isolated_randomness": "lnas.randomness",
        "softmax_weights": "lnas.nets.region_net",
        "uniform_weights": "lnas.nets.region_net",
    },
)
