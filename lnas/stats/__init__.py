"""Rank correlations with intervals, criteria of the top and bottom K, rank expressions and votes. Torch-free."""

from lnas.stats.best_worst import best_ranking, worst_ranking
from lnas.stats.correlation import kendall_tau, pearson_r, spearman_r
from lnas.stats.correlation_intervals import Difference, correlation_interval, paired_difference
from lnas.stats.criteria import RATIOS, Criteria, criteria, ranking_stability
from lnas.stats.inner_tau import tau_at_bottom, tau_at_top
from lnas.stats.intervals import Interval, bootstrap_interval
from lnas.stats.precision import precision_at_bottom, precision_at_top
from lnas.stats.rank_sum import RankSum, measure_names, rank_sum
from lnas.stats.resampled import resampled_kendall, resampled_spearman
from lnas.stats.resampled_pearson import resampled_pearson
from lnas.stats.vote import pairwise_agreement, vote
from lnas.stats.welch import welch_interval

__all__ = [
    "RATIOS",
    "Criteria",
    "Difference",
    "Interval",
    "RankSum",
    "best_ranking",
    "bootstrap_interval",
    "correlation_interval",
    "criteria",
    "kendall_tau",
    "measure_names",
    "paired_difference",
    "pairwise_agreement",
    "pearson_r",
    "precision_at_bottom",
    "precision_at_top",
    "rank_sum",
    "ranking_stability",
    "resampled_kendall",
    "resampled_pearson",
    "resampled_spearman",
    "spearman_r",
    "tau_at_bottom",
    "tau_at_top",
    "vote",
    "welch_interval",
    "worst_ranking",
]
