"""Interactive figures of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import plotly.graph_objects as go

from lnas.report.report import RankedCandidate, RunReport

_INK, _GRID = "#7a8594", "rgba(128,128,128,0.25)"
_ROLE_COLORS = {"winner": "#2a9d5c", "lowest": "#d1495b", "random": "#e08e0b"}
_OTHER_ROLE = "#6a4c93"


def score_against_accuracy(report: RunReport) -> go.Figure:
    """Place in the ranking against test accuracy after retraining, for what was retrained."""
    title, score = _score(report)
    figure = _figure(f"{title} (left is better)", "Test accuracy after retraining (%)")
    for pick in report.picks:
        row = next((row for row in report.ranking if row.position == pick.position), None)
        if row is None or not pick.test_acc:
            continue
        figure.add_trace(
            go.Scatter(
                x=[score(row)] * len(pick.test_acc),
                y=[100 * accuracy for accuracy in pick.test_acc],
                mode="markers",
                name=pick.role,
                text=[f"{pick.role}: {row.arch}"] * len(pick.test_acc),
                marker={"size": 12, "color": role_color(pick.role)},
                hovertemplate="%{text}<br>" + title.lower() + " %{x}<br>%{y:.2f} %<extra></extra>",
            )
        )
    return figure


def score_against_truth(report: RunReport) -> go.Figure | None:
    """Sum of ranks against the benchmark's accuracy, one point a candidate; None where there is nothing to compare."""
    if report.truth is None or not report.truth.agreements:
        return None
    rows = [row for row in report.ranking if row.true_acc is not None]
    title, score = _score(report)
    figure = _figure(f"{title} (left is better)", f"{report.truth.key} (%)")
    figure.add_trace(
        go.Scatter(
            x=[score(row) for row in rows],
            y=[row.true_acc for row in rows],
            mode="markers",
            name="candidates",
            text=[f"no. {row.position}: {row.arch}" for row in rows],
            marker={"size": 8, "color": _INK},
            hovertemplate="%{text}<br>" + title.lower() + " %{x}<br>%{y:.2f} %<extra></extra>",
            showlegend=False,
        )
    )
    for row in rows:
        for role in row.roles:
            figure.add_trace(_ring(role, score(row), row.true_acc))
    return figure


def measures_against_each_other(report: RunReport) -> go.Figure:
    """The first two measures of the rank expression, one point a candidate, coloured by the third or the position."""
    names = list(report.ranking[0].values)
    across, up = names[0], names[min(1, len(names) - 1)]
    shade = names[2] if len(names) > 2 else "position"
    at = " after its last step" if report.is_race else ""
    figure = _figure(f"{across}{at}", f"{up}{at}")
    if up == "loss":
        figure.update_yaxes(type="log")
    rows = [row for row in report.ranking if row.values[across] is not None and row.values[up] is not None]
    figure.add_trace(
        go.Scatter(
            x=[row.values[across] for row in rows],
            y=[row.values[up] for row in rows],
            mode="markers",
            name="candidates",
            text=[f"no. {row.position}{_after_steps(row)}: {row.arch}" for row in rows],
            marker={
                "size": 8,
                "color": [row.position if shade == "position" else row.values[shade] for row in rows],
                "colorscale": "Viridis",
                "colorbar": {"title": shade},
                **_symbols(rows),
            },
            hovertemplate="%{text}<br>" + across + " %{x:.4g}<br>" + up + " %{y:.4g}<extra></extra>",
            showlegend=False,
        )
    )
    for row in rows:
        for role in row.roles:
            figure.add_trace(_ring(role, row.values[across], row.values[up]))
    return figure


def short_training_curves(report: RunReport) -> go.Figure | None:
    """Training loss over the steps of the short trainings; None where there was none."""
    rows = [row for row in report.ranking if row.loss_curve]
    if not rows:
        return None
    figure = _figure("Step", "Training loss")
    figure.update_yaxes(type="log")
    for row in sorted(rows, key=_picked_last):
        color = role_color(row.roles[0]) if row.roles else _GRID
        figure.add_trace(
            go.Scatter(
                x=list(range(1, len(row.loss_curve) + 1)),
                y=list(row.loss_curve),
                mode="lines",
                name=row.roles[0] if row.roles else f"no. {row.position}",
                showlegend=bool(row.roles),
                line={"color": color, "width": 2.5 if row.roles else 1},
                hovertemplate=f"no. {row.position}: {row.arch}<br>step %{{x}}<br>loss %{{y:.4g}}<extra></extra>",
            )
        )
    return figure


def retraining_curves(report: RunReport) -> go.Figure | None:
    """Validation accuracy over the epochs of the retrainings; None where there was none."""
    figure = _figure("Epoch", "Validation accuracy (%)")
    for pick in report.picks:
        for index, curves in enumerate(pick.curves):
            points = curves.get("val_acc", ())
            figure.add_trace(
                go.Scatter(
                    x=[epoch for epoch, _ in points],
                    y=[100 * value for _, value in points],
                    mode="lines",
                    name=pick.role,
                    legendgroup=pick.role,
                    showlegend=index == 0,
                    line={"color": role_color(pick.role), "width": 2},
                    hovertemplate=f"{pick.role}<br>epoch %{{x}}<br>%{{y:.2f}} %<extra></extra>",
                )
            )
    return figure if figure.data else None


def role_color(role: str) -> str:
    """Return the colour that a role has in all figures and tables."""
    return _ROLE_COLORS.get(role, _OTHER_ROLE)


def _score(report: RunReport) -> tuple[str, Callable[[RankedCandidate], float]]:
    """Return what stands for the ranking, and how it is called: in a race, sums of ranks do not compare."""
    if report.is_race:
        return "Place in the race", lambda row: row.position
    return "Sum of ranks", lambda row: row.rank_sum


def _after_steps(row: RankedCandidate) -> str:
    return "" if row.steps is None else f", {row.steps} steps"


def _symbols(rows: Sequence[RankedCandidate]) -> dict[str, Any]:
    """Return the markers of a race: filled for those that went all the way, open for those that left earlier."""
    most = max((row.steps or 0 for row in rows), default=0)
    return {"symbol": ["circle" if row.steps == most else "circle-open" for row in rows]} if most else {}


def _picked_last(row: RankedCandidate) -> bool:
    return bool(row.roles)


def _ring(role: str, x: float | None, y: float | None) -> go.Scatter:
    marker: dict[str, Any] = {
        "size": 15,
        "color": "rgba(0,0,0,0)",
        "line": {"width": 3, "color": role_color(role)},
    }
    return go.Scatter(x=[x], y=[y], mode="markers", name=role, marker=marker, hoverinfo="skip")


def _figure(across: str, up: str) -> go.Figure:
    axis = {"gridcolor": _GRID, "zerolinecolor": _GRID, "linecolor": _INK}
    return go.Figure(
        layout={
            "xaxis": {"title": across, **axis},
            "yaxis": {"title": up, **axis},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "font": {"color": _INK, "family": "system-ui, sans-serif"},
            "margin": {"l": 60, "r": 20, "t": 20, "b": 50},
            "legend": {"orientation": "h", "y": 1.12},
            "height": 380,
        }
    )
