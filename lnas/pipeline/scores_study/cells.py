"""Architectures at the ends of rankings: what they are like, and how they look."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lnas.analysis.extremes import extremes, features_at_ends
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.report.interactive import CellPictures
from lnas.report.table import Column, ResultTable
from lnas.spaces import NatsTopologySpace, SearchSpace
from lnas.spaces.drawing import Svg
from lnas.spaces.nats_topology import EDGES, OPS
from lnas.stats.standings import Standings, top_size
from lnas.types import Arch

TRUTH = "accuracy"


class End(NamedTuple):
    """An architecture at an end of a ranking.

    Attributes:
        estimator: Whose ranking.
        name: Which end.
        arch: The architecture.
        notation: How people write it.
        accuracy: Its main one, in percent.
        rank: Its rank by that, 1 is the best.
        tied: How many have the very best, or worst, estimate.
    """

    estimator: str
    name: str
    arch: Arch
    notation: str
    accuracy: float
    rank: float
    tied: int


def ends_table(
    evidence: Evidence, order: Sequence[str], features: Mapping[str, np.ndarray], share: float
) -> ResultTable:
    """Say what the best and the worst are like by each estimator and by accuracy."""
    rankings = _rankings(evidence, order)
    numbers = {name: int(np.isfinite(merits).sum()) for name, merits in rankings.items()}
    too_few = [name for name, count in numbers.items() if not top_size(f"ends={share}", share, count)]
    found = {
        name: features_at_ends(features, merits, share) for name, merits in rankings.items() if name not in too_few
    }
    rows = [(name, end) for name in found for end in ("top", "bottom", "overall")]
    sizes = [found[name].size if end != "overall" else numbers[name] for name, end in rows]

    def column(feature: str) -> Column:
        means = [getattr(found[name], end)[feature] for name, end in rows]
        return Column(feature.replace(" ", "_"), feature, means, "{:.2f}")

    return ResultTable(
        "ends",
        f"What the best and the worst {100 * share:g} % are like",
        [
            Column("estimator", "estimator", [name for name, _ in rows]),
            Column("end", "end", [end if end != "overall" else "all" for _, end in rows]),
            Column("size", "architectures", sizes, "{:,}"),
            *map(column, features),
        ],
        [
            "After Ning et al. 2021, Sec. 5.1: means over the architectures at either end and over all that have an "
            "estimate. Depth: connections on the longest path. Receptive field: side of what one output pixel sees, in "
            "pixels of the cell's input. Operations and kernels: how many edges carry them. Edges that decide nothing "
            "do not count.",
            *([f"Left out, having too few estimates: {', '.join(too_few)}."] if too_few else []),
        ],
    )


def extreme_table(ends: Sequence[End]) -> ResultTable:
    """List the best and the worst by accuracy and by each estimator."""
    return ResultTable(
        "extremes",
        "The best and the worst",
        [
            Column("estimator", "estimator", [end.estimator for end in ends]),
            Column("end", "end", [end.name for end in ends]),
            Column("accuracy", "accuracy (%)", [end.accuracy for end in ends], "{:.2f}"),
            Column("rank", "true rank", [end.rank for end in ends], "{:,g}"),
            Column("tied", "tied", [end.tied for end in ends], "{:,}"),
            Column("arch", "identity", [str(end.arch) for end in ends]),
            Column("notation", "architecture", [end.notation for end in ends]),
        ],
        ["Tied: how many have the very best, or the very worst, estimate; where several, which is shown is chance."],
    )


def drawn_ends(ends: Sequence[End], space: SearchSpace) -> dict[str, dict[str, Svg]]:
    """Draw the best and the worst by accuracy and by each estimator: whose -> caption -> picture."""
    drawn: dict[str, dict[str, Svg]] = {}
    for end in ends:
        drawn.setdefault(end.estimator, {})[f"{end.name} by {end.estimator}"] = space.draw(end.arch)
    return drawn


def cell_pictures(space: SearchSpace) -> CellPictures | None:
    """Draw from what a page makes any cell of NATS topology; None for another space.

    The names of its operations are of one length, so that all cells of six edges have one layout.
    """
    if not isinstance(space, NatsTopologySpace):
        return None
    uniform = [space.draw(Arch(space.name, (choice,) * len(EDGES))) for choice in range(len(OPS))]
    return CellPictures(EDGES, uniform)


def find_ends(evidence: Evidence, order: Sequence[str], count: int) -> list[End]:
    """Find so many of the best and of the worst by accuracy and by each estimator."""
    return [
        end for name, merits in _rankings(evidence, order).items() for end in _ends_of(evidence, name, merits, count)
    ]


def _ends_of(evidence: Evidence, name: str, merits: np.ndarray, count: int) -> Iterator[End]:
    found = extremes(merits, min(count, int(np.isfinite(merits).sum())))
    ranks = Standings.of(evidence.truth).average_ranks()
    for end, places, tied in (("best", found.best, found.tied_best), ("worst", found.worst, found.tied_worst)):
        for number, place in enumerate(places.tolist(), start=1):
            arch, named = evidence.archs[place], end if number == 1 else f"{end}, no. {number}"
            accuracy, rank = float(evidence.truth[place]), float(ranks[place])
            yield End(name, named, arch, evidence.space.label(arch), accuracy, rank, tied)


def _rankings(evidence: Evidence, order: Sequence[str]) -> dict[str, np.ndarray]:
    return {TRUTH: evidence.truth, **{name: evidence.ranking[name] for name in order}}
