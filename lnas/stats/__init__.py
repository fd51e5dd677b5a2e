"""Rank correlations with intervals, rank expressions and votes. Torch-free."""

from lnas.stats.correlation import kendall_tau, pearson_r, spearman_r
from lnas.stats.intervals import Interval, bootstrap_interval
from lnas.stats.rank_sum import RankSum, measure_names, rank_sum
from lnas.stats.resampled import resampled_kendall, resampled_spearman
from lnas.stats.vote import pairwise_agreement, vote
from lnas.stats.welch import welch_interval

__all__ = [
    "Interval",
    "RankSum",
    "bootstrap_interval",
    "kendall_tau",
    "measure_names",
    "pairwise_agreement",
    "pearson_r",
    "rank_sum",
    "resampled_kendall",
    "resampled_spearman",
    "spearman_r",
    "vote",
    "welch_interval",
]
