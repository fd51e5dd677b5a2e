"""Search strategies behind ask and tell. Torch-free."""

from lnas.search.base import Strategy
from lnas.search.random_search import RandomSearch

__all__ = ["RandomSearch", "Strategy"]
