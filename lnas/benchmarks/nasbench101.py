"""NAS-Bench-101 from arrays, all of its cells, and the one-shot sub-spaces as parts of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lnas.benchmarks.accuracy_key import MEAN, AccuracyKey
from lnas.benchmarks.base import Card
from lnas.benchmarks.plain_files import read_npz, require_folder
from lnas.benchmarks.rows import RowsByClass
from lnas.benchmarks.tabular import TabularBenchmark
from lnas.errors import UsageError, complaint
from lnas.spaces import NasBench1Shot1Space, NasBench101Space
from lnas.spaces.nasbench101.graph import (
    MAX_EDGES,
    OPS,
    VERTICES,
    Module,
    canonical_numbers,
    edges_of,
    embed,
    live_vertices,
    pairs,
    prune,
)
from lnas.spaces.nasbench101.oneshot import Subspace
from lnas.types import Arch

Arrays = Mapping[str, np.ndarray]

_CELLS, _SAMPLE = "nb101_full.npz", "nb101_val_30001.npz"
_EDGES, _INNER = len(pairs(VERTICES)), VERTICES - 2
_NO_OPERATION = 255
_IMAGES, _RUNS = 9984, 3
_BUDGETS = (4, 12, 36, 108)
_PROBED = 32
_WHAT = "{} of 423,624 cells on CIFAR-10: mean test accuracy of three trainings of 108 epochs, and parameters"
_WHAT_OF_SAMPLE = (
    "; of a sample also the validation accuracy of one training each of 4, 12, 36 and 108 epochs, and the last one's "
    "time"
)
_DAMAGED = "It is damaged: fetch it again."
_CARD = Card(
    name="nasbench101",
    what="",  # depends on the files
    source="NAS-Bench-101 (Ying et al. 2019); the released records as counts of correctly classified images.",
    licence="Apache-2.0; what the extracts were taken from is under Apache-2.0 or MIT.",
    checked=(
        "Rows are in the order of the published hashes; the best cell has the published 94.32 %; an independent "
        "retraining of the 91 smallest cells ranks them alike."
    ),
)


def read_nasbench101(folder: Path) -> TabularBenchmark:
    """Read all cells, and the validation accuracies of a sample of them if these are there.

    Every labelled graph that is isomorphic to a row after pruning finds it; the rows themselves are canonical. Keys are
    `test@108/mean` and, NaN where a cell is not of the sample, `validation@EPOCHS/one-repeat`. The cost of
    `validation@108` is the recorded time, which is that of the training alone; no other times are at hand. Counts are
    `params/cifar10`.

    Args:
        folder: With `nb101_full.npz`: `num_vertices`; `adj_bits`, edge x -> y of x < y as bit x + y(y-1)/2; `ops`, per
            inner vertex an index into the space's operations, 255 for none; `test_correct_sum3`, test images of 9,984
            that three trainings classified correctly, added up; `params`; rows in ascending order of the published
            graph hash. Where there is a sample, also with `nb101_val_30001.npz`: `index`, the row; `val_correct`,
            validation images of 9,984, shape (rows, 4); `epochs`; `train_time_108`, in seconds.

    Raises:
        UsageError: If the file of all cells is missing, or a file is damaged or holds something else.
    """
    require_folder(folder, f"the folder of {_CELLS}")
    path = folder / _CELLS
    call = f"benchmark file {str(path)!r}"
    arrays = _read_rows(path, num_vertices=(), adj_bits=(), ops=(_INNER,), test_correct_sum3=(), params=())
    genes = _canonical_genes(len(arrays["params"]), _released_graphs(call, arrays))
    _require_order_of_hashes(call, genes)
    sample = folder / _SAMPLE
    accuracies, seconds = _read_sample(sample, len(genes)) if sample.exists() else ({}, {})
    what = _WHAT.format(f"{len(genes):,}") + _WHAT_OF_SAMPLE * bool(seconds)
    return TabularBenchmark(
        dataclasses.replace(_CARD, what=f"{what}."),
        NasBench101Space(),
        genes,
        {_key("test", 108, MEAN): _percent(arrays["test_correct_sum3"], _RUNS * _IMAGES), **accuracies},
        seconds,
        counts={"params/cifar10": arrays["params"]},
        rows=_RowsOfCells(call, genes),
    )


def read_nasbench1shot1(folder: Path, subspace: Subspace) -> TabularBenchmark:
    """Read what of NAS-Bench-101 a one-shot sub-space spans: one row per class, found by any of its members.

    Args:
        folder: As of `read_nasbench101`; keys, costs and counts are those, too.
        subspace: 1, 2 or 3.

    Raises:
        UsageError: As `read_nasbench101`; if there is no such sub-space; if the file lacks one of its cells.

    Source: Zela et al. 2020 (NAS-Bench-1Shot1).
    """
    space = NasBench1Shot1Space(subspace)
    whole = read_nasbench101(folder)
    genes = np.array([arch.genes for arch in space.classes()], dtype=np.int8)
    return _part(f"benchmark file {str(folder / _CELLS)!r}", whole, space, genes)


def _part(call: str, whole: TabularBenchmark, space: NasBench1Shot1Space, genes: np.ndarray) -> TabularBenchmark:
    keys = whole.keys()
    cells = _RowsOfCells(call, whole.table(keys[0]).genes)
    rows = cells.find_all(_canonical_genes(len(genes), _graphs_of(space, genes)))
    if (rows < 0).any():
        lacking = str(Arch(space.name, tuple(genes[(rows < 0).argmax()])))
        expected = f"the cells of all {len(genes):,} classes of {space.name!r}"
        raise UsageError(complaint(call, expected, f"none that is {lacking}", _DAMAGED))
    card = dataclasses.replace(
        _CARD,
        name=space.name,
        what=f"The {len(genes):,} cells that {space.name} of NAS-Bench-1Shot1 spans, with what is known of all cells.",
        source=f"{_CARD.source} The sub-space is that of NAS-Bench-1Shot1 (Zela et al. 2020).",
        checked="Every class has a row of its own, whose cell has the same published hash.",
    )
    return TabularBenchmark(
        card,
        space,
        genes,
        {key: whole.table(key).accuracy[rows] for key in keys},
        {key: seconds[rows] for key, seconds in whole.seconds.items()},
        counts={name: values[rows] for name, values in whole.counts.items()},
        rows=RowsByClass(genes, space.canonical),
    )


class _Graph(NamedTuple):
    """Cells that differ in their operations only.

    Attributes:
        rows: Where they stand.
        edges: As in `Module`, pruned.
        operations: One row per cell, one column per inner vertex.
    """

    rows: np.ndarray
    edges: tuple[int, ...]
    operations: np.ndarray


class _RowsOfCells:
    """Finds a cell by the number that its canonical genes spell: a sorted array, where a dict would take 100 MB.

    Args:
        call: For messages.
        genes: Canonical ones, shape (rows, genes).

    Raises:
        UsageError: If two rows are of the same cell.
    """

    def __init__(self, call: str, genes: np.ndarray) -> None:
        numbers = _numbers(genes)
        self._order = np.argsort(numbers, kind="stable")
        self._sorted = numbers[self._order]
        repeated = np.flatnonzero(self._sorted[1:] == self._sorted[:-1])
        if len(repeated):
            one, other = self._order[repeated[0] : repeated[0] + 2].tolist()
            raise UsageError(complaint(call, "each cell once", f"isomorphic ones in rows {one} and {other}", _DAMAGED))

    def find(self, arch: Arch) -> int | None:
        row = int(self.find_all(np.array([NasBench101Space().canonical(arch).genes]))[0])
        return None if row < 0 else row

    def find_all(self, genes: np.ndarray) -> np.ndarray:
        """Return the row of each cell, -1 where there is none; genes must be canonical, shape (cells, genes)."""
        numbers = _numbers(genes)
        places = np.minimum(np.searchsorted(self._sorted, numbers), len(self._sorted) - 1)
        return np.where(self._sorted[places] == numbers, self._order[places], -1)


def _numbers(genes: np.ndarray) -> np.ndarray:
    digits = np.concatenate([2 ** np.arange(_EDGES), 2**_EDGES * len(OPS) ** np.arange(_INNER)])
    return genes.astype(np.int32) @ digits.astype(np.int32)


def _canonical_genes(count: int, graphs: Iterable[_Graph]) -> np.ndarray:
    """Return what `NasBench101Space.canonical` would of each cell, shape (count, genes), int8.

    There are few graphs, so that the cells of each are brought to canonical form together.
    """
    genes = np.zeros((count, _EDGES + _INNER), dtype=np.int8)
    for rows, edges, operations in graphs:
        inner = operations.shape[1]
        code, numbers = canonical_numbers(edges, operations)
        genes[rows, :_EDGES] = embed(Module(edges_of(code, inner + 2), (0,) * inner)).edges
        genes[rows, _EDGES : _EDGES + inner] = numbers[:, None] // len(OPS) ** np.arange(inner)[::-1] % len(OPS)
    return genes


def _released_graphs(call: str, arrays: Arrays) -> Iterator[_Graph]:
    vertices, bits, operations = (arrays[name].astype(np.int64) for name in ("num_vertices", "adj_bits", "ops"))
    _require_cells(call, vertices, bits, operations)
    for rows in _alike(vertices << _EDGES | bits):
        count = int(vertices[rows[0]])
        edges = edges_of(int(bits[rows[0]]), count)[::-1]
        module = Module(edges, (0,) * (count - 2))
        if len(live_vertices(module)) < count or sum(edges) > MAX_EDGES:
            expected = f"a graph of {count} vertices, all of them between input and output, and <= {MAX_EDGES} edges"
            got = f"adj_bits {bits[rows[0]]} in row {rows[0]}"
            raise UsageError(complaint(call, expected, got, _DAMAGED))
        yield _Graph(rows, edges, operations[rows, : count - 2])


def _graphs_of(space: NasBench1Shot1Space, genes: np.ndarray) -> Iterator[_Graph]:
    inner = space.vertices - 2
    connectivity, operations = genes[:, :-inner].astype(np.int64), genes[:, -inner:].astype(np.int64)
    lengths = [len(decision.choices) for decision in space.decisions[:-inner]]
    for rows in _alike(np.ravel_multi_index(tuple(connectivity.T), lengths)):
        cell = space.to_nasbench101(Arch(space.name, (*connectivity[rows[0]], *[0] * inner)))
        # Labelled with their own numbers, the inner vertices that are left tell which ones they are.
        left = prune(Module(cell.genes[:_EDGES], tuple(range(_INNER))))
        yield _Graph(rows, left.edges, operations[rows][:, list(left.operations)])


def _alike(keys: np.ndarray) -> list[np.ndarray]:
    """Return the rows of each key."""
    order = np.argsort(keys, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(keys[order])) + 1)


def _percent(correct: np.ndarray, images: int) -> np.ndarray:
    return 100 * correct.astype(np.float64) / images


def _key(split: str, epochs: int, seed: str) -> AccuracyKey:
    return AccuracyKey("nas-bench-101", "cifar10", split, epochs, seed)


def _read_sample(path: Path, rows: int) -> tuple[dict[AccuracyKey, np.ndarray], dict[AccuracyKey, np.ndarray]]:
    """Return accuracies and seconds, NaN in the rows that are not of the sample."""
    call = f"benchmark file {str(path)!r}"
    arrays = _read_rows(path, index=(), val_correct=(len(_BUDGETS),), train_time_108=())
    index = arrays["index"].astype(np.int64)
    epochs = arrays["epochs"].tolist() if "epochs" in arrays else None
    if epochs != [*_BUDGETS]:
        raise UsageError(complaint(call, f"epochs {_BUDGETS}", epochs, _DAMAGED))
    if len(np.unique(index)) < len(index) or index.min() < 0 or index.max() >= rows:
        got = f"{len(np.unique(index))} different of {index.min()}..{index.max()}"
        raise UsageError(complaint(call, f"{len(index)} different rows below {rows} as `index`", got, _DAMAGED))

    def spread(values: np.ndarray) -> np.ndarray:
        column = np.full(rows, np.nan)
        column[index] = values
        return column

    keys = [_key("validation", epochs, "one-repeat") for epochs in _BUDGETS]
    correct = _percent(arrays["val_correct"], _IMAGES)
    accuracies = {key: spread(correct[:, k]) for k, key in enumerate(keys)}
    return accuracies, {keys[-1]: spread(arrays["train_time_108"])}


def _read_rows(path: Path, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Return a file's arrays; the named ones have numbers, as many rows, at least one, and each row of its shape."""
    arrays = read_npz(path)
    call = f"benchmark file {str(path)!r}"
    for name, shape in shapes.items():
        if name not in arrays:
            raise UsageError(complaint(call, f"an array {name!r}", [*arrays], "Is it another file?"))
        values = arrays[name]
        if values.dtype.kind not in "iuf" or values.ndim != 1 + len(shape) or values.shape[1:] != shape:
            got = f"{values.dtype} of shape {values.shape}"
            raise UsageError(complaint(call, f"numbers of shape {('rows', *shape)} as {name!r}", got, _DAMAGED))
        if not np.isfinite(values).all():
            raise UsageError(complaint(call, f"finite numbers as {name!r}", "others", _DAMAGED))
    lengths = {name: len(arrays[name]) for name in shapes}
    if len({*lengths.values()}) > 1 or 0 in lengths.values():
        raise UsageError(complaint(call, "as many rows in each array, at least one", lengths, _DAMAGED))
    return arrays


