"""The tables of measures that both results have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lnas.analysis.extremes import features_at_ends
from lnas.pipeline.comparing.measures import Agreement, Common, Worth
from lnas.report.table import Cell, Column, ResultTable
from lnas.spaces import SearchSpace
from lnas.stats import precision_at_top
from lnas.stats.standings import top_size

_SIGNED, _COUNT, _NUMBER, _PERCENT = "{:+.3f}", "{:,}", "{:.6g}", "{:.2f}"
_FEW = 5
_FEWEST = 2


class Compared(NamedTuple):
    """A measure with all that was found of it.

    Attributes:
        common: Its numbers.
        agreement: How alike A and B rank.
        worth: How well they rank by the truth; None where that is not known.
        verdict: What it comes to.
    """

    common: Common
    agreement: Agreement
    worth: Worth | None
    verdict: str

    @property
    def name(self) -> str:
        """The measure."""
        return self.common.pairing.name


def measure_table(found: Sequence[Compared], resamples: int) -> ResultTable:
    """Say of each measure how far A and B are apart."""
    gaps = [_gaps(each.common) for each in found]
    counts = [each.common.in_both for each in found]
    return ResultTable(
        "measures",
        "How far apart the numbers are",
        [
            Column("measure", "measure", [each.name for each in found]),
            Column("numbers", "in both", [int(own.sum()) for own in counts], _COUNT),
            Column("only_a", "only in A", [_only(each.common.a, each.common.b) for each in found], _COUNT),
            Column("only_b", "only in B", [_only(each.common.b, each.common.a) for each in found], _COUNT),
            Column("equal", "equal bit for bit", [_equal(each.common) for each in found], _COUNT),
            Column("mean", "mean of B - A", [own.mean() if len(own) else None for own in gaps], _NUMBER),
            Column("largest", "largest |B - A|", [np.abs(own).max() if len(own) else None for own in gaps], _NUMBER),
            Column("kendall_tau", "Kendall's tau-b", [each.agreement.kendall for each in found], _SIGNED),
            Column("spearman_r", "Spearman's rho", [each.agreement.spearman for each in found], _SIGNED),
        ],
        [
            "Over the architectures that have a number in both. Correlations between A and B, positive where both "
            "prefer the same ones, each in its own direction; in brackets 95 % intervals, percentiles of "
            f"{resamples:,} bootstrap resamples of the architectures. They say how far another sample of architectures "
            "could differ, not another seed. Measures of two names are compared by rank only."
        ],
    )


def worth_table(found: Sequence[Compared], key: str, resamples: int) -> ResultTable | None:
    """Say which of the two ranks better by the truth; None where nothing is known of it."""
    rows = [(each, each.worth) for each in found if each.worth is not None]
    if not rows:
        return None
    best = [_best(each.common) for each, _ in rows]
    return ResultTable(
        "truth",
        f"Whether it matters: against {key}",
        [
            Column("measure", "measure", [each.name for each, _ in rows]),
            Column("numbers", "architectures", [worth.n for _, worth in rows], _COUNT),
            Column("tau_a", "tau-b of A", [worth.a for _, worth in rows], _SIGNED),
            Column("tau_b", "tau-b of B", [worth.b for _, worth in rows], _SIGNED),
            Column("ahead", "B - A, paired", [worth.ahead for _, worth in rows], _SIGNED),
            Column("best_a", "A's best (%)", [one for one, _ in best], _PERCENT),
            Column("best_b", "B's best (%)", [other for _, other in best], _PERCENT),
            *_reasons([worth for _, worth in rows]),
        ],
        [
            "Kendall's tau-b with accuracy, positive where a measure is right. Paired: each of "
            f"{resamples:,} bootstrap resamples draws architectures and takes both taus of them, so that what both "
            "find hard cancels; in brackets the 95 % interval. For several measures at once it is no joint level. An "
            "architecture without a number ranks last. Best: accuracy of the architecture that is put first, the mean "
            "where several tie."
        ],
    )


def top_table(found: Sequence[Compared], at: Sequence[float]) -> ResultTable | None:
    """Say how much of A's top K is in B's, and what either is worth; None where no top has an architecture."""
    rows = [row for each in found for row in _tops(each, at)]
    if not rows:
        return None
    columns = [
        Column(name, title, [row[number] for row in rows], form)
        for number, (name, title, form) in enumerate(
            (
                ("measure", "measure", "{}"),
                ("k", "K", "{}"),
                ("size", "architectures", _COUNT),
                ("overlap", "overlap (%)", "{:.1f}"),
                ("accuracy_a", "A's top K (%)", _PERCENT),
                ("accuracy_b", "B's top K (%)", _PERCENT),
            )
        )
    ]
    notes = [
        "No row where K is less than one architecture, or more than there are. Overlap: how many of A's top K are in "
        "B's, ties ordered at random, of those with a number in both; by chance it is K. Behind it: mean accuracy "
        "of those of the top K of each whose accuracy is known."
    ]
    return ResultTable("top", "The best architectures of each", _filled(columns), notes)


def moved_table(found: Sequence[Compared], space: SearchSpace) -> ResultTable | None:
    """List the architectures that move most in rank; None where none moves."""
    rows = [(each, *move) for each in found for move in _moves(each.common)]
    if not rows:
        return None
    return ResultTable(
        "moved",
        "Which architectures move most",
        _filled(
            [
                Column("measure", "measure", [each.name for each, *_ in rows]),
                Column("a", "A", [float(each.common.a[place]) for each, place, *_ in rows], _NUMBER),
                Column("b", "B", [float(each.common.b[place]) for each, place, *_ in rows], _NUMBER),
                Column("rank_a", "rank in A", [one for *_, one, _ in rows], "{:,g}"),
                Column("rank_b", "rank in B", [other for *_, other in rows], "{:,g}"),
                Column(
                    "truth", "accuracy (%)", [float(each.common.truth[place]) for each, place, *_ in rows], _PERCENT
                ),
                Column("arch", "identity", [str(each.common.archs[place]) for each, place, *_ in rows]),
                Column("notation", "architecture", [space.label(each.common.archs[place]) for each, place, *_ in rows]),
            ]
        ),
        ["Ranks among those with a number in both: 1 is the best, ties by average."],
    )


def status_table(found: Sequence[Compared]) -> ResultTable | None:
    """Count the statuses that changed; None where none did."""
    rows = [(each, pair, count) for each in found for pair, count in sorted(each.common.changes.items())]
    if not rows:
        return None
    return ResultTable(
        "statuses",
        "Measurements that ended otherwise",
        [
            Column("measure", "measure", [each.name for each, *_ in rows]),
            Column("a", "in A", [pair[0] for _, pair, _ in rows]),
            Column("b", "in B", [pair[1] for _, pair, _ in rows]),
            Column("count", "architectures", [count for *_, count in rows], _COUNT),
            Column("first", "the first", [str(_first(each.common, pair)) for each, pair, _ in rows]),
        ],
        ["Missing: no number and no reason is kept."],
    )


def most_moved(own: Common, count: int) -> list[int]:
    """Return the places of the architectures that move most, those that move first, at most so many."""
    one, other = own.ranks()
    gaps = np.abs(other - one)
    order = np.argsort(-gaps, kind="stable")[:count]
    return [int(place) for place in np.flatnonzero(own.in_both)[order[gaps[order] > 0]]]


def _reasons(worths: Sequence[Worth]) -> list[Column]:
    reasons = [worth.undefined for worth in worths]
    return [Column("undefined", "undefined because", reasons)] if any(reasons) else []


def _moves(own: Common) -> Iterator[tuple[int, float, float]]:
    one, other = own.ranks()
    row = {int(place): number for number, place in enumerate(np.flatnonzero(own.in_both))}
    for place in most_moved(own, _FEW):
        yield place, float(one[row[place]]), float(other[row[place]])


def _filled(columns: Sequence[Column]) -> list[Column]:
    """Leave out columns without anything, such as accuracies where no truth was asked for."""
    return [column for column in columns if not all(cell is None or cell != cell for cell in column.cells)]


def _first(own: Common, pair: tuple[str, str]) -> object:
    return own.archs[list(own.statuses).index(pair)]


def _gaps(own: Common) -> np.ndarray:
    """Return B less A where both have a number; nothing for measures of two names."""
    return (own.b - own.a)[own.in_both] if own.pairing.is_same else np.empty(0)


def _equal(own: Common) -> int | None:
    return int(own.equal.sum()) if own.pairing.is_same else None


def _only(one: np.ndarray, other: np.ndarray) -> int:
    return int((np.isfinite(one) & ~np.isfinite(other)).sum())


def _best(own: Common) -> tuple[Cell, Cell]:
    known = np.isfinite(own.truth)
    one, other = (_accuracy(each[known], own.truth[known], 1) for each in own.merits)
    return one, other


def _accuracy(merits: np.ndarray, truth: np.ndarray, k: float) -> float | None:
    """Return the mean accuracy of those of the top K where it is known; None where all are ranked the same."""
    if len(np.unique(merits[np.isfinite(merits)])) < _FEWEST:
        return None
    return features_at_ends({"accuracy": truth}, merits, k).top["accuracy"]


def _tops(each: Compared, at: Sequence[float]) -> Iterator[tuple[Cell, ...]]:
    own, both = each.common, each.common.in_both
    a, b = (merits[both] for merits in own.merits)
    for k in at:
        size = _size(k, len(a))
        if size:
            overlap = 100 * precision_at_top(a, b, size)
            yield (
                each.name,
                _written(k),
                size,
                overlap,
                *(_accuracy(merits, own.truth[both], size) for merits in (a, b)),
            )


def _size(k: float, n: int) -> int:
    """Return how many the top K are; 0 where there are not so many."""
    if isinstance(k, int):
        return k if k <= n else 0
    return top_size("at", k, n) if n else 0


def _written(k: float) -> str:
    return f"{k:,}" if isinstance(k, int) else f"{100 * k:g} %"
