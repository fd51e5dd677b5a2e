"""The figures of `lnas search`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from lnas.analysis.trajectories import Trajectory
from lnas.pipeline.search.findings import Findings
from lnas.report.line_chart import LineChart, Reference, Series, draw_line_chart
from lnas.spaces import SearchSpace
from lnas.spaces.drawing import Svg

Axis = Literal["evaluations", "seconds"]

_CELLS_SHOWN = 3


def trajectory_figures(findings: Sequence[Findings], space: SearchSpace) -> dict[str, Svg]:
    """Draw, for each accuracy that answers are compared with, all searches against evaluations and against time."""
    keys = {truth.key: truth for found in findings for truth in found.bench.truths.values()}
    drawn: dict[str, Svg] = {}
    for key, truth in keys.items():
        best = truth.best(space)
        references = [] if best is None else [Reference("best of all", best)]
        for axis in ("evaluations", "seconds"):
            series = list(_of_key(findings, key, axis))
            if series:
                chart = LineChart(f"{key} against {axis}", axis, f"{key} (%)", series, "log", references, _from(series))
                drawn[chart.title] = draw_line_chart(chart)
    return drawn


def state_figures(findings: Sequence[Findings]) -> dict[str, Svg]:
    """Draw how strategies were doing, such as the entropy of a policy, and the mean of what they were told."""
    curves: dict[str, list[Series]] = {}
    for found in findings:
        for name, trajectory in {**found.states(), **found.measured()}.items():
            series = _series(_label(found, findings), trajectory, "linear")
            if not np.isnan(series.means).all():
                curves.setdefault(name, []).append(series)
    return {
        name: draw_line_chart(
            LineChart(f"{name} against evaluations", "evaluations", name, series, "log", form="{:.4g}")
        )
        for name, series in curves.items()
    }


def choice_figures(findings: Sequence[Findings], space: SearchSpace) -> dict[str, Svg]:
    """Draw which choices a strategy that learns proposed when: the share of each among the decisions."""
    drawn = {}
    for found in findings:
        shares = found.shares(space) if found.searches[0].course.strategy.learns else {}
        if shares:
            series = [Series(name, share.points.tolist(), share.mean.tolist()) for name, share in shares.items()]
            title = f"proposals of {_label(found, findings)}"
            drawn[title] = draw_line_chart(LineChart(title, "evaluations", "share (%)", series, form="{:.1f}"))
    return drawn


def found_cells(findings: Sequence[Findings], space: SearchSpace) -> dict[str, dict[str, Svg]]:
    """Draw what was found most often, by kind of search: caption -> picture."""
    sections = {}
    for found in findings:
        answers = Counter(arch for arch in found.answers() if arch is not None)
        if answers:
            sections[f"Found by {found.strategy} by {found.bench.label}"] = {
                f"{space.label(arch)}, in {count} of {len(found.searches)} searches": space.draw(arch)
                for arch, count in answers.most_common(_CELLS_SHOWN)
            }
    return sections


def _of_key(findings: Sequence[Findings], key: str, axis: Axis) -> Iterator[Series]:
    """Yield a series for each kind of search; a search that prunes has one answer, at its end, and is no series."""
    for found in findings:
        if found.searches[0].course.strategy.proposes == "regions":
            continue
        for label, truth in found.bench.truths.items():
            if truth.key == key:
                trajectory = found.by_evaluations(label) if axis == "evaluations" else found.by_seconds(label)
                if trajectory is not None and not np.isnan(trajectory.mean).all():
                    yield _series(_label(found, findings), trajectory, "steps")


def _series(label: str, trajectory: Trajectory, line: Literal["linear", "steps"]) -> Series:
    return Series(label, trajectory.points.tolist(), trajectory.mean.tolist(), trajectory.deviation.tolist(), line)


def _label(found: Findings, findings: Sequence[Findings]) -> str:
    """Name a kind of search as shortly as tells it from the others."""
    judges, strategies = {each.bench.label for each in findings}, {each.strategy for each in findings}
    if len(judges) == 1:
        return found.strategy
    return found.bench.label if len(strategies) == 1 else f"{found.strategy} by {found.bench.label}"


def _from(series: Sequence[Series]) -> float | None:
    """Return where the axis begins: at the lowest mean of the later two thirds of the axis, which is logarithmic."""
    later = [mean for each in series for mean in each.means[len(each.means) // 3 :] if not np.isnan(mean)]
    highest = max(mean for each in series for mean in each.means if not np.isnan(mean))
    return min(later) if later and min(later) < highest else None
