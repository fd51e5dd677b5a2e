"""A study as one HTML file to look around in: points that tell their cells, tables that sort, estimators to choose."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from lnas.report.study import StudyReport
from lnas.report.table import ResultTable
from lnas.report.templates import render
from lnas.spaces.drawing import Svg

ESTIMATOR = "estimator"
"""Name of the column whose rows are shown or hidden with their estimator."""

_DIGITS = 6
_WIDE = 760
_SCRIPT = Path(__file__).parent / "interactive.js"


@dataclass(frozen=True)
class CellPictures:
    """From what the picture of any cell of a space can be put together, edge by edge.

    Attributes:
        edges: Source and target node of each decision's edge.
        uniform: Choice -> picture of the cell in which all edges have that; all of one layout, with an element `g` for
            each edge in the order of the decisions, or with none where the choice is to have no edge.
    """

    edges: Sequence[tuple[int, int]]
    uniform: Sequence[Svg]


@dataclass(frozen=True)
class Scatter:
    """Architectures as points: estimates against accuracies.

    Attributes:
        identities: Of each architecture, in short.
        labels: What pointing at one shows.
        truths: Key -> accuracy in percent, as many as labels; the first is shown first.
        estimates: Estimator -> its numbers, as many as labels, NaN for none; the first is shown first.
        directions: Estimator -> whether higher is better.
        sizes: As many as labels; they colour the points.
        size: What they are called.
        pictures: From which the page makes the cell of any architecture; None for a space whose cells it cannot draw.
    """

    identities: Sequence[str]
    labels: Sequence[str]
    truths: Mapping[str, Sequence[float]]
    estimates: Mapping[str, Sequence[float]]
    directions: Mapping[str, bool]
    sizes: Sequence[float]
    size: str
    pictures: CellPictures | None = None


@dataclass(frozen=True)
class InteractiveReport:
    """What the page shows.

    Attributes:
        study: Its facts, tables and pictures.
        scatter: Its points.
        about: Title of a section of pictures -> the estimator with which it is shown or hidden.
    """

    study: StudyReport
    scatter: Scatter
    about: Mapping[str, str]


class Cell(NamedTuple):
    """A cell of a table: its text, and the number by which it sorts, if it is one."""

    text: str
    number: str | None


class Row(NamedTuple):
    """A row of a table, and the estimator that it is about, if there is one."""

    estimator: str | None
    cells: Sequence[Cell]


def render_interactive(report: InteractiveReport) -> str:
    """Render the page as HTML that needs nothing else. About 5 MB, most of it plotly, and 100 bytes a point.

    Plotly takes more than a second to begin, so that the page first shows the points without it.
    """
    plotly, script = get_plotlyjs(), _SCRIPT.read_text()
    pictures = report.scatter.pictures
    return render(
        "interactive.html.j2",
        report=report,
        estimators=list(report.scatter.estimates),
        tables=[(table, table_rows(table)) for table in report.study.tables],
        figures=_marked_up(report.study.figures),
        wide={caption for caption, drawing in report.study.figures.items() if _is_wide(drawing)},
        sections={title: _marked_up(beside) for title, beside in report.study.sections.items()},
        pictures=[Markup(str(drawing)) for drawing in pictures.uniform] if pictures else [],
        content=_content(report.scatter),
        plotly=Markup(plotly),
        script=Markup(script),
        hashes=Markup(" ".join(map(_hash, (plotly, script)))),
    )


def table_rows(table: ResultTable) -> list[Row]:
    """Return the rows of a table as the page sorts and filters them.

    Example:
        >>> from lnas.report.table import Column
        >>> columns = [Column("estimator", "estimator", ["a"]), Column("tau", "tau", [0.25], "{:.1f}")]
        >>> table_rows(ResultTable("t", "T", columns))
        [Row(estimator='a', cells=[Cell(text='a', number=None), Cell(text='0.2', number='0.25')])]
    """
    named = next((column for column in table.columns if column.name == ESTIMATOR), None)
    return [
        Row(
            str(named.cells[k]) if named else None,
            [Cell(text, _sorted_by(column.cells[k])) for text, column in zip(texts, table.columns, strict=True)],
        )
        for k, texts in enumerate(table.texts())
    ]


def _sorted_by(cell: Any) -> str | None:
    value = cell[0] if isinstance(cell, tuple) else cell
    return None if value is None or isinstance(value, str) or math.isnan(value) else repr(float(value))


def _marked_up(drawings: Mapping[str, Svg]) -> dict[str, Markup]:
    return {caption: Markup(str(drawing)) for caption, drawing in drawings.items()}


def _is_wide(drawing: Svg) -> bool:
    """Tell whether half of the page would make it too small to read."""
    found = re.search(r'viewBox="0 0 ([0-9.]+) ', drawing)
    return found is not None and float(found[1]) > _WIDE


def _content(scatter: Scatter) -> Markup:
    """Return the points as JSON that may stand in a script element: nothing in it can close that."""
    content = {
        "identities": list(scatter.identities),
        "labels": list(scatter.labels),
        "truths": {key: _numbers(values) for key, values in scatter.truths.items()},
        "estimates": {name: _numbers(values) for name, values in scatter.estimates.items()},
        "directions": dict(scatter.directions),
        "sizes": _numbers(scatter.sizes),
        "size": scatter.size,
        "edges": list(scatter.pictures.edges) if scatter.pictures else [],
    }
    return Markup(json.dumps(content, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c"))


def _numbers(values: Sequence[float]) -> list[float | None]:
    return [float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None for value in values]


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
