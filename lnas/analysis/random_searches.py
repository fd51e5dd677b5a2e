"""Random searches replayed on a pool whose measurements are all known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lnas.errors import UsageError, complaint
from lnas.seeds import derive_seed
from lnas.stats import rank_sum
from lnas.types import Trial

NOBODY = -1
"""The pick of a search in which no candidate has all its measures."""


def draw_searches(pool: int, candidates: int, searches: int, seed: int) -> np.ndarray:
    """Draw the candidates of each search, without replacement within one.

    Args:
        pool: How many architectures there are.
        candidates: How many of them a search looks at.
        searches: How many searches.
        seed: Of the draws; more searches begin with the same ones.

    Returns:
        Indices into the pool, shape (searches, candidates).

    Raises:
        UsageError: If a number is below 1, or the pool is smaller than a search.
    """
    if not 1 <= candidates <= pool:
        step = "Draw fewer, or enlarge the pool."
        raise UsageError(
            complaint(f"candidates={candidates}", f"1 <= candidates <= {pool}, the pool", candidates, step)
        )
    if searches < 1:
        raise UsageError(complaint(f"searches={searches}", "searches >= 1", searches, "Example: 200."))
    rng = np.random.default_rng(derive_seed(seed, "random searches"))
    return np.stack([rng.permutation(pool)[:candidates] for _ in range(searches)])


def picks(expression: str, trials: Sequence[Trial], directions: Mapping[str, bool], searches: np.ndarray) -> np.ndarray:
    """Return whom each search picks: the best by a rank expression, with ranks among its own candidates.

    Args:
        expression: As for `rank_sum`.
        trials: The pool.
        directions: Whether higher is better, of each measure.
        searches: What `draw_searches` returned.

    Returns:
        Indices into the pool, shape (searches,); `NOBODY` where no candidate has all its measures.
    """
    return np.array([_pick(expression, trials, directions, candidates) for candidates in searches])


def _pick(expression: str, trials: Sequence[Trial], directions: Mapping[str, bool], candidates: np.ndarray) -> int:
    ranking = rank_sum(expression, [trials[k] for k in candidates], directions)
    best = ranking.order[0]
    return int(candidates[best]) if ranking.complete[best] else NOBODY
