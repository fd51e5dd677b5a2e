"""NATS-Bench through its own package, which runs what the files say: for files that are trusted."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lnas.benchmarks.accuracy_key import MEAN, AccuracyKey
from lnas.benchmarks.base import Benchmark, Card, unknown_key
from lnas.benchmarks.nats.folder import LICENCE, RELEASE, SOURCE, Contents, look_into
from lnas.errors import UsageError, complaint
from lnas.types import Arch


class NatsPackageBenchmark(Benchmark):
    """What `nats_bench` answers. It reads a record when it is first asked for, and keeps it.

    Args:
        contents: Of the folder that it reads.
        api: What `nats_bench.create` returned for it.
    """

    def __init__(self, contents: Contents, api: Any) -> None:
        self.card = Card(
            contents.name,
            f"NATS-Bench, space {contents.space.name}, as its own package answers.",
            SOURCE,
            LICENCE,
            "Not at all: the files were trusted.",
        )
        self.space = contents.space
        self._contents = contents
        self._api = api
        self._known: dict[int, tuple[AccuracyKey, ...]] = {}

    def keys(self) -> tuple[AccuracyKey, ...]:
        """Every key of the first record there is; others may have other seeds, and are asked for them all the same."""
        return self._keys_of(self._contents.indices[0])

    def query(self, arch: Arch, key: AccuracyKey) -> float:
        return self._answer(arch, key)[f"{_field(key)}-accuracy"]

    def cost(self, arch: Arch, key: AccuracyKey) -> float:
        answer = self._answer(arch, key)
        evaluation = 0.0 if key.split == "train" else answer[f"{_field(key)}-per-time"]
        return answer["train-all-time"] + evaluation

    def _answer(self, arch: Arch, key: AccuracyKey) -> dict[str, float]:
        index = self._index(arch)
        known = self._keys_of(index)
        if key not in known:
            if key.with_seed(MEAN) not in known:
                raise unknown_key(self.card.name, key, known)
            seeds = ", ".join(str(other.seed) for other in known if other.with_seed(key.seed) == key)
            call = f"benchmark {self.card.name!r}, {arch}, {key}"
            raise UsageError(complaint(call, f"a seed it was trained with: {seeds}", key.seed, "Name another."))
        seed = False if key.seed == MEAN else key.seed
        with _reading(self._contents.record(index)):
            return self._api.get_more_info(index, key.dataset, hp=f"{key.epochs:02d}", is_random=seed)

    def _index(self, arch: Arch) -> int:
        self.space.validate(arch)
        with _reading(self._contents.path):
            index = self._api.query_index_by_arch(self.space.format(arch))
        if not self._contents.record(index).is_file():
            expected = f"one of its {len(self._contents.indices):,} architectures"
            call = f"benchmark {self.card.name!r}"
            raise UsageError(complaint(call, expected, str(arch), "The folder does not hold this one."))
        return index

    def _keys_of(self, index: int) -> tuple[AccuracyKey, ...]:
        if index not in self._known:
            with _reading(self._contents.record(index)):
                self._known[index] = tuple(_keys(self._api, index))
        return self._known[index]


def open_package(path: Path, trusted: bool) -> NatsPackageBenchmark:
    """Open an official folder with the `nats_bench` package.

    Args:
        path: The folder.
        trusted: That whatever the files say may be run: the package unpickles them freely.

    Raises:
        UsageError: If the folder is not what it says, or its files are not trusted.
    """
    if trusted is not True:
        call = f"official folder {str(path)!r}, trusted={trusted!r}"
        step = f"Read it without running anything: lnas bench import nats {path}"
        raise UsageError(complaint(call, "trusted=True, for nats_bench runs what the files say", trusted, step))
    contents = look_into(path)
    import nats_bench

    with _reading(path):
        kind = contents.name.removeprefix("nats_")
        return NatsPackageBenchmark(contents, nats_bench.create(str(path), kind, fast_mode=True, verbose=False))


def _keys(api: Any, index: int) -> Iterator[AccuracyKey]:
    # Only what was read is among the numbers of epochs: so read a record first.
    api.get_cost_info(index, "cifar10-valid")
    for hp in sorted(api.avaliable_hps):
        results = api.query_meta_info_by_index(index, hp)
        for dataset in results.get_dataset_names():
            seeds = results.get_dataset_seeds(dataset)
            for split in ("train", *results.query(dataset, seeds[0]).get_eval_set()):
                yield from (AccuracyKey(RELEASE, dataset, split, int(hp), seed) for seed in (MEAN, *seeds))


def _field(key: AccuracyKey) -> str:
    """Return what the package calls the split."""
    has_halves = key.dataset in ("cifar100", "ImageNet16-120")
    names = {"train": "train", "x-valid": "valid", "x-test": "test", "ori-test": "valtest" if has_halves else "test"}
    return names[key.split]


@contextlib.contextmanager
def _reading(where: Path) -> Iterator[None]:
    """Turn whatever the package raises into one clear error."""
    try:
        yield
    except Exception as error:  # The files decide what is raised.
        got = f"{type(error).__name__}: {' '.join(str(error).split())}"
        call = f"NATS-Bench file {str(where)!r}"
        raise UsageError(complaint(call, "what nats_bench reads", got, "Fetch it again.")) from error
