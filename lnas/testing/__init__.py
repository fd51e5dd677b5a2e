"""A tiny space, and suites of laws that plug-in authors run on spaces and strategies of their own. Torch-free."""

from lnas.testing.spaces import SpaceContract
from lnas.testing.strategies import StrategyContract
from lnas.testing.tiny import TinySpace

__all__ = ["SpaceContract", "StrategyContract", "TinySpace"]
