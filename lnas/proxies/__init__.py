"""Zero-shot measures as pure functions of a network."""

from lnas.proxies.catalogue import PROXIES, ProxyInfo
from lnas.proxies.params import params

__all__ = ["PROXIES", "ProxyInfo", "params"]
