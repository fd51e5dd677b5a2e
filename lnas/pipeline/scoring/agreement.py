"""How well one measure orders architectures, with intervals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lnas.stats import (
    Interval,
    bootstrap_interval,
    kendall_tau,
    resampled_kendall,
    resampled_spearman,
    spearman_r,
)

_FEWEST = 2


class Correlation(NamedTuple):
    """A rank correlation and its 95 % interval; NaN where one side is constant."""

    value: float
    interval: Interval


class RankAgreement(NamedTuple):
    """How a measure and the truth order the same architectures, positive where the measure is right.

    Attributes:
        kendall: Tau-b.
        spearman: Rho.
        compared: Over how many architectures: those with a number and a truth.
    """

    kendall: Correlation
    spearman: Correlation
    compared: int


def rank_agreement(values: np.ndarray, truth: np.ndarray, higher_is_better: bool) -> RankAgreement | None:
    """Correlate a measure with the truth; None where fewer than two architectures have both.

    Args:
        values: The measure, shape (n,); NaN where there is no number.
        truth: What is true, the higher the better, shape (n,); NaN where it is not known.
        higher_is_better: Direction of the measure.
    """
    compared = ~np.isnan(values) & ~np.isnan(truth)
    if compared.sum() < _FEWEST:
        return None
    merits, truths = values[compared] * (1 if higher_is_better else -1), truth[compared]
    return RankAgreement(
        Correlation(kendall_tau(merits, truths), bootstrap_interval(resampled_kendall, merits, truths)),
        Correlation(spearman_r(merits, truths), bootstrap_interval(resampled_spearman, merits, truths)),
        len(truths),
    )
