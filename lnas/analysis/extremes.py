"""The best and the worst architectures by some score, and what those at either end are like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.errors import UsageError, complaint
from lnas.stats.standings import Standings, top_size


class Extremes(NamedTuple):
    """The architectures at either end.

    Attributes:
        best: Their places, the best first, shape (k,).
        worst: Their places, the worst first, shape (k,).
        tied_best: How many have the best score, that one among them: where more than one, which is shown is chance.
        tied_worst: How many have the worst.
        missing: How many have no finite score, and are at neither end.
    """

    best: np.ndarray
    worst: np.ndarray
    tied_best: int
    tied_worst: int
    missing: int


class EndFeatures(NamedTuple):
    """Mean of each feature of the architectures at either end, and of all that have a score.

    Attributes:
        size: How many are at each end.
        missing: How many have no finite score, and are left out.
        top: Name -> mean over the best; NaN where a feature is not defined for any.
        bottom: Name -> mean over the worst.
        overall: Name -> mean over all.
    """

    size: int
    missing: int
    top: dict[str, float]
    bottom: dict[str, float]
    overall: dict[str, float]


def extremes(scores: ArrayLike, count: int = 1) -> Extremes:
    """Find the best and the worst by estimate, or by truth; of equal ones the first given.

    Args:
        scores: Shape (n,), the higher the better.
        count: How many at each end, 1 to as many as have a finite score.

    Raises:
        UsageError: If an argument is not as described, or all scores are the same.

    Example:
        >>> found = extremes([3, None, 1, 3, 2])
        >>> found.best.tolist(), found.tied_best, found.worst.tolist(), found.missing
        ([0], 2, [2], 1)
    """
    scores, known = _known(f"extremes(scores, count={count})", scores)
    if not 1 <= count <= len(known):
        call, expected = f"extremes(scores, count={count})", f"count in 1..{len(known)}, those with a score"
        raise UsageError(complaint(call, expected, count, "Ask for fewer."))
    own = scores[known]
    return Extremes(
        known[np.argsort(-own, kind="stable")[:count]],
        known[np.argsort(own, kind="stable")[:count]],
        int((own == own.max()).sum()),
        int((own == own.min()).sum()),
        len(scores) - len(known),
    )


def features_at_ends(features: Mapping[str, np.ndarray], scores: ArrayLike, k: float) -> EndFeatures:
    """Average features over the K best and the K worst by a score.

    Equal scores across the end of the top K count each as likely as it is in it, when those tied are drawn at random.

    Args:
        features: Name -> shape (n,), such as from `cell_features`; NaN where one is not defined, which is left out of
            its mean.
        scores: Estimates or truth, shape (n,), the higher the better.
        k: A count if an int, a ratio in (0, 1] if a float, of those with a finite score; 1 is one, 1.0 all.

    Raises:
        UsageError: If an argument is not as described, or all scores are the same.

    Example:
        >>> found = features_at_ends({"depth": np.array([3.0, 2.0, 1.0, 0.0])}, [0.9, 0.8, 0.8, 0.1], 2)
        >>> found.top, found.bottom, found.overall
        ({'depth': 2.25}, {'depth': 0.75}, {'depth': 1.5})
    """
    call = f"features_at_ends(features, scores, k={k!r})"
    scores, known = _known(call, scores)
    for name, values in features.items():
        if np.shape(values) != scores.shape:
            got = f"{name!r} of shape {np.shape(values)}"
            raise UsageError(complaint(call, f"features of shape {scores.shape}", got, "Describe the same ones."))
    size = top_size(call, k, len(known))
    if not size:
        raise UsageError(complaint(call, f"k * n >= 1 with n = {len(known)}", k, "Take a larger ratio or a count."))
    standings = Standings.of(scores[known])
    chances = {
        "top": standings.chance_of_top(size),
        "bottom": standings.upside_down().chance_of_top(size),
        "overall": np.ones(len(known)),
    }
    means = {
        end: {name: _mean(np.asarray(values, dtype=float)[known], chance) for name, values in features.items()}
        for end, chance in chances.items()
    }
    return EndFeatures(size, len(scores) - len(known), **means)


def _known(call: str, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores and the places of those that are finite."""
    scores = np.asarray(scores, dtype=float)
    if scores.ndim != 1:
        raise UsageError(complaint(call, "a vector of scores", scores.shape, "Give those of one estimator."))
    known = np.flatnonzero(np.isfinite(scores))
    different = len(np.unique(scores[known]))
    if different < 2:
        expected, got = "scores that differ", f"{len(known)} finite of {len(scores)}, {different} different"
        raise UsageError(complaint(call, expected, got, "What is the same for all has neither end."))
    return scores, known


def _mean(values: np.ndarray, weights: np.ndarray) -> float:
    defined = ~np.isnan(values)
    total = weights[defined].sum()
    return float(np.dot(values[defined], weights[defined]) / total) if total else float("nan")
