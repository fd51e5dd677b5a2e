"""The tables that say what becomes of supernets' rankings along training."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from lnas.analysis.distributions import QUANTILES
from lnas.pipeline.scores_study.along_training import AT, Course, Trained
from lnas.pipeline.scores_study.bias_tables import group_columns, rank_difference_column
from lnas.report.table import Column, ResultTable, WithDeviation

_SIGNED, _COUNT, _PERCENT, _POINTS, _SCORE = "{:+.3f}", "{:,}", "{:.1f}", "{:+.1f}", "{:.4g}"
_BR, _P = (AT.index(0.005), AT.index(0.05))
_QUANTILE_TITLES = ("least", "first quartile", "median", "third quartile", "greatest")


class _Row(NamedTuple):
    """An estimator of a supernet at a place among its epochs."""

    trained: Trained
    name: str
    course: Course
    place: int


def training_tables(trained: Sequence[Trained], key: str, size: str, resamples: int) -> list[ResultTable]:
    """Return all tables that there is something to fill with.

    Args:
        trained: What was found of each supernet.
        key: The accuracy that it was compared with.
        size: What stands for complexity.
        resamples: Of each interval.
    """
    if not trained:
        return []
    tables = [
        criteria_by_epoch(trained, key, resamples),
        distribution_by_epoch(trained),
        stability_by_epoch(trained),
        ensembles_by_epoch(trained, resamples),
        forgetting_by_epoch(trained),
        complexity_by_epoch(trained, size),
        operations_by_epoch(trained),
    ]
    return [table for table in tables if table is not None]


def criteria_by_epoch(trained: Sequence[Trained], key: str, resamples: int) -> ResultTable:
    """Say how well each estimator ranks at each time."""
    rows = list(_rows(trained))

    def at(name: str, k: int) -> list[float]:
        return [float(getattr(row.course.criteria, name)[row.place, k]) for row in rows]

    def of(name: str) -> list[float]:
        return [float(getattr(row.course.criteria, name)[row.place]) for row in rows]

    reasons = [row.course.undefined.get(row.course.epochs[row.place], "") for row in rows]
    return ResultTable(
        "training",
        f"Along training: how supernets rank by {key}",
        [
            *_names(rows),
            Column("kendall_tau", "Kendall's tau-b", [row.course.taus[row.place] for row in rows], _SIGNED),
            Column("spearman_r", "Spearman's rho", of("spearman_r"), _SIGNED),
            Column("pearson_r", "Pearson's r", of("pearson_r"), _SIGNED),
            Column("precision_at_top", "P@top 5 %", at("precision_at_top", _P), "{:.3f}"),
            Column("precision_at_bottom", "P@bottom 5 %", at("precision_at_bottom", _P), "{:.3f}"),
            Column("best_ranking", "BR@0.5 %", at("best_ranking", _BR), "{:.4f}"),
            Column("worst_ranking", "WR@5 %", at("worst_ranking", _P), "{:.4f}"),
            *([Column("undefined", "undefined because", reasons)] if any(reasons) else []),
        ],
        [
            f"As Ning et al. 2021, Fig. 1. Over {_archs_said(trained)}. Losses rank by their negative. In brackets "
            f"95 % intervals of tau: percentiles of {resamples:,} bootstrap resamples of the architectures, not of "
            "trainings. P: share of the K best (worst) by score among the K best (worst) by accuracy; at random K. "
            "BR: true rank, as a share of all, of the best among the K best by score, the lower the better; WR of the "
            "worst among the K worst. A dash for BR@0.5 % stands where that is less than one architecture.",
        ],
    )


def distribution_by_epoch(trained: Sequence[Trained]) -> ResultTable:
    """Say where scores lie at each time, and how many are the same."""
    rows = list(_rows(trained))

    def of(name: str) -> list[Any]:
        return [getattr(row.course.distributions, name)[row.place].item() for row in rows]

    return ResultTable(
        "distributions",
        "Along training: distribution of scores",
        [
            *_names(rows),
            Column("numbers", "with a number", of("counts"), _COUNT),
            Column("mean", "mean", of("mean"), _SCORE),
            Column("deviation", "deviation", of("deviation"), _SCORE),
            *(
                Column(
                    f"quantile_{quantile:g}",
                    title,
                    [float(row.course.distributions.quantiles[row.place, k]) for row in rows],
                    _SCORE,
                )
                for k, (quantile, title) in enumerate(zip(QUANTILES, _QUANTILE_TITLES, strict=True))
            ),
            Column("distinct", "different", of("distinct"), _COUNT),
            Column("tied", "pairs tied (%)", [100 * share for share in of("tied")], "{:.2f}"),
        ],
        [
            "As Ning et al. 2021, Fig. 2. Accuracies are fractions of the images that were evaluated, so that many are "
            "the same; losses are where two paths compute the same.",
        ],
    )


def stability_by_epoch(trained: Sequence[Trained]) -> ResultTable | None:
    """Say how far the ranking of one time foretells that of the next; None where there is only one time."""
    rows = [row for row in _rows(trained) if row.place]
    if not rows:
        return None

    def of(take: Callable[[Any], Any]) -> list[float | None]:
        found = [row.course.stability[row.place - 1] for row in rows]
        return [None if each is None else float(take(each)) for each in found]

    return ResultTable(
        "stability",
        "Along training: how stable rankings are",
        [
            Column("estimator", "estimator", [row.name for row in rows]),
            Column("earlier", "from epoch", [int(row.course.epochs[row.place - 1]) for row in rows]),
            Column("epoch", "to epoch", [int(row.course.epochs[row.place]) for row in rows]),
            Column("kendall_tau", "tau-b between them", of(lambda each: each.kendall_tau[0]), _SIGNED),
            Column("precision_at_top", "top 5 % in common", of(lambda each: each.precision_at_top[0, _P]), "{:.3f}"),
            Column(
                "precision_at_bottom",
                "bottom 5 % in common",
                of(lambda each: each.precision_at_bottom[0, _P]),
                "{:.3f}",
            ),
        ],
        [
            "As Ning et al. 2021, Fig. 7: Kendall's tau-b, and the share of the top and bottom 5 % that both have, of "
            "two rankings that follow each other. The further two times are apart, the lower. Ties are ordered at "
            "random: the 5 % of equal scores are not all in common even with themselves.",
        ],
    )


def ensembles_by_epoch(trained: Sequence[Trained], resamples: int) -> ResultTable | None:
    """Say what averaging the weights of several epochs is worth; None where nobody did."""
    found = [
        (name, epoch, difference)
        for each in trained
        for name, differences in each.ensembles.items()
        for epoch, difference in zip(each.followed.epochs, differences, strict=True)
    ]
    if not found:
        return None
    return ResultTable(
        "ensembles",
        "Along training: what an ensemble of weights is worth",
        [
            Column("estimator", "estimator", [name for name, *_ in found]),
            Column("epoch", "epoch", [int(epoch) for _, epoch, _ in found]),
            Column("difference", "tau-b more than without", [difference for *_, difference in found], _SIGNED),
        ],
        [
            "As Ning et al. 2021, Fig. 8: scores with the mean of the weights after several epochs, against those with "
            "the last weights alone. Paired: each "
            f"of {resamples:,} bootstrap resamples draws architectures and takes both taus of them; in brackets the "
            "95 % interval of the difference.",
        ],
    )


def forgetting_by_epoch(trained: Sequence[Trained]) -> ResultTable | None:
    """List forgetting values; None where none were recorded."""
    found = [
        (each.followed.label, *numbers)
        for each in trained
        if each.followed.forgetting is not None
        for numbers in zip(*(column.tolist() for column in each.followed.forgetting), strict=True)
    ]
    if not found:
        return None
    return ResultTable(
        "forgetting",
        "Along training: forgetting values",
        [
            Column("supernet", "supernet", [label for label, *_ in found]),
            Column("epoch", "epoch", [int(epoch) for _, epoch, *_ in found]),
            Column("count", "paths", [int(count) for _, _, count, *_ in found], _COUNT),
            Column(
                "value",
                "forgetting value (points)",
                [WithDeviation(100 * mean, 100 * deviation) for *_, mean, deviation in found],
                "{:+.2f}",
            ),
        ],
        [
            "As Ning et al. 2021, Fig. A14: accuracy of a path at the end of an epoch less that right after its "
            "training, in points; negative where others' training makes it forget. Mean ± standard deviation over the "
            "paths that were followed.",
        ],
    )


def complexity_by_epoch(trained: Sequence[Trained], size: str) -> ResultTable | None:
    """Say what estimators make of small and of large architectures at each time."""
    rows = [
        (row, groups, bias, group)
        for row in _rows(trained)
        if (groups := row.trained.groups) is not None and (bias := row.course.complexity[row.place]) is not None
        for group in range(len(bias.counts))
    ]
    if not rows:
        return None

    return ResultTable(
        "complexity_by_epoch",
        f"Along training: bias by complexity, groups by {size}",
        [
            *_names([row for row, *_ in rows]),
            *group_columns([(groups, group) for _, groups, _, group in rows], size),
            Column("counts", "architectures", [int(bias.counts[group]) for *_, bias, group in rows], _COUNT),
            rank_difference_column([(bias, group) for *_, bias, group in rows]),
            Column("tau", "tau-b inside", [float(bias.tau[group]) for *_, bias, group in rows], _SIGNED),
        ],
        [
            "As Ning et al. 2021, Fig. 5. Rank difference: true rank less estimated rank among all architectures with "
            "an estimate, positive where overestimated; mean ± standard deviation over the group. Group 1 is the "
            "smallest.",
        ],
    )


def operations_by_epoch(trained: Sequence[Trained]) -> ResultTable | None:
    """Say which operations estimators over- and underestimate at each time."""
    rows = [
        (row, bias, k)
        for row in _rows(trained)
        if (bias := row.course.operations[row.place]) is not None
        for k in range(len(bias.changes))
    ]
    if not rows:
        return None

    def percent(name: str) -> list[float]:
        return [100 * float(getattr(bias, name)[k]) for _, bias, k in rows]

    decisions = [bias.changes[k].decision for _, bias, k in rows]
    return ResultTable(
        "operations_by_epoch",
        "Along training: bias by operation",
        [
            *_names([row for row, *_ in rows]),
            *([Column("decision", "decision", decisions)] if len(set(decisions)) > 1 else []),
            Column("operation", "operation", [bias.changes[k].target for _, bias, k in rows]),
            Column("pairs", "pairs", [int(bias.pairs[k]) for _, bias, k in rows], _COUNT),
            Column("truth_rises", "accuracy rises (%)", percent("truth_rises"), _PERCENT),
            Column("estimate_rises", "estimate rises (%)", percent("estimate_rises"), _PERCENT),
            Column("excess", "excess", percent("excess"), _POINTS),
        ],
        [
            "After Ning et al. 2021, Sec. 5.1. Pairs of architectures that differ in one operation only. Rises: share "
            "of the pairs in which accuracy, or the estimate, is higher with the operation. Excess: rises of the "
            "estimate less those of accuracy, a tie counting half, in points; positive where overestimated. Few pairs "
            "say little.",
        ],
    )


def _rows(trained: Sequence[Trained]) -> Iterator[_Row]:
    for each in trained:
        for name, course in each.courses.items():
            for place in range(len(course.epochs)):
                yield _Row(each, name, course, place)


def _names(rows: Sequence[_Row]) -> list[Column]:
    return [
        Column("estimator", "estimator", [row.name for row in rows]),
        Column("epoch", "epoch", [int(row.course.epochs[row.place]) for row in rows]),
    ]


def _archs_said(trained: Sequence[Trained]) -> str:
    return ", ".join(f"{len(each.followed.archs):,} architectures of {each.followed.label}" for each in trained)
