"""What one official record says, as flat numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from lnas.benchmarks.tabular import Quantity
from lnas.errors import UsageError, complaint

SPLITS = {
    "cifar10-valid": ("train", "x-valid", "ori-test"),
    "cifar10": ("train", "ori-test"),
    "cifar100": ("train", "x-valid", "x-test", "ori-test"),
    "ImageNet16-120": ("train", "x-valid", "x-test", "ori-test"),
}
"""What can be trained on, and what an accuracy can be measured on."""

_ARBITER = 888
_EPOCHS = r"0[1-9]|[1-9][0-9]{1,2}"
_FETCH = "Fetch it again."


@dataclass(frozen=True)
class Training:
    """One training of an architecture.

    Attributes:
        dataset: What it was trained on.
        epochs: How long.
        seed: With which seed.
        accuracies: Percent after the last epoch, by split.
        seconds: The cost of each accuracy: the whole training, and one evaluation on the split. The accuracy on `train`
            is counted while training and costs no evaluation.
        params: Number of parameters.
        flops: Number of multiply-accumulates for one image.
        latency: Seconds for a batch of 256 images; None if it was not measured.
        curves: Percent or cross-entropy after each epoch, for the splits that were evaluated after each.
    """

    dataset: str
    epochs: int
    seed: int
    accuracies: dict[str, float]
    seconds: dict[str, float]
    params: int
    flops: int
    latency: float | None
    curves: dict[tuple[str, Quantity], list[float]]


def read_record(
    record: object, index: int, notation: str, where: str, curves: Literal["none", "all"] = "none"
) -> list[Training]:
    """Return the trainings of an official record, as `load_plain` returns it.

    Args:
        record: Of one architecture: by number of epochs, all its trainings.
        index: The benchmark's number of the architecture.
        notation: The architecture itself.
        where: Names the file in errors.
        curves: Whether learning curves are wanted.

    Raises:
        UsageError: If the record is of another architecture, lacks a part, or a number in it is none.
    """
    whole = _Part(record, f"NATS-Bench file {where!r}")
    trainings = []
    for hp in whole.keys(str):
        if not re.fullmatch(_EPOCHS, hp):
            raise whole.error("numbers of epochs, as 01, 12 or 200", hp)
        results = whole.part(hp)
        results.part("arch_index").require(index)
        results.part("arch_str").require(notation)
        trainings += [_training(run, int(hp), *of, curves) for of, run in _runs(results)]
    if not trainings:
        raise whole.error("at least one training", "none")
    return trainings


def sizes(trainings: Sequence[Training]) -> dict[str, tuple[int, int]]:
    """Return an architecture's parameters and multiply-accumulates by dataset.

    Those of the longest trainings count. Where these disagree, an error in some of the records, the one with seed 888
    is right: so the benchmark's own reader has it.

    Raises:
        UsageError: If they disagree and none has that seed.

    Source: `nats_bench` 1.8, `ArchResults.get_compute_costs`.
    """
    return {dataset: _size(dataset, trainings) for dataset in {training.dataset: None for training in trainings}}


def _size(dataset: str, trainings: Sequence[Training]) -> tuple[int, int]:
    alike = [training for training in trainings if training.dataset == dataset]
    longest = [training for training in alike if training.epochs == max(other.epochs for other in alike)]
    found = {(training.params, training.flops): training.seed for training in longest}
    if len(found) == 1:
        return next(iter(found))
    for training in longest:
        if training.seed == _ARBITER:
            return training.params, training.flops
    call = f"NATS-Bench record, {dataset}"
    raise UsageError(complaint(call, "the same parameters and FLOPs with each seed", list(found), _FETCH))


def _runs(results: _Part) -> Iterator[tuple[tuple[str, int], _Part]]:
    listed, runs = results.part("dataset_seed"), results.part("all_results")
    pairs = [(dataset, seed) for dataset in listed.keys(str) for seed in listed.part(dataset).items(int)]
    if len(pairs) != len(runs.keys(tuple)) or {*pairs} != {*runs.keys(tuple)}:
        raise runs.error("the runs that `dataset_seed` lists", "others")
    for dataset, seed in pairs:
        if dataset not in SPLITS:
            raise listed.error(f"datasets of {', '.join(SPLITS)}", dataset)
        yield (dataset, seed), runs.part((dataset, seed))


def _training(run: _Part, epochs: int, dataset: str, seed: int, curves: Literal["none", "all"]) -> Training:
    run.part("name").require(dataset)
    run.part("seed").require(f"{seed:04d}")
    run.part("epochs").require(epochs)
    names = {"train": tuple(range(epochs))} | {split: _names(split, epochs) for split in _evaluated(run, dataset)}
    tables = {split: _tables(run, split) for split in names}
    trained = sum(run.part("train_times").series(names["train"]))
    times = run.part("eval_times")
    evaluated = {split: sum(times.series(names[split])) / epochs for split in names if split != "train"}
    return Training(
        dataset,
        epochs,
        seed,
        {split: tables[split]["accuracy"].number(names[split][-1], most=100.0) for split in names},
        {split: trained + evaluated.get(split, 0.0) for split in names},
        round(run.number("params") * 1e6),
        round(run.number("flop") * 1e6),
        _latency(run),
        _curves(tables, names) if curves == "all" else {},
    )


def _evaluated(run: _Part, dataset: str) -> list[str]:
    splits = run.part("eval_names")
    for split in splits.items(str):
        if split not in SPLITS[dataset][1:]:
            raise splits.error(f"splits of {', '.join(SPLITS[dataset][1:])}", split)
    return splits.items(str)


def _tables(run: _Part, split: str) -> dict[Quantity, _Part]:
    kind = "train" if split == "train" else "eval"
    return {"accuracy": run.part(f"{kind}_acc1es"), "loss": run.part(f"{kind}_losses")}


def _curves(
    tables: dict[str, dict[Quantity, _Part]], names: dict[str, tuple[Any, ...]]
) -> dict[tuple[str, Quantity], list[float]]:
    return {
        (split, quantity): table.series(names[split], most=100.0 if quantity == "accuracy" else math.inf)
        for split in names
        for quantity, table in tables[split].items()
        if table.holds(names[split])
    }


def _latency(run: _Part) -> float | None:
    measured = run.part("latency")
    if not measured.value:
        return None
    values = measured.items(float)
    return sum(values) / len(values)


@lru_cache
def _names(split: str, epochs: int) -> tuple[str, ...]:
    return tuple(f"{split}@{epoch}" for epoch in range(epochs))


class _Part:
    """A value inside a record, and where it stands there. Only single values are shown in errors."""

    def __init__(self, value: object, where: str) -> None:
        self.value = value
        self.where = where

    def error(self, expected: str, got: object) -> UsageError:
        shown = got if isinstance(got, str | int | float | None) else type(got).__name__
        return UsageError(complaint(self.where, expected, shown, _FETCH))

    def part(self, key: Any) -> _Part:
        if not isinstance(self.value, dict) or key not in self.value:
            raise self.error(f"a dict with {key!r}", self.value)
        return _Part(self.value[key], f"{self.where}, {key}")

    def require(self, value: object) -> None:
        if type(self.value) is not type(value) or self.value != value:
            raise self.error(repr(value), self.value)

    def keys(self, kind: type) -> list[Any]:
        if not isinstance(self.value, dict) or any(type(key) is not kind for key in self.value):
            raise self.error(f"a dict by {kind.__name__}", self.value)
        return list(self.value)

    def items(self, kind: type) -> list[Any]:
        if not isinstance(self.value, list) or any(type(item) is not kind for item in self.value):
            raise self.error(f"a list of {kind.__name__}", self.value)
        return self.value

    def holds(self, keys: Sequence[Any]) -> bool:
        return isinstance(self.value, dict) and all(key in self.value for key in keys)

    def number(self, key: Any, most: float = math.inf) -> float:
        return self.series([key], most)[0]

    def series(self, keys: Sequence[Any], most: float = math.inf) -> list[float]:
        """Return the numbers under these keys, each of which must be in 0..most."""
        values = self.value if isinstance(self.value, dict) else {}
        found: list[Any] = [values.get(key) for key in keys]
        for key, value in zip(keys, found, strict=True):
            if type(value) not in (float, int) or not (0 <= value <= most and math.isfinite(value)):
                raise self.error(f"a number in 0..{most:g} under {key!r}", value)
        return found
