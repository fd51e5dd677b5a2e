"""The official folder of NATS-Bench: one file per architecture, and one that lists the architectures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from lnas.benchmarks.accuracy_key import MEAN, AccuracyKey
from lnas.benchmarks.base import Card
from lnas.benchmarks.nats.pickles import MOST_BYTES, load_plain
from lnas.benchmarks.nats.records import SPLITS, Training, read_record, sizes
from lnas.benchmarks.tabular import TabularBenchmark
from lnas.errors import UsageError, complaint
from lnas.spaces import NatsSizeSpace, NatsTopologySpace
from lnas.types import Arch

RELEASE = "nats-1.0"
LICENCE = "MIT"
SOURCE = (
    "Dong, Liu, Musial and Gabrys, 'NATS-Bench: Benchmarking NAS Algorithms for Architecture Topology and Size' "
    "(TPAMI 2021), version 1.0 of its files"
)

_META = "meta.pickle.pbz2"
_RECORD = "[0-9]" * 6 + ".pickle.pbz2"
_EXAMPLE = "Example: NATS-tss-v1_0-3ffb9-simple."
_CHECKED = (
    "Every record is checked on reading. Of three records of each space, all accuracies and costs were compared with "
    "the answers of `nats_bench` 1.8."
)

_WHAT = {"nats_topology": "topology space", "nats_size": "size space"}


@dataclass(frozen=True)
class Contents:
    """What an official folder is of.

    Attributes:
        path: The folder.
        space: The space of its architectures.
        archs: All architectures, by the benchmark's index.
        indices: Those that it has a record of, ascending.
    """

    path: Path
    space: NatsTopologySpace | NatsSizeSpace
    archs: tuple[Arch, ...]
    indices: tuple[int, ...]

    @property
    def name(self) -> str:
        """Name of the benchmark."""
        return "nats_tss" if isinstance(self.space, NatsTopologySpace) else "nats_sss"

    def record(self, index: int) -> Path:
        """Return the file of an architecture."""
        return self.path / f"{index:06d}.pickle.pbz2"


def look_into(path: Path) -> Contents:
    """Find out what an official folder holds.

    Raises:
        UsageError: If there is no such folder, its list of architectures is not that of a space, or it has no records.
    """
    call = f"NATS-Bench folder {str(path)!r}"
    if not path.is_dir():
        got = "a file" if path.exists() else "nothing there"
        raise UsageError(complaint(call, "the folder with one file per architecture", got, _EXAMPLE))
    if not (path / _META).is_file():
        raise UsageError(complaint(call, f"{_META} in it", "none", _EXAMPLE))
    indices = tuple(sorted(int(file.name[:6]) for file in path.glob(_RECORD)))
    if not indices:
        raise UsageError(complaint(call, "records such as 000000.pickle.pbz2 in it", "none", _EXAMPLE))
    space, archs = _architectures(path / _META)
    if indices[-1] >= len(archs):
        expected = f"records 0..{len(archs) - 1}"
        raise UsageError(complaint(call, expected, indices[-1], "Is it a folder of another space?"))
    return Contents(path, space, archs, indices)


def read_folder(
    path: Path, on_record: Callable[[int, int], None] | None = None, curves: Literal["none", "all"] = "none"
) -> TabularBenchmark:
    """Read an official folder: `meta.pickle.pbz2`, and `000000.pickle.pbz2` and so on.

    The table has a row for each record there is, in the order of the benchmark's index. It has each accuracy under the
    seed of its training, and under `mean` over the seeds that the architecture was trained with; costs as
    `Training.seconds` has them; parameters and multiply-accumulates under `params/DATASET` and `flops/DATASET`. One
    record is in memory at a time, and nothing in the files is run (`load_plain`).

    Args:
        path: The folder.
        on_record: Called after each record with the number of those read and of all.
        curves: "all" reads the learning curves too, of each seed on its own, as float32: 0.6 GB for the topology space.

    Raises:
        UsageError: If the folder is not what it says, or a record is damaged, of another architecture, or lacks what
            the others have.
    """
    return read_records(look_into(path), on_record, curves)


def read_records(
    contents: Contents, on_record: Callable[[int, int], None] | None = None, curves: Literal["none", "all"] = "none"
) -> TabularBenchmark:
    """Read the records of a folder that was looked into; the rest is as in `read_folder`."""
    table = _Table(len(contents.indices))
    for row, index in enumerate(contents.indices):
        file = contents.record(index)
        notation = contents.space.format(contents.archs[index])
        table.put(row, read_record(_load(file), index, notation, str(file), curves), str(file))
        if on_record is not None:
            on_record(row + 1, len(contents.indices))
    return TabularBenchmark(
        _card(contents),
        contents.space,
        np.array([contents.archs[index].genes for index in contents.indices], dtype=np.int8),
        _with_means(table.accuracies),
        _with_means(table.seconds),
        table.curves,
        {name: values.astype(np.int64) for name, values in table.counts.items()},
    )


def _architectures(file: Path) -> tuple[NatsTopologySpace | NatsSizeSpace, tuple[Arch, ...]]:
    call = f"NATS-Bench file {str(file)!r}"
    meta = _load(file)
    texts = meta.get("meta_archs") if isinstance(meta, dict) else None
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise UsageError(complaint(call, "a dict with the list 'meta_archs'", type(meta).__name__, "Fetch it again."))
    space = NatsTopologySpace() if texts[0].startswith("|") else NatsSizeSpace()
    try:
        archs = tuple(space.parse(text) for text in texts)
    except UsageError as error:
        raise UsageError(f"{call}: {error}") from error
    if len(archs) != space.size or len({*archs}) != space.size:
        got = f"{len({*archs}):,} of them among {len(archs):,}"
        expected = f"all {space.size:,} architectures of {space.name!r}, each once"
        raise UsageError(complaint(call, expected, got, "Fetch it again."))
    return space, archs


def _load(file: Path) -> object:
    call, size = f"NATS-Bench file {str(file)!r}", file.stat().st_size
    if size > MOST_BYTES:
        step = "Take the folder whose name ends in -simple: it holds no weights."
        raise UsageError(complaint(call, f"at most {MOST_BYTES:,} bytes", size, step))
    return load_plain(file.read_bytes(), str(file))


def _card(contents: Contents) -> Card:
    return Card(
        contents.name,
        f"NATS-Bench, {_WHAT[contents.space.name]}: accuracies, times, parameters and FLOPs of every training.",
        SOURCE,
        LICENCE,
        _CHECKED,
        f"Read from {len(contents.indices):,} of {len(contents.archs):,} official records.",
    )


class _Columns(dict[Any, np.ndarray]):
    """Arrays by name, each made when its first value comes; NaN stays where none comes."""

    def __init__(self, rows: int, dtype: type = np.float64) -> None:
        super().__init__()
        self._rows = rows
        self._dtype = dtype

    def put(self, row: int, name: Any, value: float | Sequence[float]) -> None:
        if name not in self:
            self[name] = np.full((self._rows, *np.shape(value)), np.nan, dtype=self._dtype)
        self[name][row] = value


class _Table:
    """What the records say, filled in record by record."""

    def __init__(self, rows: int) -> None:
        self.accuracies = _Columns(rows)
        self.seconds = _Columns(rows)
        self.curves = _Columns(rows, np.float32)
        self.counts = _Columns(rows)
        self._means: set[AccuracyKey] = set()

    def put(self, row: int, trainings: Sequence[Training], where: str) -> None:
        for training in trainings:
            for split, accuracy in training.accuracies.items():
                self.accuracies.put(row, _key(training, split), accuracy)
                self.seconds.put(row, _key(training, split), training.seconds[split])
            for (split, quantity), values in training.curves.items():
                self.curves.put(row, (_key(training, split), quantity), values)
        for dataset, (params, flops) in sizes(trainings).items():
            self.counts.put(row, f"params/{dataset}", params)
            self.counts.put(row, f"flops/{dataset}", flops)
        self._require_means(
            {_key(training, split).with_seed(MEAN) for training in trainings for split in training.accuracies}, where
        )

    def _require_means(self, means: set[AccuracyKey], where: str) -> None:
        """Raise `UsageError` if a mean would be known for some of the records only."""
        self._means = self._means or means
        if means != self._means:
            odd = ", ".join(map(str, sorted(means ^ self._means, key=_order)))
            step = "These it lacks, or the others lack. Fetch it again, or take it out of the folder."
            raise UsageError(complaint(f"NATS-Bench file {where!r}", "what the other records have", odd, step))


def _key(training: Training, split: str) -> AccuracyKey:
    return AccuracyKey(RELEASE, training.dataset, split, training.epochs, training.seed)


def _order(key: AccuracyKey) -> tuple[int, int, int, int]:
    """Put keys in the order of epochs, data sets, splits and seeds, a mean before its seeds."""
    splits = SPLITS[key.dataset]
    seed = -1 if isinstance(key.seed, str) else key.seed
    return key.epochs, list(SPLITS).index(key.dataset), splits.index(key.split), seed


def _with_means(columns: Mapping[AccuracyKey, np.ndarray]) -> dict[AccuracyKey, np.ndarray]:
    seeds: dict[AccuracyKey, list[np.ndarray]] = {}
    for key in columns:
        seeds.setdefault(key.with_seed(MEAN), []).append(columns[key])
    found = {**columns, **{mean: np.nanmean(values, axis=0) for mean, values in seeds.items()}}
    return {key: found[key] for key in sorted(found, key=_order)}
