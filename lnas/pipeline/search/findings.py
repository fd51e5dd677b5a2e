"""What searches found, by the accuracies that they never saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lnas.analysis.trajectories import Trajectory, average, average_rows, spread_points
from lnas.pipeline.search.conducting import Search
from lnas.pipeline.search.judge import Bench
from lnas.spaces import SearchSpace
from lnas.store import Pick
from lnas.types import Arch

_POINTS = 80
_STRETCHES = 25
_MOST_CHOICES = 12


@dataclass(frozen=True)
class Findings:
    """The repeats of one strategy by one judge, and what is true of their answers.

    Attributes:
        strategy: Its label.
        bench: The judge.
        searches: One for each repeat, ended.
        accuracies: Label of a truth -> accuracy of each answer in percent, NaN where the benchmark lacks it.
    """

    strategy: str
    bench: Bench
    searches: Sequence[Search]
    accuracies: Mapping[str, Mapping[Arch, float]]

    def found(self, truth: str, counted: int | None = None) -> np.ndarray:
        """Return the accuracy of what each search answers, NaN where there is none, shape (repeats,).

        Args:
            truth: Label of the truth.
            counted: After how many evaluations that the budget counts; at its end, if not given.
        """
        own = self.accuracies.get(truth, {})
        return np.array([np.nan if arch is None else own.get(arch, np.nan) for arch in self.answers(counted)])

    def answers(self, counted: int | None = None) -> list[Arch | None]:
        """Return what each search answers after so many evaluations, or at its end."""
        return [
            search.course.answer if counted is None else search.course.answer_after(counted) for search in self.searches
        ]

    def evaluations(self, counted: int | None = None) -> np.ndarray:
        """Return how many evaluations each search counted by then, shape (repeats,)."""
        made = np.array([search.course.counted for search in self.searches], dtype=float)
        return made if counted is None else np.minimum(made, counted)

    def seconds(self, counted: int | None = None) -> np.ndarray:
        """Return how much time each search had used by then, those of uncounted evaluations included."""
        return np.array([search.course.seconds_after(counted) for search in self.searches])

    def by_evaluations(self, truth: str) -> Trajectory:
        """Return the accuracy of the answers against all evaluations made."""
        last = max(len(search.course.trials) for search in self.searches)
        curves = [self._curve(search, truth, [count for count, _ in search.course.answers]) for search in self.searches]
        return average(curves, spread_points(1, last, _POINTS, whole=True))

    def by_seconds(self, truth: str) -> Trajectory | None:
        """Return the accuracy of the answers against the time used; None where no time is known."""
        curves = [
            self._curve(search, truth, [search.course.seconds[count - 1] for count, _ in search.course.answers])
            for search in self.searches
        ]
        first = min((since[0] for since, _ in curves if since), default=0.0)
        last = max(search.course.seconds[-1] for search in self.searches)
        return average(curves, spread_points(first, last, _POINTS, whole=False)) if first > 0 else None

    def states(self) -> dict[str, Trajectory]:
        """Return the numbers that tell how the strategy was doing, against evaluations."""
        names = {name: None for search in self.searches for _, state in search.course.states for name in state}
        last = max(len(search.course.trials) for search in self.searches)
        points = spread_points(1, last, _POINTS, whole=True)
        return {name: average([_state(search, name) for search in self.searches], points) for name in names}

    def measured(self) -> dict[str, Trajectory]:
        """Return the mean of each measure over stretches of the searches, against evaluations."""
        names = self.bench.directions
        return {name: self._stretched([search.course.values(name) for search in self.searches]) for name in names}

    def shares(self, space: SearchSpace) -> dict[str, Trajectory]:
        """Return the share in percent of each choice among the decisions proposed, over stretches of the searches.

        Empty where regions are proposed, or choices are too many to be told apart.
        """
        searches = [[trial.candidate for trial in search.course.trials] for search in self.searches]
        if not all(isinstance(candidate, Arch) for candidates in searches for candidate in candidates):
            return {}
        names = [
            [space.choice_name(decision, choice) for choice in range(1 + max(allowed))]
            for decision, allowed in enumerate(space.region.choices)
        ]
        every = dict.fromkeys(name for own in names for name in own)
        if len(every) > _MOST_CHOICES:
            return {}
        place = {name: k for k, name in enumerate(every)}
        codes = [np.array([place[name] for name in own]) for own in names]
        rows = []
        for candidates in searches:
            genes = np.array([candidate.genes for candidate in candidates if isinstance(candidate, Arch)])
            chosen = np.stack([codes[k][genes[:, k]] for k in range(genes.shape[1])], axis=1)
            rows.append(np.stack([(chosen == k).mean(axis=1) for k in range(len(every))]) * 100)
        return {name: self._stretched([row[k] for row in rows]) for name, k in place.items()}

    def _stretched(self, rows: Sequence[np.ndarray]) -> Trajectory:
        """Average some numbers per evaluation over stretches of equal length; deviation is between the searches."""
        last = max(map(len, rows))
        length = max(1, -(-last // _STRETCHES))
        points = np.arange(length, last + length, length, dtype=float)
        means = np.full((len(rows), len(points)), np.nan)
        for row, own in zip(means, rows, strict=True):
            for k in range(len(points)):
                part = own[k * length : (k + 1) * length]
                known = part[~np.isnan(part)]
                if len(known):
                    row[k] = known.mean()
        return average_rows(np.minimum(points, last), means)

    @cached_property
    def without(self) -> int:
        """How many evaluations gave no number that the strategy could judge by."""
        return sum(search.course.without for search in self.searches)

    def _curve(self, search: Search, truth: str, since: list[float] | list[int]) -> tuple[list[float], list[float]]:
        own = self.accuracies[truth]
        values = [own.get(arch, np.nan) for _, arch in search.course.answers]
        return [float(at) for at in since], values


def find_out(searches: Sequence[Search], space: SearchSpace) -> list[Findings]:
    """Group searches by strategy and judge, in their order, and look up what is true of every answer."""
    groups: dict[tuple[str, str], list[Search]] = {}
    for search in searches:
        groups.setdefault((search.bench.label, search.strategy), []).append(search)
    known: dict[int, dict[str, dict[Arch, float]]] = {}
    for some in groups.values():
        bench = some[0].bench
        known.setdefault(id(bench), {label: {} for label in bench.truths})
        for label, accuracies in known[id(bench)].items():
            asked = [arch for arch in dict.fromkeys(_answers(some)) if arch not in accuracies]
            found = bench.truths[label].accuracies(asked, space)
            accuracies |= {arch: np.nan if own is None else own for arch, own in zip(asked, found, strict=True)}
    return [Findings(strategy, some[0].bench, some, known[id(some[0].bench)]) for (_, strategy), some in groups.items()]


def answered(findings: Sequence[Findings]) -> list[Pick]:
    """Return what each search answers in the end, with its strategy, judge and seed; those without an answer not."""
    return [
        Pick(f"{found.strategy} by {found.bench.label}, seed {search.seed}", arch)
        for found in findings
        for search, arch in zip(found.searches, found.answers(), strict=True)
        if arch is not None
    ]


def _answers(searches: Sequence[Search]) -> Iterator[Arch]:
    for search in searches:
        for _, arch in search.course.answers:
            yield arch


def _state(search: Search, name: str) -> tuple[list[float], list[float]]:
    there = [(count, state[name]) for count, state in search.course.states if name in state]
    return [float(count) for count, _ in there], [value for _, value in there]