def _require_cells(call: str, vertices: np.ndarray, bits: np.ndarray, operations: np.ndarray) -> None:
    inner = np.arange(_INNER) < vertices[:, None] - 2
    known = (operations >= 0) & (operations < len(OPS))
    wrong = (vertices < 2) | (vertices > VERTICES) | np.where(inner, ~known, operations != _NO_OPERATION).any(axis=1)
    wrong |= bits >> vertices * (vertices - 1) // 2 != 0
    if wrong.any():
        row = int(wrong.argmax())
        expected = (
            f"2 to {VERTICES} vertices, edges between these, and operations below {len(OPS)} on the inner ones, "
            f"{_NO_OPERATION} else"
        )
        got = f"{vertices[row]}, {bits[row]:b}, {operations[row]} in row {row}"
        raise UsageError(complaint(call, expected, got, _DAMAGED))


def _require_order_of_hashes(call: str, genes: np.ndarray) -> None:
    """Hash some rows, spread over the file: if they are in order, edges and operations are what they are taken for."""
    probed = np.unique(np.linspace(0, len(genes) - 1, _PROBED).astype(int)).tolist()
    space = NasBench101Space()
    hashes = [space.module_hash(Arch(space.name, tuple(genes[row].tolist()))) for row in probed]
    for k in range(1, len(probed)):
        if hashes[k] <= hashes[k - 1]:
            expected = "rows in ascending order of their graph hashes"
            got = f"{hashes[k - 1]} in row {probed[k - 1]}, {hashes[k]} in row {probed[k]}"
            raise UsageError(complaint(call, expected, got, _DAMAGED))
