"""The official surrogate's own answers on a sample, where the surrogate itself is not at hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lnas.benchmarks.accuracy_key import MEAN, AccuracyKey
from lnas.benchmarks.base import Card
from lnas.benchmarks.nasbench301.surrogate import DATASET, FULL_TRAINING, SPLIT
from lnas.benchmarks.plain_files import read_json
from lnas.benchmarks.tabular import TabularBenchmark
from lnas.errors import UsageError, complaint
from lnas.spaces import DartsSpace
from lnas.spaces.darts.cells import INPUTS, edge_ends
from lnas.spaces.darts.notation import CELLS, NODES, OPS

RELEASE = "nasbench301-xgb-1.0"

_FETCH = "Fetch it again."
_CARD = Card(
    name="nasbench301_sample",
    what="",  # depends on how many there are
    source="NAS-Bench-301 (Zela et al. 2022), surrogate xgb_v1.0, without noise",
    licence="Apache-2.0",
    checked=(
        "All 1,218 are architectures of the space, and no two are isomorphic. An independent surrogate of the same "
        "data (YAHPO Gym) ranks them alike: Spearman 0.904."
    ),
)


def read_official_answers(path: Path) -> TabularBenchmark:
    """Read architectures and the official surrogate's answers.

    Each architecture stands once; isomorphic ones may both be there, since the surrogate tells them apart.

    Args:
        path: A JSON list of `[[normal, reduce], accuracy]`; a cell is a list of eight `[input, operation]`, of which
            entries 2k and 2k + 1 feed node 2 + k, and operations count from 0, `max_pool_3x3`, in DARTS' order without
            `none`. Accuracies are in percent.

    Raises:
        UsageError: If the file is missing, damaged or of another form, an entry is no architecture, or one stands
            twice.
    """
    records = read_json(path)
    call = f"benchmark file {str(path)!r}"
    if not isinstance(records, list) or not records:
        raise UsageError(complaint(call, "a list of [[normal, reduce], accuracy]", records, _FETCH))
    rows = [_read(f"{call}, entry {number}", record) for number, record in enumerate(records)]
    key = AccuracyKey(RELEASE, DATASET, SPLIT, FULL_TRAINING, MEAN)
    genes = np.array([genes for genes, _ in rows], dtype=np.int8)
    accuracies = np.array([accuracy for _, accuracy in rows])
    what = f"Validation accuracy on CIFAR-10 of {len(rows):,} DARTS architectures, predicted by the official surrogate."
    return TabularBenchmark(replace(_CARD, what=what), DartsSpace(), genes, {key: accuracies})


def _read(call: str, record: Any) -> tuple[list[int], float]:
    if not (_is_pair(record) and _is_pair(record[0]) and type(record[1]) is float):
        raise UsageError(complaint(call, "[[normal, reduce], accuracy]", record, _FETCH))
    normal, reduce = (_read_cell(f"{call}, {name}", cell) for name, cell in zip(CELLS, record[0], strict=True))
    return normal + reduce, record[1]


def _read_cell(call: str, entries: Any) -> list[int]:
    if not isinstance(entries, list) or len(entries) != 2 * NODES:
        raise UsageError(complaint(call, f"{2 * NODES} pairs [input, operation]", entries, _FETCH))
    ends = edge_ends(NODES)
    genes = [0] * len(ends)
    for number, entry in enumerate(entries):
        target = INPUTS + number // 2
        if not (_is_pair(entry) and type(entry[0]) is type(entry[1]) is int):
            raise UsageError(complaint(call, "pairs [input, operation]", entry, _FETCH))
        source, operation = entry
        if not (0 <= source < target and 0 <= operation < len(OPS) - 1):
            expected = f"an input of node {target} in 0..{target - 1} and an operation in 0..{len(OPS) - 2}"
            raise UsageError(complaint(call, expected, entry, _FETCH))
        edge = ends.index((source, target))
        if genes[edge]:
            raise UsageError(complaint(call, f"two inputs of node {target}", f"{source} twice", _FETCH))
        genes[edge] = operation + 1
    return genes


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2
