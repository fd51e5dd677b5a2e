"""All criteria of an estimator study, of many estimators at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.errors import UsageError, complaint
from lnas.stats.best_worst import best_place, worst_place
from lnas.stats.correlation import pearson_r, spearman_r
from lnas.stats.inner_tau import check_variant, tau_of_first
from lnas.stats.precision import precision
from lnas.stats.standings import Standings, checked_pair, top_size

RATIOS = (0.001, 0.005, 0.01, 0.05, 0.1, 0.2, 0.5, 1.0)
"""The K of the code released with "Evaluating Efficient Performance Estimators"."""

_FEWEST = 2


class Criteria(NamedTuple):
    """How well m estimators rank n architectures; NaN where a criterion is not defined.

    Attributes:
        estimators: The m names.
        at: The K as given, counts or ratios, as many as shapes below call K.
        sizes: Shape (K,). How many architectures each K is; 0 where a ratio is less than one of them.
        missing: Shape (m,). How many architectures had no finite estimate.
        tied: Shape (m,). Share of the pairs with equal estimates, in [0, 1]; pairs without any among them.
        kendall_tau: Shape (m,), in [-1, 1], the higher the better, as the next two. NaN for a constant side, 0 as "a".
        spearman_r: Shape (m,).
        pearson_r: Shape (m,). Over those with an estimate alone; NaN for fewer than two.
        precision_at_top: Shape (m, K), in [0, 1], the higher the better. See `lnas.stats.precision_at_top`.
        precision_at_bottom: Shape (m, K), in [0, 1], the higher the better.
        best_ranking: Shape (m, K), in [1/n, 1], the lower the better. See `lnas.stats.best_ranking`.
        worst_ranking: Shape (m, K), in [K/n, 1], the lower the better.
        tau_at_top: Shape (m, K), in [-1, 1], the higher the better. See `lnas.stats.tau_at_top`.
        tau_at_bottom: Shape (m, K), in [-1, 1], the higher the better.
    """

    estimators: list[str]
    at: list[float]
    sizes: np.ndarray
    missing: np.ndarray
    tied: np.ndarray
    kendall_tau: np.ndarray
    spearman_r: np.ndarray
    pearson_r: np.ndarray
    precision_at_top: np.ndarray
    precision_at_bottom: np.ndarray
    best_ranking: np.ndarray
    worst_ranking: np.ndarray
    tau_at_top: np.ndarray
    tau_at_bottom: np.ndarray

    def rows(self) -> Iterator[dict[str, object]]:
        """Yield one row per number: `estimator`, `criterion`, `k` as given or None, `size` in architectures, `value`.

        Example:
            >>> found = criteria({"params": [1, 2, 3]}, [10, 30, 20], at=[1])
            >>> [(row["criterion"], row["k"], row["value"]) for row in found.rows()][3:5]
            [('precision_at_top', 1, 0.0), ('precision_at_bottom', 1, 1.0)]
        """
        for number, estimator in enumerate(self.estimators):
            for criterion in _CORRELATIONS:
                value = float(getattr(self, criterion)[number])
                yield {"estimator": estimator, "criterion": criterion, "k": None, "size": None, "value": value}
            for criterion in _AT_K:
                for k, size, value in zip(self.at, self.sizes, getattr(self, criterion)[number], strict=True):
                    found = {"k": k, "size": int(size), "value": float(value)}
                    yield {"estimator": estimator, "criterion": criterion, **found}


_CORRELATIONS = ("kendall_tau", "spearman_r", "pearson_r")
_AT_K = (
    "precision_at_top",
    "precision_at_bottom",
    "best_ranking",
    "worst_ranking",
    "tau_at_top",
    "tau_at_bottom",
)


def criteria(
    estimates: ArrayLike | Mapping[str, ArrayLike],
    truth: ArrayLike,
    at: Sequence[float] = RATIOS,
    variant: Literal["a", "b"] = "b",
) -> Criteria:
    """Measure how well estimators rank architectures by all criteria.

    Ties are ordered at random, and the criteria at K are expectations: they do not depend on the order of the input. An
    architecture without a finite estimate ranks last, with all others that lack one, and is counted; only Pearson's
    correlation, which needs its number, leaves it out.

    Args:
        estimates: Name -> shape (n,), or a matrix of shape (m, n), named "0", "1", ...; the higher the better. Negate
            what is better low, such as a loss.
        truth: Shape (n,), n >= 2, finite, the higher the better.
        at: The K: counts in 1..n if ints, ratios in (0, 1] of n, rounded down, if floats. A ratio that is less than one
            architecture gives NaN.
        variant: Of Kendall's correlations: "b" corrects for ties, as the released code does; "a" is the formula of the
            paper, on which estimators that tie much cannot reach 1.

    Raises:
        UsageError: If an argument is not as described.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 3; its code
    for tau inside the top and bottom K.

    Example:
        >>> found = criteria({"params": [1, 2, 3, 4], "loss": [-0.1, -0.2, None, -0.4]}, [70, 80, 90, 85], at=[0.5])
        >>> found.precision_at_top.ravel().tolist(), found.missing.tolist()
        ([1.0, 0.0], [0, 1])
        >>> found.kendall_tau.round(6).tolist()
        [0.666667, -1.0]
    """
    call = "criteria(estimates, truth, ...)"
    check_variant(call, variant)
    columns = _columns(call, estimates)
    pairs = {name: checked_pair(f"{call} of {name!r}", column, truth) for name, column in columns.items()}
    truth = next(iter(pairs.values()))[1]
    if len(truth) < _FEWEST:
        raise UsageError(complaint(call, f"at least {_FEWEST} architectures", len(truth), "One alone has no rank."))
    sizes = np.array([top_size(call, k, len(truth)) for k in at], dtype=int)
    true = Standings.of(truth)
    each = [_of_one(own, truth, true, sizes, variant) for own, _ in pairs.values()]
    stacked = {name: np.array([values[name] for values in each]) for name in each[0]}
    return Criteria(estimators=list(pairs), at=list(at), sizes=sizes, **stacked)


def ranking_stability(
    earlier: ArrayLike, later: ArrayLike, at: Sequence[float] = RATIOS, variant: Literal["a", "b"] = "b"
) -> Criteria:
    """Measure how far an earlier ranking foretells a later one: relative tau and P@top / bottom K, among others.

    These are `criteria` with the later scores for the truth, of one estimator, named "earlier". Where scores tie across
    the end of the top K they leave open who is in it, and even the same scores twice have P@topK below 1.

    Args:
        earlier: Shape (n,), the higher the better.
        later: Shape (n,), finite, the higher the better.
        at: The K, as of `criteria`.
        variant: Of Kendall's correlations.

    Raises:
        UsageError: If an argument is not as described.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Fig. 7.

    Example:
        >>> ranking_stability([0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.8, 0.7], at=[1, 0.5]).precision_at_top.tolist()
        [[0.0, 1.0]]
    """
    return criteria({"earlier": earlier}, later, at, variant)


def _of_one(
    estimates: np.ndarray, truth: np.ndarray, true: Standings, sizes: np.ndarray, variant: Literal["a", "b"]
) -> dict[str, float | list[float]]:
    """Return all that `Criteria` holds of one estimator."""
    own, known = Standings.of(estimates), np.isfinite(estimates)
    n = len(truth)
    own_last, true_last = own.upside_down(), true.upside_down()
    at_k = {
        "precision_at_top": lambda size: precision(own, true, size),
        "precision_at_bottom": lambda size: precision(own_last, true_last, size),
        "best_ranking": lambda size: best_place(own, true, size),
        "worst_ranking": lambda size: worst_place(own, true, size),
        "tau_at_top": lambda size: tau_of_first(own, true, size, variant),
        "tau_at_bottom": lambda size: tau_of_first(own_last, true_last, size, variant),
    }
    return {
        "missing": int((~known).sum()),
        "tied": float((own.tied - 1).sum() / (n * (n - 1))),
        "kendall_tau": tau_of_first(own, true, n, variant),
        "spearman_r": spearman_r(own.average_ranks(), true.average_ranks()),
        "pearson_r": pearson_r(estimates[known], truth[known]) if known.sum() >= _FEWEST else np.nan,
        **{name: [of_top(int(size)) if size else np.nan for size in sizes] for name, of_top in at_k.items()},
    }


def _columns(call: str, estimates: ArrayLike | Mapping[str, ArrayLike]) -> dict[str, ArrayLike]:
    if not isinstance(estimates, Mapping):
        matrix = np.asarray(estimates, dtype=float)
        if matrix.ndim != 2:
            raise UsageError(complaint(call, "a mapping or a matrix (m, n)", matrix.shape, "One row per estimator."))
        estimates = {str(number): row for number, row in enumerate(matrix)}
    if not estimates:
        raise UsageError(complaint(call, "at least one estimator", 0, "Give the scores of one."))
    return dict(estimates)
