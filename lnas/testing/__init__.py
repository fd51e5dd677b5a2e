"""A tiny space, and suites of laws that plug-in authors run on spaces, strategies and estimators of their own."""

from lnas.testing.estimators import EstimatorContract
from lnas.testing.nets import NetContract
from lnas.testing.proxies import ProxyContract
from lnas.testing.spaces import SpaceContract
from lnas.testing.strategies import StrategyContract
from lnas.testing.tiny import TinySpace

__all__ = ["EstimatorContract", "NetContract", "ProxyContract", "SpaceContract", "StrategyContract", "TinySpace"]
