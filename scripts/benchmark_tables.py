"""Benchmark tables against `nats_bench`: time to load, memory added, time to ask, each in a process of its own.

    python scripts/benchmark_tables.py --samples FOLDER [--table PARQUET] [--rounds 3]

FOLDER holds official folders of NATS-Bench, whole or not: ours is the table that `lnas bench import nats` makes of one,
theirs the package in its fast mode, asked once about each record. PARQUET is a table of the whole topology space.
Memory is the peak after loading, less the peak after importing. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

from lnas.benchmarks import TabularBenchmark, load_benchmark
from lnas.benchmarks.nats.folder import Contents, look_into, read_records
from lnas.benchmarks.table_file import write_table

QUERIES = 1_000


@dataclass
class Measured:
    """Seconds and megabytes of one process."""

    load: float
    memory: float
    others: dict[str, float] = field(default_factory=dict)


def peak_megabytes() -> float:
    """Return the most memory that this process has held (Linux)."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


@contextlib.contextmanager
def measuring(measured: Measured) -> Iterator[None]:
    """Fill in the time and memory of what is done meanwhile."""
    before, started = peak_megabytes(), time.perf_counter()
    yield
    measured.load, measured.memory = time.perf_counter() - started, peak_megabytes() - before


def milliseconds(action: Callable[[], object], repeats: int = 1) -> float:
    """Time an action."""
    started = time.perf_counter()
    for _ in range(repeats):
        action()
    return (time.perf_counter() - started) * 1000 / repeats


def our_table(name: str, path: Path) -> Measured:
    """Load a table, ask for single accuracies and for whole columns."""
    import pyarrow.parquet  # noqa: F401

    measured = Measured(0.0, 0.0)
    with measuring(measured):
        table = load_benchmark(name, path)
    assert isinstance(table, TabularBenchmark)
    key, archs = table.keys()[0], list(table.archs())
    asked = [archs[k % len(archs)] for k in range(QUERIES)]
    measured.others["1,000 queries"] = milliseconds(lambda: [table.query(arch, key) for arch in asked])
    measured.others["whole column"] = milliseconds(lambda: table.table(key), QUERIES)
    return measured


def our_import(name: str, path: Path) -> Measured:
    """Read an official folder record by record."""
    measured = Measured(0.0, 0.0)
    done: list[float] = []
    with measuring(measured):
        contents = look_into(path)
        done.append(time.perf_counter())
        read_records(contents, lambda *_: done.append(time.perf_counter()))
    per_record = (done[-1] - done[0]) / (len(done) - 1)
    measured.others["one record"] = per_record * 1000
    measured.others[f"so {len(contents.archs):,} of them in s"] = per_record * len(contents.archs)
    return measured


def their_package(name: str, path: Path) -> Measured:
    """Create `nats_bench` on an official folder and have it read each record."""
    import nats_bench
    import numpy.core.multiarray  # noqa: F401

    indices = [int(file.name[:6]) for file in path.glob("[0-9]*.pickle.pbz2")]
    measured = Measured(0.0, 0.0)
    with measuring(measured):
        api = nats_bench.create(str(path), name.removeprefix("nats_"), fast_mode=True, verbose=False)
        for index in indices:
            api.get_more_info(index, "cifar10-valid", hp="12", is_random=False)
    asked = [indices[k % len(indices)] for k in range(QUERIES)]
    measured.others["1,000 queries"] = milliseconds(
        lambda: [api.get_more_info(index, "cifar10-valid", hp="12", is_random=False) for index in asked]
    )
    return measured


def in_a_fresh_process(measure: Callable[[str, Path], Measured], name: str, path: Path) -> Measured:
    """Run one measurement where nothing else was loaded."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, name, path).result()


def show(title: str, rounds: list[Measured]) -> None:
    """Print the medians."""
    load, memory = (statistics.median(getattr(one, part) for one in rounds) for part in ("load", "memory"))
    others = {part: statistics.median(one.others[part] for one in rounds) for part in rounds[0].others}
    told = "  ".join(f"{part} {value:.4g}{'' if part.endswith(' s') else ' ms'}" for part, value in others.items())
    print(f"{title:44s} load {load:7.3f} s  memory {memory:6.1f} MB  {told}")


def compare(contents: Contents, rounds: int) -> None:
    """Print a line each for our table, our import and the package, of one official folder."""
    name = contents.name
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / f"{name}.parquet"
        table.write_bytes(write_table(read_records(contents)))
        what = f"{name}, {len(contents.indices):,} records"
        for title, measure, path in [
            (f"{what}: our table", our_table, table),
            (f"{what}: our import", our_import, contents.path),
            (f"{what}: nats_bench", their_package, contents.path),
        ]:
            show(title, [in_a_fresh_process(measure, name, path) for _ in range(rounds)])


def main() -> None:
    """Print a line for each table and way to read it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=Path, required=True)
    parser.add_argument("--table", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    for path in sorted(arguments.samples.iterdir()):
        if path.is_dir():
            compare(look_into(path), arguments.rounds)
    if arguments.table is not None:
        measured = [in_a_fresh_process(our_table, "nats_tss", arguments.table) for _ in range(arguments.rounds)]
        show(f"nats_tss, {arguments.table.name}: our table", measured)


if __name__ == "__main__":
    main()
