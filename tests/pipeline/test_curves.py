from __future__ import annotations

from typing import Any

from lnas.pipeline.curves import track_curves
from lnas.types import Arch, Estimate, Trial

FIRST, SECOND, THIRD = (Arch("tiny", (0, 0, digit)) for digit in (0, 1, 2))


class Tables:
    """Keeps what a tracker is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, list[str], list[list[Any]]]] = []

    def table(self, name: str, columns: list[str], rows: list[list[Any]]) -> None:
        self.told.append((name, columns, rows))


def test_all_candidates_are_in_one_table() -> None:
    trials = [
        Trial(
            FIRST,
            {
                "angle": Estimate(0.2, detail={"curves": {"angle": [0.1, 0.2]}}),
                "loss": Estimate(1.0, detail={"curves": {"loss": [2.0, None]}}),
            },
        ),
        Trial(SECOND, {"angle": Estimate.failure(ValueError("why"))}),
        Trial(THIRD, {"angle": Estimate(0.3, detail={"curves": {"angle": [0.3]}})}),
    ]
    tables = Tables()
    track_curves(tables, trials)  # type: ignore[arg-type]
    assert tables.told == [
        (
            "curves",
            ["candidate", "arch", "step", "angle", "loss"],
            [[0, str(FIRST), 1, 0.1, 2.0], [0, str(FIRST), 2, 0.2, None], [2, str(THIRD), 1, 0.3, None]],
        )
    ]


def test_measures_without_curves_make_no_table() -> None:
    tables = Tables()
    track_curves(tables, [Trial(FIRST, {"params": Estimate(7.0)})])  # type: ignore[arg-type]
    assert tables.told == []
