"""What a race's report says of who left when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lnas.analysis.racing import Racing, race
from lnas.pipeline.outcome import ranking_table, run_report, track_outcome
from lnas.report import RunReport
from lnas.store import Pick
from lnas.testing import TinySpace
from lnas.types import Arch, Estimate, Trial

ARCHS = list(TinySpace().archs())[:6]
ANGLES = {1: [6.0, 1.0, 2.0, 3.0, 5.0, float("nan")], 2: [0.0, 8.0, 7.0, 9.0, 0.0, 0.0]}
TRUE = [50.0, 70.0, 90.0, None, 60.0, 99.0]


class Known:
    """A benchmark's accuracies."""

    key = "known"

    def accuracies(self, archs: Sequence[Arch], space: TinySpace) -> list[float | None]:
        return [TRUE[ARCHS.index(arch)] for arch in archs]


def measure(steps: int, numbers: Sequence[int]) -> list[Trial]:
    """An angle that took as long as there are steps, and a count that took ten seconds, once."""
    return [
        Trial(ARCHS[n], {"angle": Estimate.of(ANGLES[steps][n], steps), "params": Estimate.of(1.0, 10.0)})
        for n in numbers
    ]


@pytest.fixture
def report() -> RunReport:
    raced = race(Racing((1, 2)), 6, measure, "angle", {"angle": False, "params": True})
    truth: Any = Known()
    picks = [Pick("winner", ARCHS[int(raced.ranking.order[0])])]
    return run_report(
        "t", TinySpace(), "angle", raced.trials, raced.ranking, picks, {}, 9, {}, {}, "replay", truth, raced
    )


def test_rows_are_in_the_order_of_the_race(report: RunReport) -> None:
    rows = [(row.steps, row.rank_sum, row.values["angle"], row.true_acc) for row in report.ranking]
    assert rows == [
        (2, 1, 7, 90),
        (2, 2, 8, 70),
        (2, 3, 9, None),
        (1, 4, 5, 60),
        (1, 5, 6, 50),
        (1, 6, None, 99),
    ]
    assert report.ranking[0].roles == ["winner"]


def test_notes_say_the_course_and_what_is_missing(report: RunReport) -> None:
    assert report.notes == [
        "A race: 6 candidates trained for 1 steps, 3 for 2; 9 of 12 steps in all (75.0 %). Until the last, angle"
        " decided who goes on.",
        "1 of 6 candidates have no finite angle and rank last; the first nonfinite: nan.",
    ]


def test_time_is_that_of_all_rungs_and_of_what_was_taken_once(report: RunReport) -> None:
    assert report.seconds["short training and counting"] == 6 * (1 + 10) + 3 * 2


def test_the_truth_is_compared_with_the_places(report: RunReport) -> None:
    """Of the four with both, places 1, 2, 4, 5 have 90, 70, 60, 50."""
    assert report.truth is not None
    assert report.truth.candidates == 4
    assert report.truth.agreements == [("place in the race", pytest.approx(1.0))]


def test_tables_have_a_column_of_steps(report: RunReport) -> None:
    table = ranking_table(report)
    assert [column.header for column in table.columns][:3] == ["no.", "steps", "sum"]
    assert list(table.columns[1].cells) == ["2", "2", "2", "1", "1", "1"]


def test_wandb_is_told_the_steps(report: RunReport, tmp_path: Any) -> None:
    tables: list[tuple[Sequence[str], Sequence[Sequence[Any]]]] = []

    class Listening:
        def table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
            tables.append((columns, rows))

        def summary(self, values: Any) -> None:
            pass

        def artifact(self, *arguments: Any) -> None:
            pass

    tracker: Any = Listening()
    track_outcome(tracker, report, TinySpace(), ARCHS[2], tmp_path)
    ((columns, rows),) = tables
    assert columns[-1] == "steps"
    assert [row[-1] for row in rows] == [2, 2, 2, 1, 1, 1]
