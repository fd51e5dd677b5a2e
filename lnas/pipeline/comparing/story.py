"""The page of `lnas compare`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lnas.pipeline.comparing.answers import Truths
from lnas.pipeline.comparing.differences import Different, difference_table
from lnas.pipeline.comparing.measure_tables import (
    Compared,
    measure_table,
    most_moved,
    moved_table,
    status_table,
    top_table,
    worth_table,
)
from lnas.pipeline.comparing.picks import Matched, pick_table, pick_verdicts
from lnas.pipeline.comparing.result import Result
from lnas.pipeline.comparing.searches import Rivals, answer_table, course_figures, found_table, search_verdicts
from lnas.report.heatmap import Heatmap, draw_heatmap
from lnas.report.study import StudyReport
from lnas.report.table import ResultTable
from lnas.spaces import SearchSpace
from lnas.spaces.drawing import Svg
from lnas.types import Arch

_TENTHS = 10
_FEWEST = 2 * _TENTHS
_DRAWN = 2


@dataclass(frozen=True)
class Findings:
    """What was found of two results.

    Attributes:
        a: One result.
        b: The other.
        differences: In how they were made.
        compared: The measures that both have.
        rivals: The searches that are compared.
        truths: What is known of the searches' answers.
        matched: What both came to.
    """

    a: Result
    b: Result
    differences: Sequence[Different]
    compared: Sequence[Compared]
    rivals: Sequence[Rivals]
    truths: Truths
    matched: Sequence[Matched]


@dataclass(frozen=True)
class Asked:
    """What is asked of them.

    Attributes:
        key: Of the truth; empty for none.
        truth: What it says, in percent.
        at: The K of the tops, ratios or counts.
        after: After how many evaluations answers are read.
        resamples: Of each interval.
    """

    key: str
    truth: Mapping[Arch, float]
    at: Sequence[float]
    after: Sequence[int]
    resamples: int


def compare_report(title: str, found: Findings, asked: Asked, space: SearchSpace, replay: str) -> StudyReport:
    """Collect what the page shows."""
    figures = course_figures(found.rivals, found.truths)
    sections = {"Where A's tenths are in B": _tenths(found.compared)}
    sections |= {f"First by {each.name}, and what moves most": _drawn(each, space) for each in found.compared}
    return StudyReport(title, _facts(found, asked), _tables(found, asked, space), figures, replay, {}, sections)


def _tables(found: Findings, asked: Asked, space: SearchSpace) -> list[ResultTable]:
    tables: list[ResultTable | None] = [difference_table(found.differences)]
    if found.compared:
        tables += [
            measure_table(found.compared, asked.resamples),
            worth_table(found.compared, asked.key, asked.resamples),
            top_table(found.compared, asked.at),
            moved_table(found.compared, space),
            status_table(found.compared),
        ]
    if found.rivals:
        tables += [
            found_table(found.rivals, found.truths, asked.after),
            answer_table(found.rivals, space, found.truths),
        ]
    if found.matched:
        tables.append(pick_table(found.matched, space, asked.key, asked.truth))
    return [table for table in tables if table is not None]


def _facts(found: Findings, asked: Asked) -> dict[str, str]:
    results = {"A": found.a, "B": found.b}
    facts = {label: _said(each) for label, each in results.items()}
    if found.compared:
        common = len(found.compared[0].common.archs)
        alone = [f"{len(each.measured.archs) - common:,} in {label} only" for label, each in results.items()]
        facts["Architectures"] = f"{common:,} in both, {', '.join(alone)}"
    if asked.key:
        facts["Accuracy"] = asked.key
    facts |= {each.name: each.verdict for each in found.compared}
    facts |= search_verdicts(found.rivals, found.truths)
    return facts | pick_verdicts(found.matched)


def _said(result: Result) -> str:
    source, origin = result.source, result.measured.origin
    made = f"lnas {source.command}, begun {source.record.created[:19]}" if source.record else "a file"
    return f"{source.given} ({made})" + (f"; its numbers are of {origin}" if origin != source.given else "")


def _tenths(compared: Sequence[Compared]) -> dict[str, Svg]:
    """Draw, for each measure that has enough numbers, how many percent of each tenth of A are in which tenth of B."""
    drawn = {}
    for each in compared:
        own = each.common
        count = int(own.in_both.sum())
        if count >= _FEWEST and not each.agreement.undefined and not own.are_same:
            one, other = (np.minimum((ranks - 0.5) / count * _TENTHS, _TENTHS - 1).astype(int) for ranks in own.ranks())
            shares = np.zeros((_TENTHS, _TENTHS))
            np.add.at(shares, (one, other), 1)
            sums = shares.sum(axis=1, keepdims=True)
            shares = np.where(sums > 0, 100 * shares / np.maximum(sums, 1), np.nan)
            names = ["best", *map(str, range(2, _TENTHS)), "worst"]
            heatmap = Heatmap(
                f"{each.name}: % of A's tenths (rows) in B's (columns)", names, names, shares.tolist(), 100.0, "{:.0f}"
            )
            drawn[heatmap.title] = draw_heatmap(heatmap)
    return drawn


def _drawn(each: Compared, space: SearchSpace) -> dict[str, Svg]:
    """Draw what A and B put first, and what moves most; nothing where all is the same."""
    own = each.common
    if own.are_same or each.agreement.undefined:
        return {}
    places = np.flatnonzero(own.in_both)
    firsts = [int(places[np.argmax(merits[own.in_both])]) for merits in own.merits]
    captions = {f"first of {label} by {each.name}": place for label, place in zip("AB", firsts, strict=True)}
    captions |= {
        f"moves most by {each.name}, no. {number}": place
        for number, place in enumerate(most_moved(own, _DRAWN), start=1)
    }
    return {caption: space.draw(own.archs[place]) for caption, place in captions.items()}
