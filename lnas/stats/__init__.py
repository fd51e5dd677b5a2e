"""Rank correlations and rank expressions. Torch-free."""

from lnas.stats.correlation import kendall_tau, pearson_r, spearman_r
from lnas.stats.rank_sum import RankSum, measure_names, rank_sum

__all__ = ["RankSum", "kendall_tau", "measure_names", "pearson_r", "rank_sum", "spearman_r"]
