"""What more validation data is worth: ranking by the first batches, and inside the levels that few batches leave."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.analysis.compared import known_in_all, require_differences
from lnas.analysis.means import running_means
from lnas.errors import UsageError, complaint
from lnas.stats import kendall_tau


class TauOfBatches(NamedTuple):
    """Correlation with the truth by the number of batches.

    Attributes:
        batches: How many: 1 .. b, shape (b,).
        tau: Tau-b of the mean over the first so many, shape (b,); NaN where that mean is the same for all.
        compared: How many architectures have an estimate on every batch.
        missing: How many lack one, and are left out.
    """

    batches: np.ndarray
    tau: np.ndarray
    compared: int
    missing: int


class LevelTaus(NamedTuple):
    """Ranking among architectures that few batches do not tell apart.

    Attributes:
        levels: The value of each of the levels with more than one architecture, ascending, shape (l,).
        counts: How many architectures each has, shape (l,).
        tau: Tau-b of the mean over all batches with the truth inside each, shape (l,); NaN where a side is constant.
        total: How many levels there are, those of one architecture among them.
        missing: How many architectures lack an estimate on a batch, and are left out.
    """

    levels: np.ndarray
    counts: np.ndarray
    tau: np.ndarray
    total: int
    missing: int


def tau_of_batches(estimates: ArrayLike, truth: ArrayLike) -> TauOfBatches:
    """Correlate the mean over the first 1, 2, ... batches with the truth.

    Args:
        estimates: Of each batch, in order, shape (b, n), the higher the better; batches of one size. An architecture
            without a finite estimate on every batch is left out of all and counted.
        truth: Shape (n,), finite, the higher the better.

    Raises:
        UsageError: If shapes do not fit, fewer than two architectures are left, or the truth or the mean over all
            batches is the same for all.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Fig. 3.

    Example:
        >>> tau_of_batches([[0.5, 0.5, 0.75], [0.25, 0.5, 0.5]], [1, 2, 3]).tau.round(4).tolist()
        [0.8165, 1.0]
    """
    means, true, missing = _means("tau_of_batches(estimates, truth)", estimates, truth)
    taus = np.array([kendall_tau(mean, true) for mean in means])
    return TauOfBatches(np.arange(1, len(means) + 1), taus, len(true), missing)


def intra_level_taus(estimates: ArrayLike, truth: ArrayLike, level_batches: int = 1) -> LevelTaus:
    """Correlate the mean over all batches with the truth inside each level: equal mean over the first few.

    Negative where more data orders wrongly what few left tied, as in a supernet that is not trained enough.

    Args:
        estimates: As of `tau_of_batches`; such as accuracies, which are equal where as many images are right.
        truth: Shape (n,), finite, the higher the better.
        level_batches: Over how many of the first batches the levels are, 1 .. b - 1.

    Raises:
        UsageError: As `tau_of_batches`, and if there are not more batches than level_batches.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Fig. 3: levels of
    one batch of 128, tau by ten batches.

    Example:
        >>> found = intra_level_taus([[0.5, 0.5, 0.75], [0.25, 0.5, 0.5]], [2, 1, 3])
        >>> found.levels.tolist(), found.counts.tolist(), found.tau.tolist(), found.total
        ([0.5], [2], [-1.0], 2)
    """
    call = f"intra_level_taus(estimates, truth, level_batches={level_batches})"
    means, true, missing = _means(call, estimates, truth)
    if not 1 <= level_batches < len(means):
        expected = f"level_batches in 1..{len(means) - 1}, fewer than all"
        raise UsageError(complaint(call, expected, level_batches, "Measure on more batches."))
    values, of_each, counts = np.unique(means[level_batches - 1], return_inverse=True, return_counts=True)
    shared = np.flatnonzero(counts > 1)
    taus = [kendall_tau(means[-1][of_each == level], true[of_each == level]) for level in shared]
    return LevelTaus(values[shared], counts[shared], np.array(taus), len(values), missing)


def _means(call: str, estimates: ArrayLike, truth: ArrayLike) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the means over the first 1 .. b batches, shape (b, c), the truth, and how many are left out."""
    rows, known = known_in_all(call, estimates, truth)
    own, true = rows[:, known], np.asarray(truth, dtype=float)[known]
    means = running_means(own)
    require_differences(call, "truth", true)
    require_differences(call, "estimates over all batches", means[-1])
    return means, true, int((~known).sum())
