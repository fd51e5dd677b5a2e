"""The report as one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from lnas.report.figures import (
    measures_against_each_other,
    retraining_curves,
    role_color,
    score_against_accuracy,
    score_against_truth,
    short_training_curves,
)
from lnas.report.report import RunReport, number, percent
from lnas.report.templates import render


def render_page(report: RunReport) -> str:
    """Render the report as HTML with everything in it: style, script, figures and drawings. About 5 MB."""
    candidates = [
        ("Ranking against accuracy", score_against_accuracy(report)),
        ("Ranking against the benchmark", score_against_truth(report)),
        ("Measures of all candidates", measures_against_each_other(report)),
        ("Short trainings", short_training_curves(report)),
        ("Retraining", retraining_curves(report)),
    ]
    figures = [(title, _embedded(figure)) for title, figure in candidates if figure is not None and figure.data]
    return render(
        "page.html.j2",
        report=report,
        measures=list(report.ranking[0].values),
        figures=figures,
        plotly_js=Markup(get_plotlyjs()),
        color=role_color,
        number=number,
        percent=percent,
        settings=_listing(report.settings),
        provenance=_listing(report.provenance),
    )


def _embedded(figure: go.Figure) -> Markup:
    """Return the figure as JSON that may stand in a script: nothing in it can close the element."""
    return Markup(str(figure.to_json()).replace("<", "\\u003c"))


def _listing(mapping: Mapping[str, Any], indent: str = "") -> str:
    lines = []
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{key}:", _listing(value, indent + "  ")]
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            lines += [part for item in value for part in (f"{indent}{key}:", _listing(item, indent + "  "))]
        else:
            lines.append(f"{indent}{key}: {value}")
    return "\n".join(lines)
