"""What ends a search: so many evaluations, or so many seconds of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from lnas.errors import UsageError, complaint

Crossing = Literal["counts", "is lost"]


@dataclass(frozen=True)
class Evaluations:
    """A budget of so many evaluations, failed ones included.

    Raises:
        UsageError: If `count` is below 1.
    """

    count: int

    def __post_init__(self) -> None:
        if isinstance(self.count, bool) or not isinstance(self.count, int) or self.count < 1:
            raise UsageError(complaint("Evaluations(count)", "count >= 1", self.count, "Example: Evaluations(1000)."))

    def is_left(self, evaluations: int, seconds: float) -> bool:
        """Tell whether another evaluation may begin after so many that took so long."""
        return evaluations < self.count

    def allows(self, seconds: float) -> bool:
        """Tell whether an evaluation counts that ends after so many seconds."""
        return True


@dataclass(frozen=True)
class Seconds:
    """A budget of the time that measurements take: on a table, what was recorded; else what was measured and kept.

    Attributes:
        seconds: How many.
        crossing: Of the evaluation during which they run out: "counts", as in the search that NATS-Bench released, or
            "is lost", so that no search knows more than the time allowed.

    Raises:
        UsageError: If `seconds` is no number above 0 or has no end, or `crossing` is neither.
    """

    seconds: float
    crossing: Crossing = "counts"

    def __post_init__(self) -> None:
        number = isinstance(self.seconds, int | float) and not isinstance(self.seconds, bool)
        if not number or not 0 < self.seconds < math.inf:
            call, step = "Seconds(seconds)", "Example: 20_000."
            raise UsageError(complaint(call, "finite seconds > 0", self.seconds, step))
        if self.crossing not in ("counts", "is lost"):
            call = "Seconds(crossing)"
            raise UsageError(complaint(call, "'counts' or 'is lost'", self.crossing, "NATS-Bench: 'counts'."))

    def is_left(self, evaluations: int, seconds: float) -> bool:
        """Tell whether another evaluation may begin after so many that took so long."""
        return seconds < self.seconds

    def allows(self, seconds: float) -> bool:
        """Tell whether an evaluation counts that ends after so many seconds."""
        return self.crossing == "counts" or seconds <= self.seconds


@dataclass(frozen=True)
class UntilOver:
    """No budget: a search goes on until its strategy says that it is over."""

    def is_left(self, evaluations: int, seconds: float) -> bool:
        """Tell that another evaluation may begin."""
        return True

    def allows(self, seconds: float) -> bool:
        """Tell that every evaluation counts."""
        return True


Budget = Evaluations | Seconds | UntilOver


def budget_of(evaluations: int | None, seconds: float | None, crossing: Crossing) -> Budget:
    """Return the budget that two options mean, of which one at most is given.

    Raises:
        UsageError: If both are.
    """
    if evaluations is not None and seconds is not None:
        call, step = f"evaluations={evaluations}, seconds={seconds}", "Which of the two ends a search?"
        raise UsageError(complaint(call, "one budget", "two", step))
    if evaluations is not None:
        return Evaluations(evaluations)
    return UntilOver() if seconds is None else Seconds(seconds, crossing)
