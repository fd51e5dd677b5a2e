"""Comparing trials by several measures at once: one dominates another if it is worse in none and better in one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnas.search.objective import Objective
from lnas.types import Trial


def points_of(objective: Objective, trials: Sequence[Trial]) -> np.ndarray:
    """Return what each trial costs by each measure, shape (n, measures): lower is better.

    Inf in the whole row of a trial that lacks any number, so that all others dominate it.
    """
    signs = np.array([-1.0 if objective.higher_is_better[name] else 1.0 for name in objective.names])
    nothing = np.full(len(signs), np.inf)
    rows = [
        signs * [trial.estimates[name].value for name in objective.names] if objective.has_numbers(trial) else nothing
        for trial in trials
    ]
    return np.array(rows).reshape(len(trials), len(signs))


def dominated_by_none(points: np.ndarray) -> np.ndarray:
    """Tell which points no other dominates, shape (n,): of equal ones the first, of those without numbers none.

    Example:
        >>> dominated_by_none(np.array([[1.0, 2.0], [2.0, 2.0], [2.0, 1.0], [1.0, 2.0]]))
        array([ True, False,  True, False])
    """
    from moocore import is_nondominated  # its C library takes a while to load

    return is_nondominated(points) & np.isfinite(points).all(axis=1)


def front_numbers(points: np.ndarray) -> np.ndarray:
    """Return the front that each point is on, shape (n,): 0 if none dominates it, 1 if only such of front 0 do, ...

    Equal points are on the same front.

    Source: Deb et al. 2002, non-dominated sorting.
    """
    from moocore import pareto_rank

    return pareto_rank(points)


def crowding_distances(points: np.ndarray) -> np.ndarray:
    """Return how far apart the neighbors of each point on a front are, shape (n,): the sum over measures.

    In each measure it is the distance between the next lower and the next higher point, in units of the range on the
    front. The outermost two are infinitely far from others, of equals one; a measure in which all are equal counts for
    nothing.

    Args:
        points: Those on one front, shape (n >= 1, measures), all of them finite.

    Source: Deb et al. 2002, crowding-distance-assignment.

    Example:
        >>> crowding_distances(np.array([[0.0, 4.0], [1.0, 2.0], [4.0, 0.0]])).tolist()
        [inf, 2.0, inf]
    """
    distances = np.zeros(len(points))
    for column in points.T:
        order = column.argsort(kind="stable")
        ordered = column[order]
        span = ordered[-1] - ordered[0]
        if span > 0:
            distances[order[1:-1]] += (ordered[2:] - ordered[:-2]) / span
            distances[order[[0, -1]]] = np.inf
    return distances
