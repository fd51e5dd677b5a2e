"""Every correlation of a study with its interval: which there are, and how one is computed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, get_args

import numpy as np

from lnas.analysis.tau import resampled_kendall_within
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.pipeline.scores_study.subsets import ALL, SAME_SIZE, subsets_of
from lnas.pipeline.scores_study.undefined import why_undefined
from lnas.report.table import WithInterval
from lnas.stats import correlation_interval, criteria, paired_difference
from lnas.stats.correlation_intervals import Correlation

CORRELATIONS: tuple[Correlation, ...] = get_args(Correlation)
_TAU: Correlation = "kendall_tau"


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


def correlation_jobs(
    evidence: Evidence, top: Sequence[int], sizes: np.ndarray, resamples: int
) -> dict[Asked, Callable[[], WithInterval]]:
    """Return what computes each correlation that is defined.

    All three with the main truth over all architectures; Kendall's with every truth over every subset.
    """
    jobs: dict[Asked, Callable[[], WithInterval]] = {}
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


def difference_jobs(evidence: Evidence, baseline: str, resamples: int) -> dict[Asked, Callable[[], WithInterval]]:
    """Return what computes how far each estimator's tau with the main truth is above that of the baseline."""
    other = evidence.ranking[baseline]
    return {
        Asked(name, evidence.key, ALL, _TAU, baseline): partial(_difference, merits, other, evidence.truth, resamples)
        for name, merits in evidence.ranking.items()
        if name != baseline
    }


def correlated(estimates: np.ndarray, truth: np.ndarray, which: Correlation, resamples: int) -> WithInterval:
    """Return a correlation, as `lnas.stats.criteria` defines it, with its 95 % bootstrap interval."""
    value = getattr(criteria({"": estimates}, truth, at=()), which)[0]
    return WithInterval(float(value), *correlation_interval(estimates, truth, which, resamples))


def correlated_within(estimates: np.ndarray, truth: np.ndarray, sizes: np.ndarray) -> WithInterval:
    """Return tau-b over pairs of the same size only, without an interval: each resample would cost a second."""
    known = np.isfinite(estimates)
    once = np.ones((1, int(known.sum())), dtype=int)
    (value,) = resampled_kendall_within(sizes[known])(estimates[known], truth[known], once)
    return WithInterval(float(value), np.nan, np.nan)


def best_of(evidence: Evidence, found: Mapping[Asked, WithInterval]) -> list[str]:
    """Return the estimators that rank something, that of the highest tau with the main truth first."""
    return sorted(evidence.ranking, key=lambda name: -found[Asked(name, evidence.key, ALL, _TAU)].value)


def _difference(estimates: np.ndarray, others: np.ndarray, truth: np.ndarray, resamples: int) -> WithInterval:
    found = paired_difference(estimates, others, truth, _TAU, resamples)
    return WithInterval(found.value, *found.interval)
