"""Every correlation of a study with its interval: which there are, and how one is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, get_args

import numpy as np

from lnas.analysis.kendall_within import kendall_within
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.pipeline.scores_study.subsets import ALL, SAME_SIZE, subsets_of
from lnas.pipeline.scores_study.undefined import why_undefined
from lnas.report.table import WithInterval
from lnas.stats import (
    bootstrap_interval,
    kendall_tau,
    pearson_r,
    resampled_kendall,
    resampled_pearson,
    resampled_spearman,
    spearman_r,
)
from lnas.stats.correlation_intervals import Correlation
from lnas.stats.intervals import ResampledStatistic
from lnas.stats.standings import Standings

CORRELATIONS: tuple[Correlation, ...] = get_args(Correlation)
_TAU: Correlation = "kendall_tau"
_CORRELATES: Mapping[Correlation, tuple[Callable[..., float], ResampledStatistic]] = {
    "kendall_tau": (kendall_tau, resampled_kendall),
    "spearman_r": (spearman_r, resampled_spearman),
    "pearson_r": (pearson_r, resampled_pearson),
}
_LEVEL = 0.95


class Asked(NamedTuple):
    """A correlation of an estimator with a truth.

    Attributes:
        estimator: Its name.
        key: Of the truth.
        subset: Over which architectures.
        correlation: Which.
        than: The estimator whose correlation is taken off; empty for none.
    """

    estimator: str
    key: str
    subset: str
    correlation: Correlation
    than: str = ""


class Resampled(NamedTuple):
    """A correlation, and what it is on each resample of the architectures, the same resamples for all estimators.

    Attributes:
        value: Of all architectures.
        drawn: NaN where it is not defined, shape (resamples,); empty where none were drawn.
    """

    value: float
    drawn: np.ndarray

    def less(self, other: Resampled) -> Resampled:
        """Take another correlation of the same architectures off, resample by resample."""
        return Resampled(self.value - other.value, self.drawn - other.drawn)

    def with_interval(self) -> WithInterval:
        """Return the percentile interval of 95 % beside the value, NaN where no resample has a number."""
        defined = self.drawn[~np.isnan(self.drawn)]
        if not len(defined):
            return WithInterval(self.value, np.nan, np.nan)
        low, high = np.quantile(defined, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
        return WithInterval(self.value, float(low), float(high))


def correlation_jobs(
    evidence: Evidence, top: Sequence[int], sizes: np.ndarray, resamples: int
) -> dict[Asked, Callable[[], Resampled]]:
    """Return what computes each correlation that is defined.

    All three with the main truth over all architectures; Kendall's with every truth over every subset.
    """
    jobs: dict[Asked, Callable[[], Resampled]] = {}
    for key, truth in evidence.truths.items():
        for subset, places in subsets_of(truth, top).items():
            wanted = CORRELATIONS if (key, subset) == (evidence.key, ALL) else (_TAU,)
            for name, merits in evidence.ranking.items():
                if not why_undefined(merits[places], truth[places]):
                    for which in wanted:
                        own = partial(correlated, merits[places], truth[places], which, resamples)
                        jobs[Asked(name, key, subset, which)] = own
        for name, merits in evidence.ranking.items():
            jobs[Asked(name, key, SAME_SIZE, _TAU)] = partial(correlated_within, merits, truth, sizes)
    return jobs


def with_intervals(found: Mapping[Asked, Resampled]) -> dict[Asked, WithInterval]:
    """Return each correlation with its interval."""
    return {asked: resampled.with_interval() for asked, resampled in found.items()}


def differences(evidence: Evidence, found: Mapping[Asked, Resampled], baseline: str) -> dict[Asked, WithInterval]:
    """Return how far each estimator's tau with the main truth is above that of the baseline.

    Each resample has both taus, as `lnas.stats.paired_difference` takes them, so that what both find hard cancels.
    """
    taus = {name: found[Asked(name, evidence.key, ALL, _TAU)] for name in evidence.ranking}
    return {
        Asked(name, evidence.key, ALL, _TAU, baseline): tau.less(taus[baseline]).with_interval()
        for name, tau in taus.items()
        if name != baseline
    }


def correlated(estimates: np.ndarray, truth: np.ndarray, which: Correlation, resamples: int) -> Resampled:
    """Return a correlation, as `lnas.stats.criteria` defines it, with the resamples of `correlation_interval`."""
    known = np.isfinite(estimates) if which == "pearson_r" else np.ones(len(truth), dtype=bool)
    own = estimates[known] if which == "pearson_r" else -Standings.of(estimates).average_ranks()
    correlate, resampled = _CORRELATES[which]
    drawn: list[np.ndarray] = []

    def kept(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
        drawn.append(resampled(x, y, counts))
        return drawn[-1]

    bootstrap_interval(kept, own, truth[known], resamples)
    return Resampled(correlate(own, truth[known]), np.concatenate(drawn))


def correlated_within(estimates: np.ndarray, truth: np.ndarray, sizes: np.ndarray) -> Resampled:
    """Return tau-b over pairs of the same size only, without resamples."""
    known = np.isfinite(estimates)
    return Resampled(kendall_within(estimates[known], truth[known], sizes[known]), np.empty(0))


def best_of(evidence: Evidence, found: Mapping[Asked, Resampled]) -> list[str]:
    """Return the estimators that rank something, that of the highest tau with the main truth first."""
    return sorted(evidence.ranking, key=lambda name: -found[Asked(name, evidence.key, ALL, _TAU)].value)
