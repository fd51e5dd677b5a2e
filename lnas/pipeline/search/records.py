"""Everything that searches did, as parquet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from lnas.pipeline.parquet import columns_parquet
from lnas.pipeline.search.conducting import Search
from lnas.pipeline.search.findings import Findings


def trials_parquet(searches: Sequence[Search]) -> bytes:
    """Return a row for each evaluation: which search, its number, the candidate, the time used, and all measures."""
    names = dict.fromkeys(chain.from_iterable(search.bench.directions for search in searches))
    columns: dict[str, list[Any]] = {name: [] for name in ("strategy", "judge", "seed", "evaluation", "candidate")}
    numbers: dict[str, list[np.ndarray]] = {name: [] for name in ("seconds", *names)}
    for search in searches:
        trials = search.course.trials
        columns["strategy"] += [search.strategy] * len(trials)
        columns["judge"] += [search.bench.label] * len(trials)
        columns["seed"] += [search.seed] * len(trials)
        columns["evaluation"] += range(1, len(trials) + 1)
        columns["candidate"] += [str(trial.candidate) for trial in trials]
        numbers["seconds"].append(np.array(search.course.seconds))
        for name in names:
            numbers[name].append(search.course.values(name))
    return columns_parquet(columns | {name: np.concatenate(parts) for name, parts in numbers.items()})


def answers_parquet(findings: Sequence[Findings]) -> bytes:
    """Return a row for each change of an answer: when, which architecture, and what is true of it."""
    truths = dict.fromkeys(chain.from_iterable(found.bench.truths for found in findings))
    rows = [row for found in findings for row in _answers(found, truths)]
    names = ("strategy", "judge", "seed", "evaluation", "seconds", "answer", *truths)
    return columns_parquet({name: [row[name] for row in rows] for name in names})


def _answers(found: Findings, truths: Mapping[str, None]) -> Iterator[dict[str, Any]]:
    for search in found.searches:
        for count, arch in search.course.answers:
            yield {
                "strategy": found.strategy,
                "judge": found.bench.label,
                "seed": search.seed,
                "evaluation": count,
                "seconds": search.course.seconds[count - 1],
                "answer": str(arch),
                **{label: found.accuracies.get(label, {}).get(arch, np.nan) for label in truths},
            }
