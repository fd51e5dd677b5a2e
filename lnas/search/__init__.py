"""Search strategies behind ask and tell. Torch-free."""

from lnas.search.assisted_evolution import AssistedEvolution
from lnas.search.base import SeededStrategy, Strategy, require_askable
from lnas.search.fp_nas import FPNAS
from lnas.search.incumbent import Incumbent
from lnas.search.local_search import LocalSearch
from lnas.search.nsga2 import NSGA2
from lnas.search.objective import Objective
from lnas.search.pruning_search import PruningSearch
from lnas.search.random_search import RandomSearch
from lnas.search.rank_evolution import RankEvolution
from lnas.search.regularized_evolution import RegularizedEvolution
from lnas.search.reinforce import Reinforce

__all__ = [
    "FPNAS",
    "NSGA2",
    "AssistedEvolution",
    "Incumbent",
    "LocalSearch",
    "Objective",
    "PruningSearch",
    "RandomSearch",
    "RankEvolution",
    "RegularizedEvolution",
    "Reinforce",
    "SeededStrategy",
    "Strategy",
    "require_askable",
]
