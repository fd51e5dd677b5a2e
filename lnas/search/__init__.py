"""Search strategies behind ask and tell. Torch-free."""

from lnas.search.base import Strategy
from lnas.search.objective import Objective
from lnas.search.random_search import RandomSearch
from lnas.search.rank_evolution import RankEvolution
from lnas.search.regularized_evolution import RegularizedEvolution

__all__ = ["Objective", "RandomSearch", "RankEvolution", "RegularizedEvolution", "Strategy"]
