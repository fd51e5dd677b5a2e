"""The page of `lnas search`."""

from __future__ import annotations

import json
from collections.abc import Sequence

from lnas.pipeline.search.figures import choice_figures, found_cells, state_figures, trajectory_figures
from lnas.pipeline.search.findings import Findings
from lnas.pipeline.search.tables import difference_table, found_table, front_table, pruned_table
from lnas.report.study import StudyReport
from lnas.spaces import SearchSpace
from lnas.types import describe


def search_report(
    title: str, findings: Sequence[Findings], after: Sequence[int], space: SearchSpace, replay: str
) -> StudyReport:
    """Collect what the page shows."""
    optional = (difference_table(findings), front_table(findings, space), pruned_table(findings, space))
    tables = [found_table(findings, after), *(table for table in optional if table is not None)]
    figures = trajectory_figures(findings, space) | state_figures(findings) | choice_figures(findings, space)
    benches = {found.bench.label: found.bench for found in findings}
    protocols = {
        f"measures of {label}: {', '.join(estimator.measures)} ({key})": json.dumps(
            describe(estimator.protocol), indent=1
        )
        for label, bench in benches.items()
        for estimator, key in zip(bench.estimators, bench.protocols, strict=True)
    }
    protocols |= {
        f"strategy {found.strategy} by {found.bench.label}": json.dumps(
            found.searches[0].course.strategy.settings, indent=1
        )
        for found in findings
    }
    return StudyReport(title, _facts(findings, space), tables, figures, replay, protocols, found_cells(findings, space))


def _facts(findings: Sequence[Findings], space: SearchSpace) -> dict[str, str]:
    searches = [search for found in findings for search in found.searches]
    evaluations = sum(len(search.course.trials) for search in searches)
    seeds = sorted({search.seed for search in searches})
    several = f"seeds {seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"seed {seeds[0]}"
    facts = {
        "Space": f"{space.name}, {space.size:,} architectures",
        "Searches": f"{len(searches):,} with {evaluations:,} evaluations, {several}",
    }
    truths = {f"{label}: {truth.key}": None for found in findings for label, truth in found.bench.truths.items()}
    if truths:
        facts["Accuracies"] = "; ".join(truths)
    branch = searches[0].course.branch
    if branch:
        facts["Branch"] = f"as the parent's searches for {branch.at:,} evaluations, then with seed {branch.seed} on"
    return facts
