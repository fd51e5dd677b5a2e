"""What putting other operations in the place of one does to estimates and to the accuracy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lnas.analysis.operation_changes import operation_changes
from lnas.analysis.operation_replacement import MeanChanges, changes_of, from_source, mean_changes
from lnas.analysis.share_beaten import share_beaten
from lnas.pipeline.scores_study.cells import TRUTH
from lnas.pipeline.scores_study.evidence import Evidence
from lnas.report.heatmap import Heatmap
from lnas.report.table import Column, ResultTable, WithInterval


class Replacement(NamedTuple):
    """What replacing an operation does to one estimator, or to the accuracy.

    Attributes:
        values: To its own numbers, whatever their direction.
        places: To the share of the architectures that are overtaken, in percent, positive where it gets better.
    """

    values: MeanChanges
    places: MeanChanges


def find_replacements(evidence: Evidence, order: Sequence[str], source: str) -> dict[str, Replacement]:
    """Find what becomes of the accuracy and of estimators when every other operation replaces one.

    Args:
        evidence: What is compared.
        order: The estimators that rank something.
        source: The operation that is replaced, such as "none".

    Raises:
        UsageError: If no two architectures differ in one decision only, or none has that operation.
    """
    changes = changes_of(operation_changes(evidence.archs, evidence.space), source)
    values = {TRUTH: evidence.truth, **{name: evidence.values[name] for name in order}}
    merits = {TRUTH: evidence.truth, **{name: evidence.ranking[name] for name in order}}
    return {
        name: Replacement(
            *(from_source(mean_changes(changes, own), source) for own in (values[name], share_beaten(merits[name])))
        )
        for name in values
    }


def replacement_table(found: dict[str, Replacement], source: str) -> ResultTable:
    """Say by how much accuracy and estimates change."""
    rows = [(name, k) for name, own in found.items() for k in range(len(own.values.changes))]
    decisions = [found[name].values.changes[k].decision for name, k in rows]
    return ResultTable(
        "replacements",
        f"What replacing {source} does",
        [
            Column("estimator", "estimator", [name for name, _ in rows]),
            *([Column("decision", "decision", decisions)] if len(set(decisions)) > 1 else []),
            Column("target", "by", [found[name].values.changes[k].target for name, k in rows]),
            Column("pairs", "pairs", [int(found[name].values.pairs[k]) for name, k in rows], "{:,}"),
            Column("missing", "without a number", [int(found[name].values.missing[k]) for name, k in rows], "{:,}"),
            Column("places", "overtakes (%)", [_cell(found[name].places, k) for name, k in rows], "{:+.1f}"),
            Column("change", "change", [_cell(found[name].values, k) for name, k in rows], "{:+.4g}"),
        ],
        [
            "The question of Chen et al. 2021 (TEG-NAS), Fig. 3: means over all pairs of architectures that differ in "
            f"one operation only, which is {source} before. Overtakes: by how many percent of the architectures an "
            "architecture rises, by its accuracy or by what the estimator holds to be good. Change: of the number "
            "itself, in which few decide where it spans orders of magnitude. 95 % intervals by bootstrap of families "
            "of pairs that share architectures; none for a single family.",
        ],
    )


def replacement_map(found: dict[str, Replacement], source: str) -> Heatmap:
    """Show how many percent of the architectures are overtaken, by the accuracy and by each estimator."""
    changes = next(iter(found.values())).places.changes
    several = len({change.decision for change in changes}) > 1
    columns = [f"{change.decision}: {change.target}" if several else change.target for change in changes]
    values = np.array([own.places.mean for own in found.values()])
    reach = float(np.nanmax(np.abs(values), initial=0.0)) or 1.0
    title = f"Replacing {source}: how many percent of the architectures are overtaken"
    return Heatmap(title, list(found), columns, values.tolist(), reach, "{:+.1f}")


def _cell(found: MeanChanges, k: int) -> WithInterval:
    return WithInterval(float(found.mean[k]), float(found.low[k]), float(found.high[k]))
