"""The tables of `lnas search`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from lnas.pipeline.search.findings import Findings
from lnas.report.table import Cell, Column, ResultTable, WithDeviation, WithInterval
from lnas.search import NSGA2, PruningSearch
from lnas.spaces import SearchSpace
from lnas.stats import welch_interval
from lnas.types import Region, Trial

_PERCENT, _SIGNED, _COUNT = "{:.2f}", "{:+.2f}", "{:,.0f}"


def found_table(findings: Sequence[Findings], at: Sequence[int]) -> ResultTable:
    """Say what the answers are worth: mean and deviation over the repeats, a row per judge, strategy and moment.

    Args:
        findings: Of each strategy and judge.
        at: After how many evaluations besides the end.
    """
    rows = [(found, counted) for found in findings for counted in _moments(found, at)]
    truths = list(dict.fromkeys(label for found in findings for label in found.bench.truths))
    columns = [
        Column("judge", "judge", [found.bench.label for found, _ in rows]),
        Column("strategy", "strategy", [found.strategy for found, _ in rows]),
        Column("evaluations", "evaluations", [_spread(found.evaluations(n)) for found, n in rows], _COUNT),
        Column("seconds", "seconds", [_spread(found.seconds(n)) for found, n in rows], "{:,.1f}"),
    ]
    columns += [
        Column(label, f"{label} (%)", [_spread(found.found(label, n)) for found, n in rows], _PERCENT)
        for label in truths
    ]
    columns.append(Column("searches", "searches", [len(found.searches) for found, _ in rows]))
    notes = ["Mean ± standard deviation over the searches of a row, each with a seed of its own."]
    if any(found.searches[0].course.strategy.free for found in findings):
        notes.append("Evaluations: those that the budget counts; seconds include the others.")
    without = {_named(found, None): found.without for found in findings if found.without}
    if without:
        listed = ", ".join(f"{name} {count:,}" for name, count in without.items())
        notes.append(f"Evaluations without a number: {listed}.")
    lacking = [f"{label} of {_named(found, n)}: {count:,}" for found, n in rows for label, count in _lacking(found, n)]
    if lacking:
        notes.append(f"Searches that a mean leaves out, since no such accuracy is known: {'; '.join(lacking)}.")
    return ResultTable("found", "What was found", columns, notes)


def difference_table(findings: Sequence[Findings]) -> ResultTable | None:
    """Compare every strategy with the first by the same judge; None where there is nothing to compare."""
    first = {found.bench.label: found for found in reversed(findings)}
    rows = [found for found in findings if found is not first[found.bench.label] and found.bench.truths]
    if not rows:
        return None
    truths = list(dict.fromkeys(label for found in rows for label in found.bench.truths))
    pairs = [(found, first[found.bench.label]) for found in rows]
    columns = [
        Column("judge", "judge", [found.bench.label for found in rows]),
        Column("strategy", "strategy", [found.strategy for found in rows]),
        Column("than", "than", [other.strategy for _, other in pairs]),
        *(
            Column(label, f"{label} (points)", [_ahead(found, other, label) for found, other in pairs], _SIGNED)
            for label in truths
        ),
    ]
    note = "Difference of the mean accuracies of the answers at the end, with Welch's 95 % interval."
    return ResultTable("differences", "How much better than the first strategy", columns, [note])


def pruned_table(findings: Sequence[Findings], space: SearchSpace) -> ResultTable | None:
    """Say which choices each decision lost in which round of a pruning search; None where there is no such search."""
    pruned = [
        (found, search.seed, search.course.strategy)
        for found in findings
        for search in found.searches
        if isinstance(search.course.strategy, PruningSearch)
    ]
    if not pruned:
        return None
    names = space.gene_names()
    rows = [(*each, decision) for each in pruned for decision in range(len(names))]
    removed = [lost_by_round(strategy.rounds, decision, space) for _, _, strategy, decision in rows]
    columns = [
        Column("strategy", "strategy", [found.strategy for found, *_ in rows]),
        Column("judge", "judge", [found.bench.label for found, *_ in rows]),
        Column("seed", "seed", [seed for _, seed, *_ in rows]),
        Column("decision", "decision", [names[decision] for *_, decision in rows]),
    ]
    columns += [
        Column(f"round_{k + 1}", f"round {k + 1}", [own[k] if k < len(own) else None for own in removed])
        for k in range(max(map(len, removed)))
    ]
    return ResultTable("pruned", "What was pruned in which round", columns)


def lost_by_round(rounds: Sequence[Region], decision: int, space: SearchSpace) -> list[str]:
    """Name the choices that a decision lost in each round, given what was left at first and after each."""
    return [
        ", ".join(
            space.choice_name(decision, choice)
            for choice in before.choices[decision]
            if choice not in after.choices[decision]
        )
        for before, after in pairwise(rounds)
    ]


def front_table(findings: Sequence[Findings], space: SearchSpace) -> ResultTable | None:
    """List what no other architecture that a search measured is better than in all measures; None without NSGA-II."""
    rows = [
        (found, search.seed, trial)
        for found in findings
        for search in found.searches
        if isinstance(search.course.strategy, NSGA2)
        for trial in search.course.strategy.front()
    ]
    if not rows:
        return None
    measures = dict.fromkeys(name for found, *_ in rows for name in found.bench.objective.names)
    columns = [
        Column("strategy", "strategy", [found.strategy for found, *_ in rows]),
        Column("judge", "judge", [found.bench.label for found, *_ in rows]),
        Column("seed", "seed", [seed for _, seed, _ in rows]),
        Column("architecture", "architecture", [space.label(trial.arch) for *_, trial in rows]),
        *(Column(name, name, [_measured(trial, name) for *_, trial in rows], "{:,.6g}") for name in measures),
    ]
    note = "No architecture that the same search measured is at least as good in all measures and better in one."
    return ResultTable("front", "The front", columns, [note])


def _measured(trial: Trial, name: str) -> float | None:
    return trial.estimates[name].value if name in trial.estimates else None


def _moments(found: Findings, at: Sequence[int]) -> list[int | None]:
    """Return after how many evaluations rows are read; the last, None, is the end."""
    return [*(counted for counted in at if counted < found.evaluations().max()), None]


def _named(found: Findings, counted: int | None) -> str:
    return f"{found.strategy} by {found.bench.label}" + ("" if counted is None else f" after {counted:,}")


def _lacking(found: Findings, counted: int | None) -> Iterator[tuple[str, int]]:
    """Yield the accuracies that some searches of a row lack, and how many."""
    for label in found.bench.truths:
        count = int(np.isnan(found.found(label, counted)).sum())
        if count:
            yield label, count


def _spread(values: np.ndarray) -> Cell:
    return WithDeviation.of(values[~np.isnan(values)])


def _ahead(found: Findings, other: Findings, label: str) -> Cell:
    own, others = (values[~np.isnan(values)] for values in (found.found(label), other.found(label)))
    if not len(own) or not len(others):
        return None
    return WithInterval(float(own.mean() - others.mean()), *welch_interval(own, others))
