"""The tables of a study."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lnas.analysis.merits import merits
from lnas.analysis.random_searches import NOBODY, picks
from lnas.analysis.tau import Tau, tau_between, tau_within
from lnas.pipeline.study.measured import Measured
from lnas.pipeline.study.pool import Pool
from lnas.report.table import Column, ResultTable, WithDeviation, WithInterval
from lnas.spaces import SearchSpace

_TAU, _PERCENT = "{:+.2f}", "{:.2f}"
_INTERVALS = (
    "Kendall's tau-b, positive where the measure, whatever its direction, prefers what is more accurate, or larger; in "
    "brackets 95 % intervals: percentiles of 1,000 bootstrap resamples of the architectures. Ranks that are summed are "
    "those among all architectures of the table."
)
_SAME_SIZE = (
    "Same size: only pairs of architectures with the same number of parameters are compared; n counts those that share "
    "their size with another."
)


def stage_table(base: Measured, pool: Pool) -> ResultTable:
    """Correlate each of the base's own measures with the truth, over all sizes and within the same one."""
    found = {name: merits(name, base.trials, base.directions) for name in base.names}
    same_size = [tau_within(each, pool.accuracies, base.sizes) for each in found.values()]
    return ResultTable(
        "stages",
        "What the short training measures, over different sizes and within the same size",
        [
            Column("measure", "measure", list(found)),
            *_tau_columns("tau", "tau, all sizes", [tau_between(each, pool.accuracies) for each in found.values()]),
            *_tau_columns("tau_same_size", "tau, same size", same_size),
            Column("tau_same_size_pairs", "pairs", [tau.pairs for tau in same_size], "{:,}"),
        ],
        [f"As Tab. 3 of ST-NAS. Setting: {base.label}, protocol {base.protocol}.", _INTERVALS, _SAME_SIZE],
    )


def correlation_table(base: Measured, pool: Pool, ranks: Sequence[str], top: Sequence[int]) -> ResultTable:
    """Correlate rank expressions with the truth and with the number of parameters, over subsets of the pool."""
    rows = [
        (rank, subset, with_truth, with_size)
        for rank in ranks
        for subset, with_truth, with_size in _over_subsets(merits(rank, base.trials, base.directions), base, pool, top)
    ]
    return ResultTable(
        "correlations",
        "Correlation with accuracy and with the number of parameters",
        [
            Column("rank", "rank", [row[0] for row in rows]),
            Column("subset", "architectures", [row[1] for row in rows]),
            *_tau_columns("tau", "tau with accuracy", [row[2] for row in rows]),
            Column("tau_pairs", "pairs", [row[2].pairs for row in rows], "{:,}"),
            Column("tau_params", "tau with #Param", [_interval(row[3]) for row in rows], _TAU),
        ],
        [
            f"As Tab. 4 of ST-NAS, and Tab. 1 of its supplement. Setting: {base.label}, protocol {base.protocol}.",
            _INTERVALS,
            _SAME_SIZE,
        ],
    )


def search_table(base: Measured, pool: Pool, ranks: Sequence[str], searches: np.ndarray) -> ResultTable:
    """Say what random searches pick by several rank expressions, beside chance and the best there is."""
    found = {rank: picks(rank, base.trials, base.directions, searches) for rank in ranks}
    found |= {"a random candidate": searches[:, 0], "the best candidate": _best(searches, pool.accuracies)}
    return ResultTable(
        "searches",
        "What random searches pick",
        [
            Column("rank", "rank", list(found)),
            Column("accuracy", "accuracy of the pick (%)", [_picked(each, pool) for each in found.values()], _PERCENT),
            Column("trivial", "trivial picks (%)", [_share_trivial(each, pool) for each in found.values()], "{:.1f}"),
            Column("searches", "searches", [int((each != NOBODY).sum()) for each in found.values()]),
        ],
        [
            f"As Tab. 5 of ST-NAS. Setting: {base.label}, protocol {base.protocol}.",
            _of_searches(searches, pool),
        ],
    )


