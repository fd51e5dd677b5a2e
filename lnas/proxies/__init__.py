"""Zero-shot measures: pure functions of what a network does with a batch, and `score`, which shares their passes."""

from typing import TYPE_CHECKING

from lnas.lazy import lazy_exports
from lnas.proxies.catalogue import PROXIES, ProxyInfo

if TYPE_CHECKING:
    from lnas.proxies.scoring import score

__all__ = ["PROXIES", "ProxyInfo", "score"]

__getattr__ = lazy_exports(__name__, {"score": "lnas.proxies.scoring"})
