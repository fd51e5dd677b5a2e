"""What a run's report says, as plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True)
class RankedCandidate:
    """A row of the ranking.

    Attributes:
        position: 1 is the best.
        arch: As `SearchSpace.label` writes it.
        rank_sum: What decided the position; in a race, among those that were trained as far.
        values: Measure -> number, None where there is none.
        roles: What it was picked as, if anything.
        test_acc: Mean test accuracy after retraining, None if not retrained.
        loss_curve: Loss of each step of its short training, if it had one.
        true_acc: What the benchmark says that the run was compared with, in percent; None where it says nothing.
        steps: In a race, how many steps of its short training it was given; None elsewhere.
    """

    position: int
    arch: str
    rank_sum: float
    values: Mapping[str, float | None]
    roles: Sequence[str] = ()
    test_acc: float | None = None
    loss_curve: Sequence[float | None] = ()
    true_acc: float | None = None
    steps: int | None = None


@dataclass(frozen=True)
class RetrainedPick:
    """A picked architecture and its trainings.

    Attributes:
        role: "winner", "lowest", "random", or an architecture's notation.
        arch: In the benchmark's notation.
        svg: Its drawing.
        position: Place in the ranking, None for one that was not a candidate.
        test_acc: Test accuracy of each training; empty if not retrained.
        curves: For each training, series -> [(epoch, value), ...].
    """

    role: str
    arch: str
    svg: str
    position: int | None
    test_acc: Sequence[float] = ()
    curves: Sequence[Mapping[str, Sequence[tuple[int, float]]]] = ()


class Agreement(NamedTuple):
    """How well a measure ranks: Kendall's tau-b with the truth, positive where it is right."""

    measure: str
    tau: float


@dataclass(frozen=True)
class TruthComparison:
    """A ranking beside the accuracies of a benchmark.

    Attributes:
        key: Which accuracy.
        agreements: One for each measure of the ranking, the sum of ranks first.
        candidates: How many candidates have a number and an accuracy: what the correlations are over.
    """

    key: str
    agreements: Sequence[Agreement]
    candidates: int

    def __str__(self) -> str:
        if not self.agreements:
            return f"{self.key}: the benchmark holds {self.candidates} of the candidates, too few to compare."
        taus = ", ".join(f"{name} {'undefined' if math.isnan(tau) else f'{tau:+.2f}'}" for name, tau in self.agreements)
        return f"Kendall's tau with {self.key} over {self.candidates} candidates: {taus}."


@dataclass(frozen=True)
class RunReport:
    """Everything the report of a search-then-retrain run shows."""

    title: str
    verdict: str
    rank: str
    ranking: Sequence[RankedCandidate]
    picks: Sequence[RetrainedPick]
    notes: Sequence[str]
    settings: Mapping[str, Any]
    provenance: Mapping[str, Any]
    replay: str
    seconds: Mapping[str, float]
    truth: TruthComparison | None = None

    @property
    def is_race(self) -> bool:
        """Whether candidates were trained for different numbers of steps, so that sums of ranks do not compare."""
        return any(row.steps is not None for row in self.ranking)


def percent(accuracies: Sequence[float]) -> str:
    """Format accuracies as a percentage; several as mean and sample deviation.

    Example:
        >>> percent([0.9])
        '90.00 %'
        >>> percent([0.90, 0.92])
        '91.00 ± 1.41 % (n = 2)'
    """
    mean = sum(accuracies) / len(accuracies)
    if len(accuracies) == 1:
        return f"{100 * mean:.2f} %"
    deviation = math.sqrt(sum((value - mean) ** 2 for value in accuracies) / (len(accuracies) - 1))
    return f"{100 * mean:.2f} ± {100 * deviation:.2f} % (n = {len(accuracies)})"


def number(value: float | None) -> str:
    """Format a measure: large whole numbers in full, others to four digits, a missing one as a dash.

    Example:
        >>> number(55362.0), number(0.44651), number(None)
        ('55,362', '0.4465', '-')
    """
    if value is None:
        return "-"
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 100 else f"{value:.4g}"
