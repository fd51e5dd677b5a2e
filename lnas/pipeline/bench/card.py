"""What a benchmark that was built here says of itself: in its file, and as a page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lnas.benchmarks import MEAN, AccuracyKey, Card, TabularBenchmark
from lnas.benchmarks.agreement import SeedAgreement, seed_agreement
from lnas.benchmarks.rows import Standing
from lnas.data import ImageData
from lnas.errors import UsageError
from lnas.spaces import SPACES, SearchSpace

_ROWS: dict[Standing, str] = {
    "architecture": "Each row is an architecture, trained",
    "isomorphic": "Each row is a class of isomorphic architectures, of which one was trained",
    "functional": "Each row is a class of architectures that compute the same function, of which one was trained",
}
_QUANTILES = (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)


def make_card(
    name: str,
    space: SearchSpace,
    row: Standing,
    data: ImageData,
    epochs: int,
    seeds: Sequence[int],
    lost: int,
    licence: str,
    made: Mapping[str, Any],
) -> Card:
    """Make the card that a table carries.

    Args:
        name: Of the benchmark.
        space: Of the architectures.
        row: What a row stands for.
        data: What was trained on.
        epochs: Length of the trainings.
        seeds: With how many seeds each row was trained.
        lost: How many trainings gave no accuracy.
        licence: Of the numbers.
        made: Settings and provenance.
    """
    images = {split: _several(len(images), "image") for split, images in data.splits.items()}
    parts = sorted(Counter(seeds).items(), reverse=True)
    sense: Standing = "architecture" if row == "isomorphic" and space.class_count == space.size else row
    trained = ", ".join(f"{_several(rows, 'row')} with {_several(count, 'seed')}" for count, rows in parts)
    return Card(
        name,
        f"{_several(len(seeds), 'row')} of {space.name!r}. {_ROWS[sense]} from new weights for "
        f"{_several(epochs, 'epoch')} on {data.name!r}: {images['train']} to train, {images['val']} to validate, "
        f"{images['test']} to test. "
        f"{_several(sum(seeds), 'training')} gave accuracies ({trained}), {lost:,} did not.",
        "Made by `lnas bench build`.",
        licence,
        "Every number is of a training that ran to its end with finite losses, measured with the weights of the last "
        "epoch in eval mode on images that are not augmented. A mean is over the seeds that a row was trained with.",
        json.dumps(made, sort_keys=True),
    )


def card_text(benchmark: TabularBenchmark, minutes: float) -> str:
    """Write a benchmark's card as Markdown: what, how, spread, seed-to-seed agreement, time, settings, versions.

    Args:
        benchmark: The table.
        minutes: Wall time of all trainings added up.
    """
    card = benchmark.card
    means = [key for key in benchmark.keys() if key.seed == MEAN]
    lines = [f"# {card.name}", "", card.what, "", f"{card.source} {card.checked}", "", f"Licence: {card.licence}", ""]
    own_space = "" if benchmark.space.name in SPACES else f", space={type(benchmark.space).__name__}()"
    lines += ["```python", f'load_benchmark("{card.name}", "{card.name}.parquet"{own_space})', "```", ""]
    lines += [*_spread(benchmark, means), *_agreements(benchmark, means), *_time(benchmark, means[-1], minutes)]
    lines += ["## Settings, versions, machine", "", "```json", json.dumps(json.loads(card.made), indent=2), "```", ""]
    return "\n".join(lines)


def _spread(benchmark: TabularBenchmark, means: Sequence[AccuracyKey]) -> list[str]:
    lines = ["## Accuracies", "", "| percent | lowest | 5 % | 25 % | median | 75 % | 95 % | highest |"]
    lines.append("|---|---|---|---|---|---|---|---|")
    for key in means:
        quantiles = np.quantile(benchmark.table(key).accuracy, _QUANTILES)
        lines.append(f"| `{key}` | {' | '.join(f'{value:.2f}' for value in quantiles)} |")
    return [*lines, ""]


def _agreements(benchmark: TabularBenchmark, means: Sequence[AccuracyKey]) -> list[str]:
    found = [(key, agreement) for key in means if (agreement := _agreement(benchmark, key))]
    if not found:
        return []
    lines = ["## Agreement of two seeds", "", "How alike two trainings rank that differ in their seed alone.", ""]
    lines += [
        "| accuracy | Kendall's tau | deviation of one training, points | rows | seeds |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| `{key.split}` | {a.tau:.3f} | {a.deviation:.2f} | {a.architectures:,} | {a.seeds} |" for key, a in found
    ]
    return [*lines, ""]


def _agreement(benchmark: TabularBenchmark, key: AccuracyKey) -> SeedAgreement | None:
    try:
        return seed_agreement(benchmark, key)
    except UsageError:
        return None  # one seed


def _time(benchmark: TabularBenchmark, key: AccuracyKey, minutes: float) -> list[str]:
    median = float(np.median(benchmark.seconds[key]))
    total = "less than a minute" if minutes < 1 else _several(round(minutes), "minute")
    return ["## Time", "", f"All trainings together {total}; one, with its evaluation, {median:.2f} s (median).", ""]


def _several(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
