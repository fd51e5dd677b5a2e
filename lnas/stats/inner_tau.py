"""Kendall's correlation inside what an estimator takes for the best or the worst."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from lnas.errors import UsageError, complaint
from lnas.stats.correlation import kendall_tau
from lnas.stats.standings import Standings, checked_top


def tau_at_top(estimates: ArrayLike, truth: ArrayLike, k: float, variant: Literal["a", "b"] = "b") -> float:
    """Return Kendall's correlation of estimates and truth among the K best by estimate.

    Args:
        estimates: Shape (n,), the higher the better. What is not finite ranks below all that is, and is tied.
        truth: Shape (n,), finite, the higher the better.
        k: A count in 1..n if an int, a ratio in (0, 1] of n, rounded down, if a float: 1 is one, 1.0 all.
        variant: As of `kendall_tau`.

    Returns:
        A number in [-1, 1], the higher the better; NaN for fewer than two, and for "b" where one side is constant.
        Where estimates are tied across the end of the top K, each pair counts as likely as both are in it when those
        tied are drawn at random: "a" is then the expectation of tau, "b" a ratio of expectations.

    Raises:
        UsageError: If an argument is not as described, or the ratio is less than one of n.

    Source: the code released with "Evaluating Efficient Performance Estimators of Neural Architectures" (variant "b"),
    which cuts ties by the order given.

    Example:
        >>> tau_at_top([4, 3, 2, 1], [7, 9, 8, 1], 3)
        -0.3333333333333333
    """
    call = "tau_at_top(estimates, truth, k)"
    check_variant(call, variant)
    estimates, truth, size = checked_top(call, estimates, truth, k)
    return tau_of_first(Standings.of(estimates), Standings.of(truth), size, variant)


def tau_at_bottom(estimates: ArrayLike, truth: ArrayLike, k: float, variant: Literal["a", "b"] = "b") -> float:
    """Return Kendall's correlation of estimates and truth among the K worst by estimate; else as `tau_at_top`.

    Example:
        >>> tau_at_bottom([4, 3, 2, 1], [7, 9, 8, 1], 3)
        1.0
    """
    call = "tau_at_bottom(estimates, truth, k)"
    check_variant(call, variant)
    estimates, truth, size = checked_top(call, estimates, truth, k)
    return tau_of_first(Standings.of(estimates).upside_down(), Standings.of(truth).upside_down(), size, variant)


def check_variant(call: str, variant: str) -> None:
    """Complain if Kendall's variant is none that there is."""
    if variant not in ("a", "b"):
        raise UsageError(complaint(call, 'variant "a" or "b"', variant, "'b' corrects for ties."))


def tau_of_first(estimates: Standings, truth: Standings, size: int, variant: Literal["a", "b"]) -> float:
    """Return tau among the first `size` by estimate, NaN where it is not defined."""
    inside, edge, drawn = estimates.split_at(size)
    edges = int(edge.sum())
    pairs = _pairs(estimates, truth, inside)
    if edges:
        on_edge, all_pairs = _pairs(estimates, truth, edge), _pairs(estimates, truth, inside | edge)
        pairs = pairs + drawn / edges * (all_pairs - pairs - on_edge)
        pairs = pairs + drawn * (drawn - 1) / (edges * max(edges - 1, 1)) * on_edge
    balance, *untied = pairs
    most = size * (size - 1) / 2
    scale = most if variant == "a" else np.sqrt(untied[0] * untied[1])
    return float(balance / scale) if scale else float("nan")


def _pairs(estimates: Standings, truth: Standings, chosen: np.ndarray) -> np.ndarray:
    """Count pairs of the chosen: concordant less discordant, untied in the estimates, untied in the truth."""
    n = int(chosen.sum())
    if n < 2:
        return np.zeros(3)
    most = n * (n - 1) / 2
    x, y = estimates.above[chosen], truth.above[chosen]
    tied = [np.unique(side, return_counts=True)[1] for side in (x, y)]
    untied = [most - (sizes * (sizes - 1) / 2).sum() for sizes in tied]
    return np.array([round(kendall_tau(x, y, variant="a") * most), *untied])
