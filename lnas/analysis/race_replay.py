"""What races would have picked, and in how many steps, among candidates whose short trainings were followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from lnas.analysis.racing import Racing, race
from lnas.analysis.random_searches import NOBODY, draw_searches, picks
from lnas.analysis.readings import at_step
from lnas.errors import UsageError, complaint
from lnas.stats import Interval, bootstrap_interval
from lnas.types import Trial

_FEWEST_SEARCHES = 2


class RaceReplay(NamedTuple):
    """Searches of the same candidates, once in full and once as a race.

    Attributes:
        full: Truth of what each full ranking picks, shape (searches,).
        raced: Truth of what each race picks, shape (searches,).
        interval: Of the mean of `raced` - `full`, 95 %.
        same: Share of the searches in which both pick the same.
        spent: Steps of all races over those of all full rankings.
    """

    full: np.ndarray
    raced: np.ndarray
    interval: Interval
    same: float
    spent: float

    @property
    def difference(self) -> float:
        """Mean of `raced` - `full`: positive where races pick better."""
        return float((self.raced - self.full).mean())


def replay_races(
    pool: Sequence[Trial],
    truth: np.ndarray,
    racing: Racing,
    expression: str,
    higher_is_better: Mapping[str, bool],
    candidates: int = 25,
    searches: int = 200,
    seed: int = 0,
) -> RaceReplay:
    """Search a pool many times, once in full and once as a race, and compare what is picked.

    The candidates of each search are drawn from the pool without replacement. The interval is the percentile interval
    over resamples of the searches. These share one pool: it tells how much the draw of the candidates matters, not how
    another pool, space or data set would fare.

    Args:
        pool: Measured in full; `trials_at` reads from their curves what a rung would have measured.
        truth: The accuracy of each, finite, the higher the better, shape (n,).
        racing: The race; its last rung is as long as the curves.
        expression: What ranks, at the rungs and in full, as `rank_sum` takes it.
        higher_is_better: Direction of each measure.
        candidates: Of each search.
        searches: How many, at least two.
        seed: Of the draws.

    Raises:
        UsageError: If an argument is not as described, or a search has no candidate with all its measures.
    """
    call = "replay_races(...)"
    if truth.shape != (len(pool),) or not np.isfinite(truth).all():
        expected = f"a finite truth of each of {len(pool)} architectures"
        raise UsageError(complaint(call, expected, truth.shape, "Leave out those whose accuracy is not known."))
    if searches < _FEWEST_SEARCHES:
        raise UsageError(complaint(call, f"searches >= {_FEWEST_SEARCHES}", searches, "200 are usual."))
    drawn = draw_searches(len(pool), candidates, searches, seed)
    at = {rung: trials_at(pool, rung) for rung in racing.rungs[:-1]} | {racing.rungs[-1]: list(pool)}
    races = [
        race(racing, candidates, partial(_look_up, at, numbers), expression, higher_is_better) for numbers in drawn
    ]
    first = np.array([raced.ranking.order[0] for raced in races])
    in_full = picks(expression, pool, higher_is_better, drawn)
    if NOBODY in in_full or not all(raced.ranking.complete.any() for raced in races):
        raise UsageError(complaint(call, "a candidate with all its measures in each search", "none", "Draw more."))
    full, raced_truth = truth[in_full], truth[drawn[np.arange(searches), first]]
    return RaceReplay(
        full,
        raced_truth,
        bootstrap_interval(_mean_difference, full, raced_truth),
        float((in_full == drawn[np.arange(searches), first]).mean()),
        sum(raced.spent for raced in races) / (drawn.size * racing.rungs[-1]),
    )


def trials_at(pool: Sequence[Trial], step: int) -> list[Trial]:
    """Return what would have been measured had all trainings ended after some steps.

    What `at_step` cannot read stays as it is: right for what needs no training, as the number of parameters. Measures
    of the training that keep no curve, as `angle_feat`, would be those of its end: rank by none of them.
    """
    return [Trial(trial.arch, {**trial.estimates, **at_step(trial.estimates, step)}) for trial in pool]


def _look_up(at: Mapping[int, Sequence[Trial]], drawn: np.ndarray, rung: int, numbers: Sequence[int]) -> list[Trial]:
    return [at[rung][drawn[number]] for number in numbers]


def _mean_difference(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> np.ndarray:
    return counts @ (y - x) / len(x)
