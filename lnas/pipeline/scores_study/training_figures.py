"""The figures that show what becomes of supernets' rankings along training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from lnas.analysis.distributions import histograms
from lnas.pipeline.scores_study.along_training import AT, Course, Trained
from lnas.report.line_chart import LineChart, Reference, Series, draw_line_chart
from lnas.spaces.drawing import Svg

_ACROSS = "epoch"
_BR, _P = AT.index(0.005), AT.index(0.05)
_BINS = 20

_CRITERIA: Mapping[str, tuple[Callable[[Course], np.ndarray], Sequence[Reference]]] = {
    "Kendall's tau-b": (lambda course: course.criteria.kendall_tau, [Reference("chance", 0.0)]),
    "P@top 5 %": (lambda course: course.criteria.precision_at_top[:, _P], [Reference("chance", 0.05)]),
    "P@bottom 5 %": (lambda course: course.criteria.precision_at_bottom[:, _P], [Reference("chance", 0.05)]),
    "BR@0.5 %, the lower the better": (lambda course: course.criteria.best_ranking[:, _BR], []),
}


def training_figures(trained: Sequence[Trained]) -> dict[str, Svg]:
    """Draw criteria, stability and forgetting values of all supernets by epoch: caption -> picture."""
    courses = {name: course for each in trained for name, course in each.courses.items()}
    drawn: dict[str, Svg] = {}
    for title, (take, references) in _CRITERIA.items():
        series = [Series(name, course.epochs, take(course).tolist()) for name, course in courses.items()]
        drawn |= _drawn(f"Along training: {title}", title, series, references)
    stable = [Series(name, course.epochs[1:], _stability(course)) for name, course in courses.items()]
    title = "tau-b with the time before"
    return drawn | _drawn("Along training: stability", title, stable, []) | _forgetting_figure(trained)


def course_figures(trained: Sequence[Trained], size: str) -> dict[str, dict[str, Svg]]:
    """Draw distribution and bias of each estimator by epoch: estimator -> caption -> picture."""
    return {
        name: {
            **_distribution_figure(name, course),
            **_complexity_figures(name, course, size),
            **_operation_figure(name, course),
        }
        for each in trained
        for name, course in each.courses.items()
    }


def _forgetting_figure(trained: Sequence[Trained]) -> dict[str, Svg]:
    series = [
        Series(
            each.followed.label, found.epochs.tolist(), (100 * found.means).tolist(), (100 * found.deviations).tolist()
        )
        for each in trained
        if (found := each.followed.forgetting) is not None
    ]
    up = "mean forgetting value, points of accuracy"
    return _drawn("Along training: forgetting values", up, series, [Reference("none", 0.0)], "{:+.2f}")


def _distribution_figure(name: str, course: Course) -> dict[str, Svg]:
    """Draw a histogram for each epoch as steps over the scores."""
    if not np.isfinite(course.scores).any():
        return {}
    found = histograms(course.scores, _BINS)
    series = [
        Series(f"epoch {epoch}", found.edges.tolist(), np.append(shares, shares[-1]).tolist(), line="steps")
        for epoch, shares in zip(course.epochs, found.shares, strict=True)
    ]
    caption = f"Distribution of {name} by epoch"
    chart = LineChart(caption, name, f"share of architectures in each of {_BINS} bins", series, form="{:.3f}")
    return {caption: draw_line_chart(chart)}


def _complexity_figures(name: str, course: Course, size: str) -> dict[str, Svg]:
    there = next((bias for bias in course.complexity if bias is not None), None)
    if there is None:
        return {}
    drawn: dict[str, Svg] = {}
    for what, field, up, reference, form in (
        ("Rank difference", "mean", "mean rank difference, positive: overestimated", "no bias", "{:+,.1f}"),
        ("Tau", "tau", "tau-b inside the group", "chance", "{:+.3f}"),
    ):
        series = [
            Series(f"group {group + 1}", course.epochs, _of_each(course.complexity, field, group))
            for group in range(len(there.counts))
        ]
        caption = f"{what} of groups by {size}, the smallest first: {name}"
        drawn |= _drawn(caption, up, series, [Reference(reference, 0.0)], form)
    return drawn


def _operation_figure(name: str, course: Course) -> dict[str, Svg]:
    there = next((bias for bias in course.operations if bias is not None), None)
    if there is None:
        return {}
    several = len({change.decision for change in there.changes}) > 1
    series = [
        Series(
            f"{change.decision}: {change.target}" if several else change.target,
            course.epochs,
            [100 * excess for excess in _of_each(course.operations, "excess", k)],
        )
        for k, change in enumerate(there.changes)
    ]
    caption = f"Excess of operations: {name}"
    return _drawn(caption, "excess, points, positive: overestimated", series, [Reference("no bias", 0.0)], "{:+.1f}")


def _of_each(biases: Sequence[object], field: str, place: int) -> list[float]:
    return [np.nan if bias is None else float(getattr(bias, field)[place]) for bias in biases]


def _stability(course: Course) -> list[float]:
    return [np.nan if each is None else float(each.kendall_tau[0]) for each in course.stability]


def _drawn(
    caption: str, up: str, series: Sequence[Series], references: Sequence[Reference], form: str = "{:.3f}"
) -> dict[str, Svg]:
    there = [each for each in series if each.points]
    if not there:
        return {}
    chart = LineChart(caption, _ACROSS, up, there, references=references, form=form)
    return {caption: draw_line_chart(chart)}
