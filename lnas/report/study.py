"""What a study or a search found as one HTML file without scripts: its tables and its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from lnas.report.table import ResultTable
from lnas.report.templates import render
from lnas.spaces.drawing import Svg


@dataclass(frozen=True)
class StudyReport:
    """What a study, or a search, found; what is empty has no place on the page.

    Attributes:
        title: Of the page.
        facts: What it is about, name -> text.
        tables: In the order of the page.
        figures: Caption -> picture.
        replay: How to make it again.
        protocols: Label of a setting -> everything that decides its numbers, as text.
        sections: Title -> its figures, caption -> picture: pictures that belong together stand side by side, after the
            other figures.
    """

    title: str
    facts: Mapping[str, str]
    tables: Sequence[ResultTable]
    figures: Mapping[str, Svg]
    replay: str
    protocols: Mapping[str, str]
    sections: Mapping[str, Mapping[str, Svg]] = field(default_factory=dict)


def render_study(report: StudyReport) -> str:
    """Render the page as HTML that needs nothing else."""
    sections = {title: _marked_up(figures) for title, figures in report.sections.items() if figures}
    return render("study.html.j2", report=report, figures=_marked_up(report.figures), sections=sections)


def _marked_up(figures: Mapping[str, Svg]) -> dict[str, Markup]:
    return {caption: Markup(str(drawing)) for caption, drawing in figures.items()}
