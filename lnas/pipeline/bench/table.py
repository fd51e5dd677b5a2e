"""From finished trainings to a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from lnas.benchmarks import MEAN, AccuracyKey, TabularBenchmark
from lnas.benchmarks.rows import Standing, rows_standing_for
from lnas.benchmarks.tabular import Quantity
from lnas.data import ImageData
from lnas.pipeline.bench.card import make_card
from lnas.pipeline.bench.training import COUNTS, SPLITS
from lnas.pipeline.reasons import reason
from lnas.spaces import SearchSpace
from lnas.types import Arch, Estimate

_CURVES: tuple[tuple[str, str, Quantity, float], ...] = (
    ("val_acc", "val", "accuracy", 100.0),
    ("val_loss", "val", "loss", 1.0),
    ("train_loss", "train", "loss", 1.0),
)
_DECIMALS = 4  # an accuracy is measured in single precision: 8.5 %, not 8.500000089 %
_MILLISECONDS = 3


class Training(NamedTuple):
    """What one training of one architecture gave."""

    arch: Arch
    seed: int
    estimates: Mapping[str, Estimate]

    @property
    def is_complete(self) -> bool:
        """Whether it has an accuracy on every split."""
        return all(self.estimates[f"{split}_acc"].status == "ok" for split in SPLITS)

    @property
    def reason(self) -> str:
        """Why it has none."""
        return reason(self.estimates["test_acc"])


def assemble_table(
    name: str,
    edition: str,
    space: SearchSpace,
    row: Standing,
    data: ImageData,
    epochs: int,
    trainings: Sequence[Training],
    licence: str,
    made: Mapping[str, Any],
) -> TabularBenchmark:
    """Make the table of all architectures that have at least one complete training.

    Args:
        name: Of the benchmark.
        edition: Of the benchmark; with the name, the release in every key.
        space: Of the architectures.
        row: What a row stands for.
        data: What was trained on.
        epochs: Length of the trainings.
        trainings: All of them; those without accuracies are left out, and counted in the card.
        licence: Of the numbers, for the card.
        made: Settings and provenance, for the card.

    Returns:
        Rows in the order of their genes. A mean is over the complete trainings of an architecture.
    """
    complete = [training for training in trainings if training.is_complete]
    archs = sorted({training.arch for training in complete})
    numbers = {arch: number for number, arch in enumerate(archs)}
    seeds = sorted({training.seed for training in complete})
    genes = np.array([arch.genes for arch in archs], dtype=np.int16)
    accuracies: dict[AccuracyKey, np.ndarray] = {}
    seconds: dict[AccuracyKey, np.ndarray] = {}
    key = partial(AccuracyKey, f"{name}-{edition}", data.name, epochs=epochs)
    of_seed = {seed: [training for training in complete if training.seed == seed] for seed in seeds}
    for split in SPLITS:
        measured = np.full((2, len(seeds), len(archs)), np.nan)
        for n, seed in enumerate(seeds):
            for training in of_seed[seed]:
                estimate = training.estimates[f"{split}_acc"]
                percent = round(100 * estimate.value, _DECIMALS)
                measured[:, n, numbers[training.arch]] = percent, round(estimate.seconds, _MILLISECONDS)
            accuracies[key(split, seed=seed)], seconds[key(split, seed=seed)] = measured[:, n]
        accuracies[key(split, seed=MEAN)], seconds[key(split, seed=MEAN)] = np.nanmean(measured, axis=1)
    curves = {
        (key(split, seed=seed), quantity): _curve(of_seed[seed], numbers, series, epochs, scale)
        for seed in seeds
        for series, split, quantity, scale in _CURVES
    }
    counts = {count: np.zeros(len(archs), dtype=np.int64) for count in COUNTS}
    for training in complete:
        for count, values in counts.items():
            values[numbers[training.arch]] = int(training.estimates[count].value)
    rows = rows_standing_for(row, genes, space)
    seeds_of = Counter(training.arch for training in complete)
    lost = len(trainings) - len(complete)
    card = make_card(name, space, row, data, epochs, list(seeds_of.values()), lost, licence, made)
    return TabularBenchmark(card, space, genes, accuracies, seconds, curves, counts, rows)


def _curve(
    trainings: Sequence[Training], numbers: Mapping[Arch, int], series: str, epochs: int, scale: float
) -> np.ndarray:
    curves = np.full((len(numbers), epochs), np.nan, dtype=np.float32)
    for training in trainings:
        points = training.estimates["val_acc"].detail["curves"][series]
        curves[numbers[training.arch]] = [np.nan if point is None else scale * point for point in points]
    return curves