def ablation_table(
    settings: Sequence[Measured], readings: Sequence[Measured], pool: Pool, rank: str, searches: np.ndarray
) -> ResultTable:
    """Compare settings by what random searches pick, by their correlation with the truth, and by their time."""
    rows = [*settings, *readings]
    found = [merits(rank, row.trials, row.directions) for row in rows]
    with_size = [tau_between(merit, row.sizes) for merit, row in zip(found, rows, strict=True)]
    picked = [picks(rank, row.trials, row.directions, searches) for row in rows]
    notes = [
        f"As Tab. 9 of ST-NAS. Every setting with the rank {rank}, in the same searches.",
        _of_searches(searches, pool),
        _INTERVALS,
        "Seconds: mean of one measurement, on the machine and with the threads of this study.",
    ]
    if readings:
        notes.append(
            "Steps of a setting are read from the curves of its trainings, not trained apart: the angle after, and the "
            "loss of that step before its update; the seconds are their share."
        )
    return ResultTable(
        "ablation",
        "Settings of the short training",
        [
            Column("setting", "setting", [row.label for row in rows]),
            Column("accuracy", "accuracy of the pick (%)", [_picked(each, pool) for each in picked], _PERCENT),
            Column("trivial", "trivial picks (%)", [_share_trivial(each, pool) for each in picked], "{:.1f}"),
            *_tau_columns("tau", "tau with accuracy", [tau_between(each, pool.accuracies) for each in found]),
            Column("tau_params", "tau with #Param", [_interval(tau) for tau in with_size], _TAU),
            Column("seconds", "seconds", [row.seconds for row in rows], "{:.2f}"),
            Column("protocol", "protocol", [row.protocol for row in rows]),
        ],
        notes,
    )


def pool_table(measured: Sequence[Measured], pool: Pool, space: SearchSpace, truth: str) -> ResultTable:
    """List the pool with all that was measured."""
    base = measured[0]
    shared = [name for name in base.directions if name not in base.names]
    columns = [
        Column("arch", "identity", [str(arch) for arch in pool.archs]),
        Column("notation", "architecture", [space.format(arch) for arch in pool.archs]),
        Column("accuracy", f"{truth} (%)", pool.accuracies.tolist(), _PERCENT),
        Column("trivial", "trivial", [int(flag) for flag in pool.trivial]),
    ]
    columns += [Column(name, name, base.values(name).tolist(), "{:.4g}") for name in shared]
    columns += [
        Column(f"{setting.label}: {name}", f"{setting.label}: {name}", _filled(setting.values(name), pool), "{:.4g}")
        for setting in measured
        for name in setting.names
    ]
    return ResultTable("pool", "The architectures and what was measured", columns)


def _filled(values: np.ndarray, pool: Pool) -> list[float]:
    """Return a number for each architecture of the pool: the last are not measured under every setting."""
    return [*values.tolist(), *[np.nan] * (len(pool.archs) - len(values))]


def _over_subsets(
    merit: np.ndarray, base: Measured, pool: Pool, top: Sequence[int]
) -> list[tuple[str, Tau, Tau | None]]:
    order = np.argsort(-pool.accuracies, kind="stable")
    rows: list[tuple[str, Tau, Tau | None]] = [
        ("all", tau_between(merit, pool.accuracies), tau_between(merit, base.sizes)),
        ("same size", tau_within(merit, pool.accuracies, base.sizes), None),
    ]
    for count in top:
        best = order[:count]
        among = merit[best]
        rows.append((f"top {count}", tau_between(among, pool.accuracies[best]), tau_between(among, base.sizes[best])))
    return rows


def _tau_columns(name: str, title: str, taus: Sequence[Tau]) -> list[Column]:
    return [
        Column(name, title, [_interval(tau) for tau in taus], _TAU),
        Column(f"{name}_n", "n", [tau.compared for tau in taus], "{:,}"),
    ]


def _interval(tau: Tau | None) -> WithInterval | None:
    return WithInterval(tau.value, tau.low, tau.high) if tau else None


def _best(searches: np.ndarray, accuracies: np.ndarray) -> np.ndarray:
    return searches[np.arange(len(searches)), accuracies[searches].argmax(axis=1)]


def _picked(picked: np.ndarray, pool: Pool) -> WithDeviation | None:
    return WithDeviation.of(pool.accuracies[picked[picked != NOBODY]])


def _share_trivial(picked: np.ndarray, pool: Pool) -> float | None:
    found = pool.trivial[picked[picked != NOBODY]]
    return 100 * float(found.mean()) if len(found) else None


def _of_searches(searches: np.ndarray, pool: Pool) -> str:
    return (
        f"{len(searches):,} random searches, each among {searches.shape[1]} of the {len(pool.archs)} architectures, "
        "drawn without replacement, ranks among its own candidates: mean and standard deviation over the searches, "
        "which share the pool and are not independent."
    )
