"""What pages and tables are made from, as JSON and back, every digit kept."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from lnas.benchmarks import Scores
from lnas.errors import RunError, complaint
from lnas.report import Agreement, RankedCandidate, RetrainedPick, RunReport, TruthComparison
from lnas.report.study import StudyReport
from lnas.report.table import Cell, Column, ResultTable, WithDeviation, WithInterval
from lnas.spaces.drawing import Svg
from lnas.types import Arch

Content = StudyReport | RunReport | Scores
"""What the page of most commands shows, what the one of `lnas run` does, and the tables of `lnas score`."""

_PARTS: Mapping[int, Callable[..., Cell]] = {len(kind._fields): kind for kind in (WithInterval, WithDeviation)}


def to_json(content: Content) -> str:
    """Return what `from_json` reads."""
    return json.dumps({"kind": type(content).__name__, "content": _plain(content)})


def from_json(text: str) -> Content:
    """Read what `to_json` wrote.

    Raises:
        RunError: If an lnas wrote it that knew other pages.
    """
    try:
        record = json.loads(text)
        return _READERS[record["kind"]](record["content"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        got, step = f"{type(error).__name__}: {error}", "Use the lnas that wrote it, or start its command again."
        raise RunError(complaint("a page in a store", "what this lnas writes", got, step)) from error


def _plain(value: Any) -> Any:
    """Take a value apart into what JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return [_plain(item) for item in value] if isinstance(value, Iterable) else value


def _study(record: Mapping[str, Any]) -> StudyReport:
    fields = dict(record)
    fields["tables"] = [_table(table) for table in record["tables"]]
    fields["figures"] = _drawings(record["figures"])
    fields["sections"] = {title: _drawings(figures) for title, figures in record["sections"].items()}
    return StudyReport(**fields)


def _table(record: Mapping[str, Any]) -> ResultTable:
    columns = [Column(name, title, list(map(_cell, cells)), form) for name, title, cells, form in record["columns"]]
    return ResultTable(record["name"], record["title"], columns, record["notes"])


def _cell(value: Any) -> Cell:
    return _PARTS[len(value)](*value) if isinstance(value, list) else value


def _drawings(figures: Mapping[str, str]) -> dict[str, Svg]:
    return {caption: Svg(drawing) for caption, drawing in figures.items()}


def _run(record: Mapping[str, Any]) -> RunReport:
    fields, truth = dict(record), record["truth"]
    fields["ranking"] = [RankedCandidate(**row) for row in record["ranking"]]
    fields["picks"] = [RetrainedPick(**pick) for pick in record["picks"]]
    if truth is not None:
        agreements = [Agreement(*agreement) for agreement in truth["agreements"]]
        fields["truth"] = TruthComparison(truth["key"], agreements, truth["candidates"])
    return RunReport(**fields)


def _scores(record: Mapping[str, Any]) -> Scores:
    archs = tuple(Arch(arch["space"], arch["genes"]) for arch in record["archs"])
    columns = {name: np.array(values, dtype=float) for name, values in record["columns"].items()}
    return Scores(archs, columns, tuple(record["notations"]), tuple(record["problems"]))


_READERS: Mapping[str, Callable[[Mapping[str, Any]], Content]] = {
    StudyReport.__name__: _study,
    RunReport.__name__: _run,
    Scores.__name__: _scores,
}
