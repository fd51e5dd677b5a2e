"""What one measure picks and no other does, and what those architectures are like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from lnas.analysis.compared import known_in_all, require_differences
from lnas.errors import UsageError, complaint, unknown_name
from lnas.stats import welch_interval
from lnas.stats.standings import top_size

_FEWEST = 2


class ExclusivePicks(NamedTuple):
    """What each measure picks, and which of that no other measure picks.

    Attributes:
        where: Places of the architectures that have a finite number by every measure, ascending, shape (c,).
        missing: How many lack one, and are left out.
        thresholds: Measure -> the worst value that it picks.
        picked: Measure -> places of all it picks, ascending; more than K where values tie at the threshold.
        only: Measure -> places of those that no other measure picks; no architecture is in two of them.
    """

    where: np.ndarray
    missing: int
    thresholds: dict[str, float]
    picked: dict[str, np.ndarray]
    only: dict[str, np.ndarray]


class GroupMean(NamedTuple):
    """The mean of a feature in a group, against that of all.

    Attributes:
        mean: Over the group; NaN where the feature is not defined for any of it.
        overall: Over all architectures that were compared, the group among them.
        low: Lower end of the 95 % interval of `mean - overall`; NaN where fewer than two are inside or outside.
        high: Its upper end.
    """

    mean: float
    overall: float
    low: float
    high: float


def exclusive_picks(
    measures: Mapping[str, ArrayLike], higher_is_better: Mapping[str, bool], k: float
) -> ExclusivePicks:
    """Find the architectures that are among the top K by one of several measures only.

    A measure picks whatever is at least as good as its K-th best, so all that tie with that one.

    Args:
        measures: Name -> shape (n,), two or more. What lacks a finite number by any of them is left out of all and
            counted.
        higher_is_better: Direction of each measure.
        k: A count if an int, a ratio in (0, 1] if a float, of those that are left; 1 is one, 1.0 all.

    Raises:
        UsageError: If there are fewer than two measures, one has no direction or is the same for all, shapes differ,
            fewer than two architectures are left, or K is none of them.

    Source: Chen et al. 2021 (TEG-NAS), eq. 10-12, with K = 0.1 and three measures.

    Example:
        >>> measures = {"cond": [1, 2, 3, 4], "regions": [30, 10, 40, 20]}
        >>> found = exclusive_picks(measures, {"cond": False, "regions": True}, k=2)
        >>> {name: places.tolist() for name, places in found.only.items()}, found.thresholds
        ({'cond': [1], 'regions': [2]}, {'cond': 2.0, 'regions': 30.0})
    """
    call = f"exclusive_picks({list(measures)}, ..., k={k!r})"
    if len(measures) < _FEWEST:
        got = f"{len(measures)} measures"
        raise UsageError(complaint(call, f"at least {_FEWEST} measures", got, "One alone shares its picks with none."))
    for name in measures:
        if name not in higher_is_better:
            raise UsageError(f"{call}: {unknown_name('direction of measure', name, higher_is_better)}")
    rows, known = known_in_all(call, _stacked(call, measures))
    where = np.flatnonzero(known)
    size = top_size(call, k, len(where))
    if not size:
        raise UsageError(complaint(call, f"k * n >= 1 with n = {len(where)}", k, "Take a larger ratio or a count."))
    thresholds, inside = {}, {}
    for name, row in zip(measures, rows[:, known], strict=True):
        require_differences(call, name, row)
        sign = 1 if higher_is_better[name] else -1
        worst = np.sort(sign * row)[-size]
        thresholds[name], inside[name] = float(sign * worst), sign * row >= worst
    times = np.sum(list(inside.values()), axis=0)
    return ExclusivePicks(
        where,
        len(known) - len(where),
        thresholds,
        {name: where[own] for name, own in inside.items()},
        {name: where[own & (times == 1)] for name, own in inside.items()},
    )


def features_of_picks(features: Mapping[str, ArrayLike], picks: ExclusivePicks) -> dict[str, dict[str, GroupMean]]:
    """Average features over what each measure alone picks, against the mean over all.

    The interval of the difference is Welch's of those inside and those outside of the group, times the share of those
    outside: by so much is the group farther from the others than from all.

    Args:
        features: Name -> shape (n,) of the same architectures, such as from `cell_features` and `choice_shares`; NaN
            where one is not defined, which is left out of its means.
        picks: From `exclusive_picks`.

    Returns:
        Measure -> feature -> its mean in the group and over all.

    Raises:
        UsageError: If a feature is not of the same architectures.

    Source: Chen et al. 2021 (TEG-NAS), Fig. 2.

    Example:
        >>> measures = {"cond": [1, 2, 3, 4], "regions": [30, 10, 40, 20]}
        >>> picks = exclusive_picks(measures, {"cond": False, "regions": True}, k=2)
        >>> found = features_of_picks({"depth": [3, 1, 3, 2]}, picks)["cond"]["depth"]
        >>> found.mean, found.overall
        (1.0, 2.25)
    """
    total = len(picks.where) + picks.missing
    values = {name: np.asarray(own, dtype=float) for name, own in features.items()}
    for name, own in values.items():
        if own.shape != (total,):
            got = f"{name!r} of shape {own.shape}"
            call = "features_of_picks(features, picks)"
            raise UsageError(complaint(call, f"features of shape ({total},)", got, "Describe the same ones."))
    return {
        measure: {name: _group_mean(own, group, picks.where) for name, own in values.items()}
        for measure, group in picks.only.items()
    }


def _stacked(call: str, measures: Mapping[str, ArrayLike]) -> np.ndarray:
    """Return the measures as rows."""
    rows = [np.asarray(values, dtype=float) for values in measures.values()]
    shapes = [row.shape for row in rows]
    if len(set(shapes)) > 1 or rows[0].ndim != 1:
        raise UsageError(complaint(call, "vectors of one length", shapes, "Measure the same architectures."))
    return np.stack(rows)


def _group_mean(values: np.ndarray, group: np.ndarray, where: np.ndarray) -> GroupMean:
    own, others, every = (_defined(values[places]) for places in (group, np.setdiff1d(where, group), where))
    outside = len(others) / len(every) if len(every) else np.nan
    low, high = welch_interval(own, others)
    return GroupMean(_mean(own), _mean(every), outside * low, outside * high)


def _defined(values: np.ndarray) -> np.ndarray:
    return values[~np.isnan(values)]


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else np.nan
