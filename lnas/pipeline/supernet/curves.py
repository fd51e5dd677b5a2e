"""The curves of a supernet's training: its loss, and how well it ranks along the way."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from lnas.report.line_chart import LineChart, Reference, Series, draw_line_chart
from lnas.spaces.drawing import Svg

Record = Mapping[str, float]

CRITERIA = {
    "kendall_tau": "Kendall's tau",
    "spearman_r": "Spearman's r",
    "pearson_r": "Pearson's r",
    "precision_at_top@0.05": "P@top 5 %",
    "precision_at_bottom@0.05": "P@bottom 5 %",
    "best_ranking@0.005": "BR@0.5 %",
    "worst_ranking@0.05": "WR@5 %",
}
"""What is shown of each score, with its name for people; everything else is in the files."""

_STABILITY = {
    "stability/kendall_tau": "tau between one time and the last",
    "stability/precision_at_top@0.05": "P@top 5 % between one time and the last",
    "stability/precision_at_bottom@0.05": "P@bottom 5 % between one time and the last",
}
_ACROSS = "epoch"


def training_figures(records: Sequence[Record]) -> dict[str, Svg]:
    """Draw each number that the module logged against the epoch."""
    names = dict.fromkeys(name for record in records for name in record)
    drawn = {}
    for name in names:
        series = _series(name, records, name)
        if name not in ("epoch", "step", "seconds") and _is_drawable(series):
            drawn[name] = draw_line_chart(LineChart(name, _ACROSS, name, [series], form="{:.4g}"))
    return drawn


def ranking_figures(records: Sequence[Record], scores: Sequence[str]) -> dict[str, Svg]:
    """Draw each criterion of all scores against the epoch, their stability, and the means."""
    drawn: dict[str, Svg] = {}
    for criterion, title in (CRITERIA | _STABILITY).items():
        series = [_series(score, records, f"{score}/{criterion}") for score in scores]
        drawn |= _drawn(title, title, series)
    for unit in dict.fromkeys(score.rpartition("_")[2] for score in scores):
        own = [_series(score, records, f"{score}/mean") for score in scores if score.endswith(unit)]
        drawn |= _drawn(f"mean {unit}", unit, own)
    return drawn


def forgetting_figures(records: Sequence[Record]) -> dict[str, Svg]:
    """Draw the mean forgetting value with its standard deviation against the epoch."""
    there = [record for record in records if "mean" in record]
    if not there:
        return {}
    epochs, means = ([record[name] for record in there] for name in ("epoch", "mean"))
    series = Series("mean of the paths followed", epochs, means, [record.get("std", math.nan) for record in there])
    title = "forgetting value"
    chart = LineChart(title, _ACROSS, "accuracy", [series], references=[Reference("none", 0.0)], form="{:+.4f}")
    return {title: draw_line_chart(chart)}


def gradient_figures(records: Sequence[Record]) -> dict[str, Svg]:
    """Draw the mean cosine between gradients, by stage, against the epoch."""
    stages = dict.fromkeys(
        name.removesuffix("/mean") for record in records for name in record if name.endswith("/mean")
    )
    return _drawn("gradient similarity", "cosine", [_series(stage, records, f"{stage}/mean") for stage in stages])


def _drawn(title: str, up: str, series: Sequence[Series]) -> dict[str, Svg]:
    there = [each for each in series if _is_drawable(each)]
    if not there:
        return {}
    return {
        title: draw_line_chart(LineChart(title, _ACROSS, up, there, references=list(_chance(title)), form="{:.3f}"))
    }


def _chance(title: str) -> Iterator[Reference]:
    """Yield where a ranking at random would lie."""
    share = {"P@top 5 %": 0.05, "P@bottom 5 %": 0.05}.get(title)
    if share is not None:
        yield Reference("at random", share)


def _series(label: str, records: Sequence[Record], name: str) -> Series:
    return Series(
        label,
        [record["epoch"] for record in records if name in record],
        [record[name] for record in records if name in record],
    )


def _is_drawable(series: Series) -> bool:
    return bool(series.points)
