"""A study as one HTML file without scripts: its tables and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from lnas.report.table import ResultTable
from lnas.report.templates import render
from lnas.spaces.drawing import Svg


@dataclass(frozen=True)
class StudyReport:
    """What a study found.

    Attributes:
        title: Of the page.
        facts: What was studied, name -> text.
        tables: In the order of the page.
        figures: Caption -> picture.
        replay: How to make it again.
        protocols: Label of a setting -> everything that decides its numbers, as text.
    """

    title: str
    facts: Mapping[str, str]
    tables: Sequence[ResultTable]
    figures: Mapping[str, Svg]
    replay: str
    protocols: Mapping[str, str]


def render_study(report: StudyReport) -> str:
    """Render the study as HTML that needs nothing else."""
    figures = {caption: Markup(str(drawing)) for caption, drawing in report.figures.items()}
    return render("study.html.j2", report=report, figures=figures)
