"""The figures of a study."""

from __future__ import annotations

from collections.abc import Sequence

from lnas.pipeline.study.measured import Measured
from lnas.pipeline.study.pool import Pool
from lnas.report.rank_scatter import Ranked, RankScatter, draw_rank_scatter
from lnas.spaces import SearchSpace
from lnas.spaces.drawing import Svg
from lnas.stats import rank_sum
from lnas.types import Arch


def collapse_figures(
    base: Measured, pool: Pool, ranks: Sequence[str], space: SearchSpace, truth: str
) -> dict[str, Svg]:
    """Draw for each rank expression the places of the pool against its accuracies; rank -> picture.

    The winner by the first expression is marked in all others: where the angle collapses onto a trivial cell, they show
    what becomes of it.
    """
    drawn: dict[str, Svg] = {}
    followed: tuple[str, str] | None = None
    for rank in ranks:
        placed = _placed(base, rank)
        points = [
            Ranked(place, float(pool.accuracies[k]), space.label(pool.archs[k]), bool(pool.trivial[k]))
            for place, k in enumerate(placed, start=1)
        ]
        winner: Arch = pool.archs[placed[0]]
        drawn[rank] = draw_rank_scatter(RankScatter(rank, truth, points, space.draw(winner), followed))
        followed = followed or (space.label(winner), f"first by {rank}")
    return drawn


def _placed(base: Measured, rank: str) -> list[int]:
    """Return the architectures that have all numbers, from the best."""
    ranking = rank_sum(rank, base.trials, base.directions)
    return [int(k) for k in ranking.order if ranking.complete[k]]
