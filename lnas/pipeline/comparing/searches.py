"""Searches of both results: what they had found by when, paired over their seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from lnas.analysis.paired_means import paired_mean_interval
from lnas.analysis.trajectories import average, spread_points
from lnas.pipeline.comparing.answers import Answers, Group, Truths
from lnas.report.line_chart import LineChart, Series, draw_line_chart
from lnas.report.table import Cell, Column, ResultTable, WithDeviation, WithInterval
from lnas.spaces import SearchSpace
from lnas.spaces.drawing import Svg
from lnas.stats import welch_interval
from lnas.types import Arch

_PERCENT, _SIGNED, _COUNT = "{:.2f}", "{:+.2f}", "{:,}"
_MOMENTS, _POINTS = 5, 80

BySeed = Mapping[int, Answers]


class Rivals(NamedTuple):
    """Searches of A and those of B that are compared with them.

    Attributes:
        name: What they are, for people.
        a: Those of A by seed.
        b: Those of B by seed.
    """

    name: str
    a: BySeed
    b: BySeed

    @property
    def seeds(self) -> list[int]:
        """Those that both have."""
        return [seed for seed in self.a if seed in self.b]

    @property
    def shortest(self) -> int:
        """After how many evaluations the first of them ended."""
        return min(each.evaluations for own in (self.a, self.b) for each in own.values())


def rivals_of(a: Mapping[Group, BySeed], b: Mapping[Group, BySeed]) -> list[Rivals]:
    """Pair up searches of the same strategy and judge or, where either result has but one kind, these."""
    same = [Rivals(_named(group), a[group], b[group]) for group in a if group in b]
    if same or not len(a) == len(b) == 1:
        return same
    (one, own), (other, others) = next(iter(a.items())), next(iter(b.items()))
    return [Rivals(f"{_named(one)} / {_named(other)}", own, others)]


def found_table(rivals: Sequence[Rivals], truths: Truths, after: Sequence[int]) -> ResultTable | None:
    """Say how accurate the answers were after some evaluations; None where no accuracy is known."""
    rows = [(each, label, count) for each in rivals for label in truths for count in _moments(each, after)]
    if not rows:
        return None
    cells = [_found(each, truths[label], count) for each, label, count in rows]
    return ResultTable(
        "found",
        "What the searches had found",
        [
            Column("searches", "searches", [each.name for each, *_ in rows]),
            Column("truth", "accuracy", [label for _, label, _ in rows]),
            Column("evaluations", "evaluations", [count for *_, count in rows], _COUNT),
            Column("a", "A (%)", [own[0] for own in cells], _PERCENT),
            Column("b", "B (%)", [own[1] for own in cells], _PERCENT),
            Column("ahead", "B - A (points)", [own[2] for own in cells], _SIGNED),
            Column("paired", "interval", [own[3] for own in cells]),
        ],
        [
            "Accuracy of the answers after so many evaluations, the free ones of a strategy among them: mean ± "
            "standard deviation over seeds. In brackets 95 % intervals. Where both have a seed with a known "
            "accuracy all numbers are over such seeds, and the interval is Student's of the paired differences; else "
            "it is Welch's over the seeds of either."
        ],
    )


def answer_table(rivals: Sequence[Rivals], space: SearchSpace, truths: Truths) -> ResultTable:
    """List what each search answered in the end."""
    rows = [(each, seed) for each in rivals for seed in dict.fromkeys([*each.a, *each.b])]
    last = [[_last(own, seed) for own in (each.a, each.b)] for each, seed in rows]
    columns = [
        Column("searches", "searches", [each.name for each, _ in rows]),
        Column("seed", "seed", [seed for _, seed in rows]),
        Column("same", "same", ["-" if None in pair else "yes" if pair[0] == pair[1] else "no" for pair in last]),
    ]
    for label, truth in truths.items():
        for side, letter in enumerate("ab"):
            accuracies = [None if (arch := pair[side]) is None else truth.get(arch) for pair in last]
            columns.append(Column(f"{label}_{letter}", f"{label} of {letter.upper()} (%)", accuracies, _PERCENT))
    for side, letter in enumerate("ab"):
        labels = ["" if (arch := pair[side]) is None else space.label(arch) for pair in last]
        columns.append(Column(f"answer_{letter}", f"answer of {letter.upper()}", labels))
    return ResultTable("answers", "What each search answered in the end", columns)


def search_verdicts(rivals: Sequence[Rivals], truths: Truths) -> dict[str, str]:
    """Say in a sentence which of the searches found better."""
    return {f"{each.name}, {label}": _verdict(each, truth) for each in rivals for label, truth in truths.items()}


def course_figures(rivals: Sequence[Rivals], truths: Truths) -> dict[str, Svg]:
    """Draw the accuracy of the answers against the evaluations, A beside B."""
    drawn = {}
    for each in rivals:
        for label, truth in truths.items():
            points = spread_points(1, each.shortest, _POINTS, whole=True)
            series = [_series(name, own, truth, points) for name, own in (("A", each.a), ("B", each.b))]
            if any(one.points for one in series):
                title = f"{label}: {each.name}"
                drawn[title] = draw_line_chart(LineChart(title, "evaluations", "%", series, form=_PERCENT))
    return drawn


def _named(group: Group) -> str:
    return f"{group[0]} by {group[1]}"


def _moments(each: Rivals, after: Sequence[int]) -> list[int]:
    last = each.shortest
    chosen = [count for count in after if count < last] or spread_points(1, last, _MOMENTS, whole=True).astype(
        int
    ).tolist()
    return list(dict.fromkeys([*chosen, last]))


def _found(each: Rivals, truth: Mapping[Arch, float], count: int) -> tuple[Cell, Cell, Cell, str]:
    """Return what A and B had found, how far B was ahead, and over what."""
    a, b = (_accuracies(own, truth, count) for own in (each.a, each.b))
    pairs = [(a[seed], b[seed]) for seed in a if seed in b]
    if pairs:
        one, other = np.array(pairs).T
        interval, how = paired_mean_interval(other, one), f"paired over {_number(len(pairs), 'seed')}"
    else:
        one, other = (np.array(list(own.values())) for own in (a, b))
        interval, how = welch_interval(other, one), f"over {len(a)} and {_number(len(b), 'seed')}"
    known = len(one) and len(other)
    ahead = WithInterval(float(other.mean() - one.mean()), *interval) if known else None
    return WithDeviation.of(one), WithDeviation.of(other), ahead, how


def _accuracies(own: BySeed, truth: Mapping[Arch, float], count: int) -> dict[int, float]:
    """Return the accuracies that are known, by seed."""
    values = {seed: each.accuracy(truth, count) for seed, each in own.items()}
    return {seed: value for seed, value in values.items() if not math.isnan(value)}


def _number(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _verdict(each: Rivals, truth: Mapping[Arch, float]) -> str:
    *_, ahead, how = _found(each, truth, each.shortest)
    after = f"after {each.shortest:,} evaluations, {how}"
    if not isinstance(ahead, WithInterval):
        return f"nothing known of what was found {after}"
    if math.isnan(ahead.low):
        return f"B less A is {ahead.value:+.2f} points {after}, and no interval is defined"
    written = f"{ahead.value:+.2f} [{ahead.low:+.2f}, {ahead.high:+.2f}] points"
    if ahead.low > 0 or ahead.high < 0:
        return f"{'B' if ahead.value > 0 else 'A'} finds better {after}: B less A is {written}"
    if ahead.value == ahead.low == ahead.high == 0:
        return f"both find what is equally accurate {after}"
    return f"no difference that so few searches can show {after}: B less A is {written}"


def _series(label: str, own: BySeed, truth: Mapping[Arch, float], points: np.ndarray) -> Series:
    curves = [
        ([float(count) for count in each.since], [truth.get(arch, float("nan")) for arch in each.archs])
        for each in own.values()
    ]
    mean = average(curves, points)
    return Series(label, mean.points.tolist(), mean.mean.tolist(), mean.deviation.tolist(), "steps")


def _last(own: BySeed, seed: int) -> Arch | None:
    return own[seed].archs[-1] if seed in own else None
