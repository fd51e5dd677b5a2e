"""The tables that say how well estimators rank."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from lnas.pipeline.scores_study.correlations import Asked
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.pipeline.scores_study.subsets import ALL, SAME_SIZE, subsets_of
from lnas.pipeline.scores_study.undefined import why_undefined
from lnas.report.table import Column, ResultTable, WithInterval
from lnas.stats import criteria, kendall_tau
from lnas.stats.correlation_intervals import Correlation
from lnas.stats.standings import Standings

Found = Mapping[Asked, WithInterval]

_SIGNED, _COUNT, _PERCENT = "{:+.3f}", "{:,}", "{:.1f}"
_TITLES: Mapping[Correlation, str] = {
    "kendall_tau": "Kendall's tau-b",
    "spearman_r": "Spearman's rho",
    "pearson_r": "Pearson's r",
}
_NOTHING_LAST = "An architecture without a finite estimate ranks last, with all others that lack one."


def correlation_table(evidence: Evidence, order: Sequence[str], found: Found, resamples: int) -> ResultTable:
    """Correlate every estimator with the main truth; those that rank nothing come last, and say why."""
    names = [*order, *evidence.undefined]
    counts = criteria(evidence.merits, evidence.truth, at=())
    place = {name: number for number, name in enumerate(counts.estimators)}
    missing = [int(counts.missing[place[name]]) for name in names]
    return ResultTable(
        "correlations",
        f"Correlation with {evidence.key}",
        [
            Column("estimator", "estimator", names),
            Column("better", "better", ["high" if evidence.directions[name] else "low" for name in names]),
            *(
                Column(which, title, [found.get(Asked(name, evidence.key, ALL, which)) for name in names], _SIGNED)
                for which, title in _TITLES.items()
            ),
            Column("numbers", "with a number", [len(evidence.archs) - count for count in missing], _COUNT),
            Column("missing", "without", missing, _COUNT),
            Column("tied", "pairs tied (%)", [100 * float(counts.tied[place[name]]) for name in names], _PERCENT),
            *_reasons(evidence, names),
        ],
        [
            "Positive where an estimator, whatever its direction, prefers what is more accurate. In brackets 95 % "
            f"intervals: percentiles of {resamples:,} bootstrap resamples of the {len(evidence.archs):,} "
            "architectures, the same for all estimators. They say how far another sample of architectures could "
            "differ, not another seed of an estimator.",
            f"Tau is variant b, which corrects for ties. {_NOTHING_LAST} Pearson's r leaves it out.",
        ],
    )


def criteria_table(evidence: Evidence, order: Sequence[str], at: Sequence[float]) -> ResultTable:
    """Say how well the top and the bottom K are found and ordered."""
    found = criteria({name: evidence.ranking[name] for name in order}, evidence.truth, at)
    rows = [(m, k) for m in range(len(order)) for k in range(len(at))]

    def column(name: str, title: str, form: str) -> Column:
        return Column(name, title, [float(getattr(found, name)[row]) for row in rows], form)

    return ResultTable(
        "criteria",
        "The best and the worst architectures",
        [
            Column("estimator", "estimator", [order[m] for m, _ in rows]),
            Column("k", "K", [_written(at[k]) for _, k in rows]),
            Column("size", "architectures", [int(found.sizes[k]) for _, k in rows], _COUNT),
            column("precision_at_top", "P@top K", "{:.3f}"),
            column("precision_at_bottom", "P@bottom K", "{:.3f}"),
            column("best_ranking", "BR@K", "{:.4f}"),
            column("worst_ranking", "WR@K", "{:.4f}"),
            column("tau_at_top", "tau in top K", _SIGNED),
            column("tau_at_bottom", "tau in bottom K", _SIGNED),
        ],
        [
            f"As Ning et al. 2021, Sec. 3, by {evidence.key} over {len(evidence.archs):,} architectures. "
            "P@top K: share of the estimator's K best that are among the true K best. "
            "BR@K: true rank, as a share of all, of the best among its K best, the lower the better; WR@K of the worst "
            "among its K worst. Tau in the top K: tau-b among its K best. Ties are ordered at random: these are "
            "expectations.",
            f"A dash stands where K is less than one architecture, or all of the K tie. {_NOTHING_LAST}",
        ],
    )


def subset_table(evidence: Evidence, order: Sequence[str], found: Found, top: Sequence[int], size: str) -> ResultTable:
    """Correlate with every truth, over all architectures, over the best, and among those of one size."""
    rows = [(name, key) for name in order for key in evidence.truths]
    subsets = [*subsets_of(evidence.truth, top), SAME_SIZE]
    notes = [
        "As Tab. 1 of the supplement of Yang et al. 2023. Kendall's tau-b. A top is by the accuracy of the row; where "
        f"accuracies tie across its end, the first given are in it. Same size: only pairs of the same {size} are "
        "compared; without an interval, and with a dash where no such pair differs in both.",
        *_undefined_notes(evidence, top),
    ]
    return ResultTable(
        "subsets",
        "Correlation over all, among the best, and at the same size",
        [
            Column("estimator", "estimator", [name for name, _ in rows]),
            Column("key", "accuracy", [key for _, key in rows]),
            *(
                Column(
                    f"tau_{subset.replace(',', '').replace(' ', '_')}",
                    subset,
                    [_plain(found.get(Asked(*row, subset, "kendall_tau")), subset) for row in rows],
                    _SIGNED,
                )
                for subset in subsets
            ),
        ],
        notes,
    )


def difference_table(
    evidence: Evidence, order: Sequence[str], found: Found, baseline: str, resamples: int
) -> ResultTable | None:
    """Compare every estimator with the baseline; None where there is no other."""
    others = [name for name in order if name != baseline]
    if not others:
        return None
    differences = [found[Asked(name, evidence.key, ALL, "kendall_tau", baseline)] for name in others]
    return ResultTable(
        "differences",
        f"How far tau is from that of {baseline}",
        [
            Column("estimator", "estimator", others),
            Column("difference", "difference of tau-b", differences, _SIGNED),
            Column("verdict", "verdict", [_verdict(each) for each in differences]),
        ],
        [
            f"Kendall's tau-b with {evidence.key} over the {len(evidence.archs):,} architectures, less that of "
            f"{baseline}. Paired: each of {resamples:,} bootstrap resamples draws architectures and takes both taus of "
            "them; in brackets the 95 % interval. Decided where that is on one side of 0; for several comparisons at "
            "once it is no joint level.",
        ],
    )


def agreement_table(evidence: Evidence, order: Sequence[str]) -> ResultTable:
    """Correlate accuracies and estimators with each other."""
    every = {**evidence.truths, **{name: evidence.ranking[name] for name in order}}
    ranks = {name: -Standings.of(values).average_ranks() for name, values in every.items()}
    taus = {
        (one, other): 1.0 if one == other else kendall_tau(ranks[one], ranks[other])
        for number, one in enumerate(ranks)
        for other in list(ranks)[number:]
    }
    return ResultTable(
        "agreement",
        "How alike accuracies and estimators rank",
        [
            Column("ranking", "tau-b", list(ranks)),
            *(
                Column(one, one, [taus.get((one, other), taus.get((other, one))) for other in ranks], "{:+.2f}")
                for one in ranks
            ),
        ],
        [
            f"As Ning et al. 2021, Fig. 4. Kendall's tau-b over the {len(evidence.archs):,} architectures, every "
            f"estimator in its own direction. {_NOTHING_LAST}"
        ],
    )


def _reasons(evidence: Evidence, names: Sequence[str]) -> list[Column]:
    if not evidence.undefined:
        return []
    return [Column("undefined", "undefined because", [evidence.undefined.get(name, "") for name in names])]


def _undefined_notes(evidence: Evidence, top: Sequence[int]) -> list[str]:
    reasons = [
        f"{name} over the {subset} by {key}: {reason}"
        for key, truth in evidence.truths.items()
        for subset, places in subsets_of(truth, top).items()
        for name, merits in evidence.ranking.items()
        if (reason := why_undefined(merits[places], truth[places]))
    ]
    return [f"Undefined: {'; '.join(reasons)}."] if reasons else []


def _plain(cell: WithInterval | None, subset: str) -> WithInterval | float | None:
    return cell.value if cell is not None and subset == SAME_SIZE else cell


def _verdict(difference: WithInterval) -> str:
    if math.isnan(difference.low) or difference.low <= 0 <= difference.high:
        return "not decided"
    return "better" if difference.low > 0 else "worse"


def _written(k: float) -> str:
    return f"{k:,}" if isinstance(k, int) else f"{100 * k:g} %"
