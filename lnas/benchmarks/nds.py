"""Network design spaces (NDS): the trainings that were released with the paper, one JSON file per sweep."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lnas.benchmarks.accuracy_key import MEAN, AccuracyKey
from lnas.benchmarks.base import Card
from lnas.benchmarks.grouping import group_means
from lnas.benchmarks.plain_files import read_json
from lnas.benchmarks.tabular import Quantity, TabularBenchmark
from lnas.errors import UsageError, complaint
from lnas.spaces.nds import NdsSpace
from lnas.types import Arch

RELEASE, DATASET = "nds", "cifar10"
LAST_EPOCH, BEST_EPOCH = "test", "test-best-epoch"

_GROUPS = ("top", "mid")
_COUNTS = ("params", "flops")
_IMAGENET = "_in"
_FETCH = "Give a file of the release, such as ResNet.json."
_CARD = Card(
    name="",  # the space's
    what=(
        "Residual nets trained on CIFAR-10: test accuracy after the last epoch, and after the best one, which the test "
        "set itself has chosen."
    ),
    source="NDS (Radosavovic et al. 2019, On Network Design Spaces for Visual Recognition), facebookresearch/nds",
    licence="MIT",
    checked="The reader, on small files of the documented form. Not the numbers: the released files were not at hand.",
)


class Training(NamedTuple):
    """One training of one net.

    Attributes:
        arch: The net.
        seed: Of the training.
        best: Accuracy after the best epoch, in percent.
        curve: Accuracy after each epoch, in percent, shape (epochs,).
        counts: Parameters and multiply-accumulates; -1 where not recorded.
        recipe: The settings of the optimizer.
    """

    arch: Arch
    seed: int
    best: float
    curve: np.ndarray
    counts: tuple[int, ...]
    recipe: Any


def read_nds(path: Path | Sequence[Path], space: NdsSpace) -> TabularBenchmark:
    """Read sweeps on CIFAR-10 that differ in nothing but the seeds.

    The accuracies, both on the test set: after the last epoch under the split `test`, with learning curves; and under
    `test-best-epoch` 100 less `min_test_top1`, which is what "Evaluating Efficient Performance Estimators" ranks by
    (NASWOT takes the last epoch). They stand under each seed and, where there are several, under `mean` over all
    trainings of a net. A seed that a net was not trained with is missing.

    A sweep draws its nets at random: among 25,000 of the 1,259,712 ResNets about 248 pairs are to be expected. Two
    trainings of one net with one seed may thus be there; their mean stands under the seed, and the count `trainings`
    says how many there are. The same training twice is refused.

    There are no costs: the files record seconds of an iteration (`iter_time`), not of a training.

    Args:
        path: A file of the release such as `ResNet.json`, or several, such as `ResNet_rng1.json`, `ResNet_rng2.json`
            and `ResNet_rng3.json`: a list of records, or lists under `top` and `mid`. Of a record are read `net`,
            `rng_seed`, `min_test_top1`, `test_ep_top1` (test errors in percent) and, where all have them, `params` and
            `flops`; `optim` must be the same in all.
        space: That of the nets.

    Raises:
        UsageError: If a file is missing, damaged or of another form, a record lacks a field or holds NaN, a net is of
            another space, trainings differ in length or recipe, or a training stands twice.

    Source: facebookresearch/nds, `notebooks/app_a.ipynb`, for the records' fields and for how re-runs are averaged.
    """
    if not isinstance(space, NdsSpace):
        step = "Example: NdsResNetSpace()."
        raise UsageError(complaint("read_nds(space=...)", "a space of residual nets", type(space).__name__, step))
    paths = [path] if isinstance(path, Path) else list(path)
    trainings = [training for each in paths for training in _read_sweep(each, space)]
    call = f"NDS {', '.join(repr(str(each)) for each in paths)}"
    if not trainings:
        raise UsageError(complaint(call, "at least one training", "none", _FETCH))
    _require_one_protocol(call, trainings)
    return _tabulate(space, trainings)


def _read_sweep(path: Path, space: NdsSpace) -> Iterator[Training]:
    call = f"NDS file {str(path)!r}"
    if path.stem.endswith(_IMAGENET):
        raise UsageError(complaint(call, "a sweep on CIFAR-10", "one on ImageNet", _FETCH))
    content = read_json(path)
    if isinstance(content, dict) and content.keys() == set(_GROUPS):
        content = [record for group in _GROUPS for record in _listed(call, content[group])]
    for number, record in enumerate(_listed(call, content)):
        yield _read_training(f"{call}, record {number}", record, space)


def _listed(call: str, content: Any) -> list[Any]:
    if not isinstance(content, list):
        raise UsageError(complaint(call, "a list of trainings, or lists under 'top' and 'mid'", content, _FETCH))
    return content


def _read_training(call: str, record: Any, space: NdsSpace) -> Training:
    needed = ("net", "rng_seed", "min_test_top1", "test_ep_top1")
    missing = [name for name in needed if not (isinstance(record, dict) and name in record)]
    if missing:
        raise UsageError(complaint(call, f"an object with {', '.join(needed)}", f"no {', '.join(missing)}", _FETCH))
    errors, seed = record["test_ep_top1"], record["rng_seed"]
    if not isinstance(errors, list) or not errors:
        raise UsageError(complaint(call, "'test_ep_top1' to be a list", errors, _FETCH))
    for error in (*errors, record["min_test_top1"]):
        if type(error) not in (int, float) or not 0 <= error <= 100:
            raise UsageError(complaint(call, "test errors in percent", error, "The file is damaged."))
    if type(seed) is not int or seed < 0:
        raise UsageError(complaint(call, "a seed in 'rng_seed'", seed, _FETCH))
    return Training(
        _read_net(call, record["net"], space),
        seed,
        100.0 - record["min_test_top1"],
        100.0 - np.array(errors, dtype=np.float64),
        tuple(_read_count(call, name, record.get(name)) for name in _COUNTS),
        record.get("optim"),
    )


def _read_net(call: str, net: Any, space: NdsSpace) -> Arch:
    try:
        return space.parse(json.dumps(net))
    except UsageError as error:
        raise UsageError(complaint(call, f"a net of {space.name!r}", net, str(error))) from error


def _read_count(call: str, name: str, value: Any) -> int:
    if value is None:
        return -1
    if type(value) not in (int, float) or not math.isfinite(value) or value < 0 or value != int(value):
        raise UsageError(complaint(call, f"a whole number as {name!r}", value, "The file is damaged."))
    return int(value)


def _require_one_protocol(call: str, trainings: Sequence[Training]) -> None:
    """Refuse trainings whose accuracies cannot stand under one key, or do not say which net they are of."""
    first = trainings[0]
    known: dict[Arch, Training] = {}
    seen: set[tuple[Arch, int, bytes]] = set()
    for training in trainings:
        if len(training.curve) != len(first.curve):
            got = f"{len(first.curve)} and {len(training.curve)} epochs"
            raise UsageError(complaint(call, "trainings of one length", got, "Read them apart."))
        if training.recipe != first.recipe:
            got = f"{first.recipe} and {training.recipe}"
            raise UsageError(complaint(call, "one 'optim' for all trainings", got, "Sweeps over it are no benchmark."))
        if training.counts != known.setdefault(training.arch, training).counts:
            got = f"{known[training.arch].counts} and {training.counts} of {training.arch}"
            raise UsageError(complaint(call, f"one number of {' and '.join(_COUNTS)} per net", got, "Read them apart."))
        identity = (training.arch, training.seed, training.curve.tobytes())
        if identity in seen:
            got = f"one of {training.arch} with seed {training.seed} twice"
            raise UsageError(complaint(call, "each training once", got, "Give each file once."))
        seen.add(identity)


def _tabulate(space: NdsSpace, trainings: Sequence[Training]) -> TabularBenchmark:
    rows: dict[Arch, int] = {}
    row = np.array([rows.setdefault(training.arch, len(rows)) for training in trainings])
    seed = np.array([training.seed for training in trainings])
    best = np.array([training.best for training in trainings])
    curves = np.stack([training.curve for training in trainings])
    seeds = sorted(set(seed.tolist()))
    groups: dict[int | str, np.ndarray] = {number: seed == number for number in seeds}
    if len(seeds) > 1:
        groups[MEAN] = np.ones(len(trainings), dtype=bool)
    epochs = curves.shape[1]
    accuracies: dict[AccuracyKey, np.ndarray] = {}
    curve_of: dict[tuple[AccuracyKey, Quantity], np.ndarray] = {}
    for name, chosen in groups.items():
        last_key, best_key = (AccuracyKey(RELEASE, DATASET, split, epochs, name) for split in (LAST_EPOCH, BEST_EPOCH))
        curve = group_means(curves[chosen], row[chosen], len(rows))
        accuracies |= {last_key: curve[:, -1], best_key: group_means(best[chosen], row[chosen], len(rows))}
        curve_of[last_key, "accuracy"] = curve
    return TabularBenchmark(
        replace(_CARD, name=space.name),
        space,
        np.array([arch.genes for arch in rows], dtype=np.int8),
        accuracies,
        curves=curve_of,
        counts=_counts(trainings, row, len(rows)),
    )


def _counts(trainings: Sequence[Training], row: np.ndarray, rows: int) -> dict[str, np.ndarray]:
    """Return how many trainings each row has, and the counts that all of them record."""
    counts = {"trainings": np.bincount(row, minlength=rows)}
    for number, name in enumerate(_COUNTS):
        values = np.zeros(rows, dtype=np.int64)
        values[row] = [training.counts[number] for training in trainings]
        if (values >= 0).all():
            counts[name] = values
    return counts
