"""What was measured, as a table of scores and as a summary of each measure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from rich.table import Table

from lnas.benchmarks import Scores
from lnas.pipeline.reasons import reason
from lnas.pipeline.scoring.agreement import Correlation, RankAgreement
from lnas.pipeline.scoring.collecting import Estimates
from lnas.pipeline.scoring.parts import Part
from lnas.spaces import SearchSpace
from lnas.types import Arch, Estimate


@dataclass(frozen=True)
class MeasureSummary:
    """How one measure fared.

    Attributes:
        name: Of the measure.
        ok: How many architectures have a number.
        nonfinite: For how many it came out as inf or NaN.
        failed: For how many it could not be computed.
        seconds: Mean time of a measurement; measures that were taken together share it.
        reason: Why the first one without a number has none; empty where all have one.
        agreement: With the truth, where there is one to compare with.
    """

    name: str
    ok: int
    nonfinite: int
    failed: int
    seconds: float
    reason: str
    agreement: RankAgreement | None


def by_arch(
    archs: Iterable[Arch], parts: Sequence[Part], known: Sequence[Mapping[Arch, Estimates]]
) -> dict[Arch, dict[str, Estimate]]:
    """Give every architecture the estimates of all parts, its own or those of the one that stands for it."""
    found: dict[Arch, dict[str, Estimate]] = {}
    for arch in archs:
        found[arch] = {}
        for part, estimates in zip(parts, known, strict=True):
            found[arch] |= estimates[part.stand_in(arch)]
    return found


def score_table(estimates: Mapping[Arch, Estimates], names: Sequence[str], space: SearchSpace) -> Scores:
    """Lay out the numbers, a row per architecture."""
    rows = list(estimates.values())
    return Scores(
        tuple(estimates),
        {name: np.array([row[name].value for row in rows]) for name in names},
        tuple(space.format(arch) for arch in estimates),
        tuple(_problems(row, names) for row in rows),
    )


def summarize(name: str, estimates: Sequence[Estimate], agreement: RankAgreement | None) -> MeasureSummary:
    """Count how one measure fared with each architecture."""
    measured = {id(estimate): estimate.seconds for estimate in estimates}  # members of a class share theirs
    statuses = [estimate.status for estimate in estimates]
    without = next((estimate for estimate in estimates if estimate.status != "ok"), None)
    return MeasureSummary(
        name,
        statuses.count("ok"),
        statuses.count("nonfinite"),
        statuses.count("failed"),
        sum(measured.values()) / len(measured),
        reason(without) if without else "",
        agreement,
    )


def summary_table(summaries: Sequence[MeasureSummary], title: str, truth: str | None) -> Table:
    """Lay out the summaries for the terminal."""
    table = Table(title=title, title_justify="left", pad_edge=False)
    table.add_column("measure")
    for column in ("ok", "nonfinite", "failed", "seconds each"):
        table.add_column(column, justify="right")
    if truth:
        for column in ("Kendall's tau-b [95 %]", "Spearman's rho [95 %]", "n"):
            table.add_column(column, justify="right")
        table.caption = f"Correlations with {truth}: positive where a measure is right, whatever its direction"
    for summary in summaries:
        counts = [f"{count:,}" for count in (summary.ok, summary.nonfinite, summary.failed)]
        table.add_row(summary.name, *counts, f"{summary.seconds:.3g}", *(_agreement(summary) if truth else ()))
    return table


def _problems(row: Estimates, names: Sequence[str]) -> str:
    return ", ".join(f"{name} {row[name].status}" for name in names if row[name].status != "ok")


def _agreement(summary: MeasureSummary) -> tuple[str, str, str]:
    found = summary.agreement
    if found is None:
        return "-", "-", "fewer than 2"
    return _correlation(found.kendall), _correlation(found.spearman), f"{found.compared:,}"


def _correlation(correlation: Correlation) -> str:
    value, (low, high) = correlation
    return "undefined" if math.isnan(value) else f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"
