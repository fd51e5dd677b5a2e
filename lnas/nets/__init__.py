"""Networks of architectures: plain `nn.Module`s. `NetBuilder` costs no torch; the rest is imported on first use."""

from typing import TYPE_CHECKING, Any

from lnas.nets.builder import NetBuilder
from lnas.nets.names import Initialization

if TYPE_CHECKING:
    from lnas.nets.build import build_net
    from lnas.nets.initialization import initialize
    from lnas.nets.randomness import isolated_randomness

__all__ = ["Initialization", "NetBuilder", "build_net", "initialize", "isolated_randomness"]

_HOMES = {
    "build_net": "lnas.nets.build",
    "initialize": "lnas.nets.initialization",
    "isolated_randomness": "lnas.nets.randomness",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
