"""The public extract of NATS-Bench's topology space: one parquet file, one row per cell, no learning curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from lnas.benchmarks.accuracy_key import AccuracyKey
from lnas.benchmarks.base import Card
from lnas.benchmarks.parquet import read_columns
from lnas.benchmarks.tabular import TabularBenchmark
from lnas.errors import UsageError, complaint
from lnas.spaces import NatsTopologySpace
from lnas.types import Arch

_NATS = "nats-1.0"
_ACCURACIES = {
    "nats-1.0/cifar10-valid/x-valid@200/mean": "c10v_val200",
    "nats-1.0/cifar10-valid/x-valid@200/777": "c10v_val200_s777",
    "nats-1.0/cifar10-valid/x-valid@200/888": "c10v_val200_s888",
    "nats-1.0/cifar10-valid/x-valid@200/999": "c10v_val200_s999",
    "nats-1.0/cifar10/ori-test@200/mean": "c10_test200",
    "nats-1.0/cifar10/ori-test@200/777": "c10_test200_s777",
    "nats-1.0/cifar10/ori-test@200/888": "c10_test200_s888",
    "nats-1.0/cifar10/ori-test@200/999": "c10_test200_s999",
    "nats-1.0/cifar100/x-valid@200/mean": "c100_val200",
    "nats-1.0/cifar100/x-test@200/mean": "c100_test200",
    "nats-1.0/cifar100/ori-test@200/777": "c100_valtest200_s777",
    "nats-1.0/cifar100/ori-test@200/888": "c100_valtest200_s888",
    "nats-1.0/cifar100/ori-test@200/999": "c100_valtest200_s999",
    "nats-1.0/ImageNet16-120/x-valid@200/mean": "in16_val200",
    "nats-1.0/ImageNet16-120/x-test@200/mean": "in16_test200",
    "nats-1.0/ImageNet16-120/ori-test@200/777": "in16_valtest200_s777",
    "nats-1.0/ImageNet16-120/ori-test@200/888": "in16_valtest200_s888",
    "nats-1.0/ImageNet16-120/ori-test@200/999": "in16_valtest200_s999",
    "nats-1.0/cifar10-valid/x-valid@12/mean": "c10v_val12",
    "nats-1.0/cifar10-valid/x-valid@12/run-a": "c10v_val12_a",
    "nats-1.0/cifar10-valid/x-valid@12/run-b": "c10v_val12_b",
    "nats-1.0/cifar10-valid/ori-test@12/run-a": "c10v_test12_a",
    "nats-1.0/cifar10-valid/train@12/run-a": "c10v_train12_a",
    "nats-1.0/cifar100/x-valid@12/mean": "c100_val12",
    "nats-1.0/cifar100/x-test@12/mean": "c100_test12",
    "nats-1.0/cifar100/train@12/mean": "c100_train12",
    "nats-1.0/ImageNet16-120/x-valid@12/mean": "in16_val12",
    "nats-1.0/ImageNet16-120/x-test@12/mean": "in16_test12",
    "nats-1.0/ImageNet16-120/train@12/mean": "in16_train12",
    "nas-bench-201-1.1/cifar10-valid/train@200/mean": "nb201v11_c10v_train200",
    "nas-bench-201-1.1/cifar10-valid/x-valid@200/mean": "nb201v11_c10v_val200",
    "nas-bench-201-1.1/cifar10-valid/ori-test@200/mean": "nb201v11_c10v_test200",
    "nas-bench-201-1.1/cifar100/train@200/mean": "nb201v11_c100_train200",
    "nas-bench-201-1.1/cifar100/x-valid@200/mean": "nb201v11_c100_val200",
    "nas-bench-201-1.1/cifar100/x-test@200/mean": "nb201v11_c100_test200",
    "nas-bench-201-1.1/ImageNet16-120/train@200/mean": "nb201v11_in16_train200",
    "nas-bench-201-1.1/ImageNet16-120/x-valid@200/mean": "nb201v11_in16_val200",
    "nas-bench-201-1.1/ImageNet16-120/x-test@200/mean": "nb201v11_in16_test200",
}
_TRAINING = {
    ("cifar10-valid", 12): "c10v_train_time12_s",
    ("cifar10-valid", 200): "c10v_train_time200_s",
    ("cifar100", 12): "c100_train_time12_s",
    ("cifar100", 200): "c100_train_time200_s",
    ("ImageNet16-120", 12): "in16_train_time12_s",
    ("ImageNet16-120", 200): "in16_train_time200_s",
}
_VALIDATION = {
    "cifar10-valid": "c10v_val_time_per_eval_s",
    "cifar100": "c100_val_time_per_eval_s",
    "ImageNet16-120": "in16_val_time_per_eval_s",
}
_MILLIONS = {
    "params/cifar10": "params_M_c10",
    "params/cifar100": "params_M_c100",
    "params/ImageNet16-120": "params_M_in16",
    "recorded params/cifar10": "params_M_c10_recorded",
    "flops/cifar10": "flops_M_c10",
    "flops/cifar100": "flops_M_c100",
    "flops/ImageNet16-120": "flops_M_in16",
}
_EDGES = ("e01", "e02", "e12", "e03", "e13", "e23")
_INDEX, _NOTATION = "index", "arch_str"
_NOT_READ = ("iso_class", "func_class", "n_seeds_200", "nb201v11_n_seeds_200")
_COMPARED = 64
_CARD = Card(
    name="nats_tss",
    what=(
        "All 15,625 cells of the topology space on CIFAR-10, CIFAR-100 and ImageNet16-120: accuracies after 12 and 200 "
        "epochs, times of training and validation, parameters and multiply-accumulates; no learning curves."
    ),
    source=(
        "NATS-Bench 1.0 (Dong et al. 2021) and NAS-Bench-201 1.1 (Dong and Yang 2020), assembled from public extracts. "
        "Which of seeds 111 and 777 a 12-epoch run on cifar10-valid had varies by cell: they are called run-a, run-b."
    ),
    licence="MIT",
    checked="Agrees with three official records at every key, and with the published best accuracies of the space.",
)


def read_extract(path: Path) -> TabularBenchmark:
    """Read the public extract of NATS-Bench's topology space; rows are in the official order.

    What the file gives no mean of has none here: `ori-test` on CIFAR-100 and ImageNet16-120 comes by seed only. The
    12-epoch trainings on these two are one per cell, which is then its mean. Costs are those of NATS-Bench 1.0: the
    training under `train` keys, with one validation under `x-valid` keys, which is what `simulate_train_eval` of its
    package counts; no time was recorded for tests, for trainings on all of CIFAR-10 or for NAS-Bench-201 1.1. Counts
    are `params/DATASET`, `flops/DATASET` (multiply-accumulates) and `recorded params/cifar10`, which is what the
    benchmark states and for 150 cells not what they have.

    Args:
        path: The parquet file.

    Raises:
        UsageError: If the file is not this extract, or is damaged.
    """
    columns = read_columns(path, without=_NOT_READ)
    call = f"benchmark file {str(path)!r}"
    _require_columns(call, columns)
    space = NatsTopologySpace()
    genes = np.stack([columns[name] for name in _EDGES], axis=1)
    _require_official_order(call, columns[_INDEX], len(genes), space)
    accuracies = {AccuracyKey.parse(text): columns[name] for text, name in _ACCURACIES.items()}
    timed = [key for key in accuracies if key.release == _NATS and key.split in ("train", "x-valid")]
    benchmark = TabularBenchmark(
        _CARD,
        space,
        genes,
        accuracies,
        {key: np.where(np.isnan(accuracies[key]), np.nan, _seconds(key, columns)) for key in timed},
        counts={name: _whole(call, column, columns[column] * 1e6) for name, column in _MILLIONS.items()},
    )
    _require_notation(call, columns[_NOTATION], benchmark)
    return benchmark


def _whole(call: str, name: str, values: np.ndarray) -> np.ndarray:
    missing = ~np.isfinite(values)
    if missing.any():
        got = f"{values[missing.argmax()]} in row {int(missing.argmax())}"
        raise UsageError(complaint(call, f"numbers in column {name!r}", got, "It is damaged."))
    return np.rint(values).astype(np.int64)


def _seconds(key: AccuracyKey, columns: dict[str, np.ndarray]) -> np.ndarray:
    training = columns[_TRAINING[key.dataset, key.epochs]]
    return training if key.split == "train" else training + columns[_VALIDATION[key.dataset]]


def _require_columns(call: str, columns: dict[str, np.ndarray]) -> None:
    numbers = _all_numbers()
    missing = [name for name in (_INDEX, _NOTATION, *numbers) if name not in columns]
    if missing:
        step = "Read the extract of the topology space."
        raise UsageError(complaint(call, f"a column {missing[0]!r}", ", ".join(columns), step))
    for name in (_INDEX, *numbers):
        if columns[name].dtype.kind not in "iuf":
            raise UsageError(complaint(call, f"numbers in column {name!r}", str(columns[name].dtype), "It is damaged."))


def _all_numbers() -> tuple[str, ...]:
    return (*_EDGES, *_ACCURACIES.values(), *_TRAINING.values(), *_VALIDATION.values(), *_MILLIONS.values())


def _require_official_order(call: str, index: np.ndarray, rows: int, space: NatsTopologySpace) -> None:
    if rows != space.size:
        raise UsageError(complaint(call, f"{space.size:,} cells", rows, "Fetch it again: it is not whole."))
    astray = index != np.arange(rows)
    if astray.any():
        row = int(astray.argmax())
        raise UsageError(complaint(call, f"index {row} in row {row}", index[row].item(), "Sort it by `index`."))


def _require_notation(call: str, notations: np.ndarray, benchmark: TabularBenchmark) -> None:
    """Compare genes and notation in some rows, spread over the file."""
    genes = benchmark.table(benchmark.keys()[0]).genes
    for row in np.linspace(0, len(genes) - 1, _COMPARED).astype(int):
        written = benchmark.space.format(Arch(benchmark.space.name, tuple(genes[row])))
        if notations[row] != written:
            raise UsageError(complaint(call, f"the cell {written} in row {row}", notations[row], "It is damaged."))
