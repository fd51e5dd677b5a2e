"""The tables that say how far estimators vary, and what averaging them is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from lnas.pipeline.scores_study.repeats import Repeated
from lnas.report.table import Column, ResultTable, WithDeviation

_SIGNED, _COUNT = "{:+.3f}", "{:,}"


def repeat_tables(found: Mapping[str, Repeated], key: str) -> list[ResultTable]:
    """Return all tables that there is something to fill with.

    Args:
        found: Estimator -> how far it varies.
        key: The accuracy that it was compared with.
    """
    levels = {name: each for name, each in found.items() if each.levels is not None}
    tables = [_variance_table(found), _average_table(found, key)] if found else []
    return [*tables, _level_table(levels, key)] if levels else tables


def _variance_table(found: Mapping[str, Repeated]) -> ResultTable:
    variances = [own.variance for own in found.values()]
    pairs = [own.taus[np.triu_indices(len(own.taus), k=1)] for own in variances]
    return ResultTable(
        "repeats",
        "How far repeats of an estimator differ",
        [
            Column("estimator", "estimator", list(found)),
            Column("repeats", "repeats", [len(own.taus) for own in variances], _COUNT),
            Column("compared", "architectures", [own.compared for own in variances], _COUNT),
            Column("missing", "without one of them", [own.missing for own in variances], _COUNT),
            Column("tau", "tau-b between two, mean", [own.mean_tau for own in variances], _SIGNED),
            Column("least_tau", "least", [float(own.min()) for own in pairs], _SIGNED),
            Column("greatest_tau", "greatest", [float(own.max()) for own in pairs], _SIGNED),
            Column(
                "rank_deviation",
                "deviation of the rank, mean",
                _means([v.rank_deviation for v in variances]),
                "{:,.1f}",
            ),
            Column("deviation", "deviation of the estimate, mean", _means([v.deviation for v in variances]), "{:.4g}"),
        ],
        [
            "After Ning et al. 2021, Sec. 5.3. Repeats are by other seeds or on other batches, as the files say. "
            "Kendall's tau-b of each two repeats; standard deviations over the repeats of each architecture, one less "
            "in the divisor, averaged over the architectures; ranks among those compared.",
        ],
    )


def _average_table(found: Mapping[str, Repeated], key: str) -> ResultTable:
    rows = [(name, own.averages, k) for name, own in found.items() for k in range(len(own.averages.repeats))]
    return ResultTable(
        "averages",
        f"What averaging repeats is worth: tau with {key}",
        [
            Column("estimator", "estimator", [name for name, *_ in rows]),
            Column("repeats", "averaged", [int(own.repeats[k]) for _, own, k in rows], _COUNT),
            Column(
                "tau",
                "Kendall's tau-b",
                [WithDeviation(float(own.mean[k]), float(own.deviation[k])) for _, own, k in rows],
                "{:.3f}",
            ),
            Column("choices", "choices", [int(own.choices[k]) for _, own, k in rows], _COUNT),
        ],
        [
            "As Ning et al. 2021, Fig. 3 for batches and Fig. 8 for supernets. Mean ± standard deviation over choices "
            "of so many repeats, which share some and are not independent; all choices, or 100 of them drawn.",
        ],
    )


def _level_table(found: Mapping[str, Repeated], key: str) -> ResultTable:
    levels = [own.levels for own in found.values() if own.levels is not None]
    return ResultTable(
        "levels",
        f"What more repeats make of ties: tau with {key} inside levels",
        [
            Column("estimator", "estimator", list(found)),
            Column("shared", "levels of several", [len(own.levels) for own in levels], _COUNT),
            Column("total", "levels", [own.total for own in levels], _COUNT),
            Column("archs", "architectures in them", [int(own.counts.sum()) for own in levels], _COUNT),
            Column("tau", "tau-b inside, mean", [_weighted(own.tau, own.counts) for own in levels], _SIGNED),
            Column("negative", "below 0 (%)", [_share_below(own.tau) for own in levels], "{:.1f}"),
        ],
        [
            "As Ning et al. 2021, Fig. 3, upper right. A level is what the first repeat ties, such as as many images "
            "that are right. Tau-b of the mean of all repeats inside it, averaged over the levels by how many pairs "
            "each has; negative where more data orders wrongly what little data left tied.",
        ],
    )


def _means(rows: Sequence[np.ndarray]) -> list[float]:
    return [float(np.nanmean(row)) for row in rows]


def _weighted(taus: np.ndarray, counts: np.ndarray) -> float:
    known = np.isfinite(taus)
    pairs = counts[known] * (counts[known] - 1)
    return float(taus[known] @ pairs / pairs.sum()) if known.any() else np.nan


def _share_below(taus: np.ndarray) -> float:
    known = taus[np.isfinite(taus)]
    return 100 * float((known < 0).mean()) if len(known) else np.nan
