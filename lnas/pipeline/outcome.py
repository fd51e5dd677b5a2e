"""What a run found, as a report, as a table, and as W&B sees it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from lnas.analysis.racing import Raced
from lnas.pipeline.lineage import track_found, track_trained
from lnas.pipeline.picking import verdict
from lnas.pipeline.reasons import reason
from lnas.pipeline.retraining.training import Retrained
from lnas.pipeline.tracking import Tracker
from lnas.pipeline.truth import Truth, compare
from lnas.report import RankedCandidate, RetrainedPick, RunReport, TruthComparison, number
from lnas.spaces import SearchSpace
from lnas.stats import RankSum, measure_names
from lnas.store import Pick, write_whole
from lnas.types import Arch, Estimate, Trial

_ROWS_SHOWN = 10


def run_report(
    title: str,
    space: SearchSpace,
    rank: str,
    trials: Sequence[Trial],
    ranking: RankSum,
    picks: Sequence[Pick],
    trained: Mapping[Arch, Sequence[Retrained]],
    test_images: int,
    settings: Mapping[str, Any],
    provenance: Mapping[str, Any],
    replay: str,
    truth: Truth | None = None,
    raced: Raced | None = None,
) -> RunReport:
    """Collect what the report shows, from what the store holds."""
    accuracies = {
        arch: [item.value for result in results if (item := result.estimates["test_acc"]).status == "ok"]
        for arch, results in trained.items()
    }
    positions = {trials[index].arch: position for position, index in enumerate(ranking.order, start=1)}
    true = truth.accuracies([trial.arch for trial in trials], space) if truth else [None] * len(trials)
    rows = [
        _row(position, space, trials[index], float(ranking.total[index]), rank, picks, accuracies, true[index])
        for position, index in enumerate(ranking.order, start=1)
    ]
    if raced:
        rows = [replace(row, steps=int(raced.steps[index])) for row, index in zip(rows, ranking.order, strict=True)]
    shown = [
        RetrainedPick(
            pick.role,
            space.format(pick.arch),
            space.draw(pick.arch),
            positions.get(pick.arch),
            accuracies.get(pick.arch, ()),
            [result.curves for result in trained.get(pick.arch, ())],
        )
        for pick in picks
    ]
    seconds = {
        "short training and counting": _total_seconds(raced.measured if raced else [[t.estimates] for t in trials]),
        "retraining": _total_seconds([result.estimates] for results in trained.values() for result in results),
    }
    notes = [_course(raced)] if raced else []
    notes += [
        f"{count} of {len(trials)} candidates have no finite {name} and rank last; {first_reason(trials, name)}."
        for name, count in ranking.missing.items()
        if count
    ]
    return RunReport(
        title,
        verdict(shown, test_images),
        rank,
        rows,
        shown,
        notes,
        settings,
        provenance,
        replay,
        seconds,
        _compare(truth.key, true, ranking, raced) if truth else None,
    )


def _course(raced: Raced) -> str:
    """Say how many candidates got how far, and how many steps that saved."""
    (few, started), *later = ((steps, len(measured)) for steps, measured in raced.rungs.items())
    rungs = [
        f"{started:,} candidates trained for {few:,} steps",
        *(f"{count:,} for {steps:,}" for steps, count in later),
    ]
    full = started * max(raced.rungs)
    share = f"{raced.spent:,} of {full:,} steps in all ({100 * raced.spent / full:.1f} %)"
    return f"A race: {', '.join(rungs)}; {share}. Until the last, {raced.ranks[few]} decided who goes on."


def _compare(key: str, accuracies: Sequence[float | None], ranking: RankSum, raced: Raced | None) -> TruthComparison:
    if raced is None:
        return compare(key, accuracies, ranking)
    return compare(key, accuracies, ranking._replace(total=raced.places), "place in the race")


def first_reason(trials: Sequence[Trial], name: str) -> str:
    """Say why the first of the trials without a number has none."""
    estimate = next(trial.estimates[name] for trial in trials if trial.estimates[name].status != "ok")
    return f"the first {reason(estimate)}"


def ranking_table(report: RunReport) -> Table:
    """Lay out the best candidates and the picks for the terminal."""
    measures = list(report.ranking[0].values)
    table = Table(title=f"Ranking by {report.rank}", title_justify="left", pad_edge=False)
    benchmark = ["benchmark"] if report.truth else []
    steps = ["steps"] if report.is_race else []
    for name in ("no.", *steps, "sum", *measures, *benchmark, "test acc."):
        table.add_column(name, justify="right")
    table.add_column("picked as")
    table.add_column("cell", overflow="fold")
    hidden = 0
    for row in report.ranking:
        if row.position > _ROWS_SHOWN and not row.roles:
            hidden += 1
            continue
        table.add_row(
            str(row.position),
            *([str(row.steps)] if steps else []),
            f"{row.rank_sum:g}",
            *map(number, row.values.values()),
            *([_percent(row.true_acc)] if benchmark else []),
            "" if row.test_acc is None else f"{100 * row.test_acc:.2f} %",
            ", ".join(row.roles),
            Text(row.arch),
            style="bold" if "winner" in row.roles else "",
        )
    if hidden:
        table.caption = f"{hidden} more in the report"
    return table


def track_outcome(tracker: Tracker, report: RunReport, space: SearchSpace, winner: Arch, weights: Path) -> None:
    """Log the ranking as a table, the outcome as a summary, the found cell and its trained network as artifacts."""
    measures = list(report.ranking[0].values)
    columns = ["position", "rank_sum", *measures, "picked_as", "test_acc", "arch"]
    rows: list[list[Any]] = [
        [row.position, row.rank_sum, *row.values.values(), ", ".join(row.roles), row.test_acc, row.arch]
        for row in report.ranking
    ]
    if report.is_race:
        columns.append("steps")
        rows = [[*cells, row.steps] for cells, row in zip(rows, report.ranking, strict=True)]
    tracker.table("ranking", columns, rows)
    outcome = {
        f"test_acc/{pick.role}": sum(pick.test_acc) / len(pick.test_acc) for pick in report.picks if pick.test_acc
    }
    taus = {f"tau/{name}": tau for name, tau in report.truth.agreements} if report.truth else {}
    tracker.summary({"winner": report.picks[0].arch, "verdict": report.verdict, **outcome, **taus})
    cell = {"arch": report.picks[0].arch, "genes": list(winner.genes), "space": winner.space, **outcome}
    weights.mkdir(parents=True, exist_ok=True)
    write_whole(weights / "cell.json", json.dumps(cell, indent=2).encode())
    write_whole(weights / "cell.svg", report.picks[0].svg.encode())
    track_found(tracker, space, winner)
    track_trained(tracker, winner, weights, outcome)


def _row(
    position: int,
    space: SearchSpace,
    trial: Trial,
    total: float,
    rank: str,
    picks: Sequence[Pick],
    accuracies: Mapping[Arch, Sequence[float]],
    true_acc: float | None,
) -> RankedCandidate:
    reached = accuracies.get(trial.arch)
    loss = trial.estimates.get("loss")
    return RankedCandidate(
        position,
        space.label(trial.arch),
        total,
        {name: _finite(trial.estimates[name]) for name in measure_names(rank)},
        [pick.role for pick in picks if pick.arch == trial.arch],
        sum(reached) / len(reached) if reached else None,
        loss.detail.get("curves", {}).get("loss", ()) if loss else (),
        true_acc,
    )


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} %"


def _finite(estimate: Estimate) -> float | None:
    return estimate.value if estimate.status == "ok" else None


def _total_seconds(groups: Iterable[Sequence[Mapping[str, Estimate]]]) -> float:
    """Add up wall times; measures that were taken together share theirs, at every rung that looks at them."""
    return sum(sum({item.seconds for estimates in group for item in estimates.values()}) for group in groups)
