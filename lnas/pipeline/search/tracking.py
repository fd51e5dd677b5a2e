"""What W&B sees of searches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lnas.pipeline.lineage import track_found
from lnas.pipeline.search.findings import Findings, answered
from lnas.pipeline.tracking import Tracker
from lnas.report.study import StudyReport
from lnas.spaces import SearchSpace

_CELLS = 10


def track_searches(tracker: Tracker, report: StudyReport, findings: Sequence[Findings], space: SearchSpace) -> None:
    """Log the tables of the page, the curves behind its figures, what was found, and the mean accuracies.

    The first ten cells that were found are artifacts.
    """
    for table in report.tables:
        tracker.table(table.name, [column.title for column in table.columns], table.texts())
    columns = ("judge", "strategy", "curve", "evaluations", "mean", "deviation")
    tracker.table("curves", columns, [row for found in findings for row in _curves(found)])
    tracker.table("answers", ("judge", "strategy", "seed", "architecture", "notation"), list(_answers(findings, space)))
    for arch in list(dict.fromkeys(pick.arch for pick in answered(findings)))[:_CELLS]:
        track_found(tracker, space, arch)
    for found in findings:
        for label in found.bench.truths:
            values = found.found(label)
            known = values[values == values]
            if len(known):
                tracker.summary({f"{found.bench.label}/{found.strategy}/{label}": float(known.mean())})


def _curves(found: Findings) -> Iterator[tuple[Any, ...]]:
    curves = {label: found.by_evaluations(label) for label in found.bench.truths} | found.states() | found.measured()
    for name, curve in curves.items():
        for point, mean, deviation in zip(curve.points, curve.mean, curve.deviation, strict=True):
            yield (found.bench.label, found.strategy, name, float(point), _number(mean), _number(deviation))


def _answers(findings: Sequence[Findings], space: SearchSpace) -> Iterator[tuple[Any, ...]]:
    for found in findings:
        for search, arch in zip(found.searches, found.answers(), strict=True):
            if arch is not None:
                yield (found.bench.label, found.strategy, search.seed, str(arch), space.format(arch))


def _number(value: float) -> float | None:
    return None if value != value else float(value)
