"""Every benchmark by name, and how its files are read."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from lnas.benchmarks.base import Benchmark
from lnas.benchmarks.nasbench101 import read_nasbench1shot1, read_nasbench101
from lnas.benchmarks.nasbench301.answers import read_official_answers
from lnas.benchmarks.nasbench301.released import read_released
from lnas.benchmarks.nasbench301.yahpo import read_yahpo
from lnas.benchmarks.nats.extract import read_extract
from lnas.benchmarks.nats.package import open_package
from lnas.benchmarks.nds import read_nds
from lnas.benchmarks.table_file import is_table, read_table
from lnas.errors import UsageError, complaint, unknown_name
from lnas.reading import read_text
from lnas.spaces import NdsResNetSpace, NdsResNeXtASpace, SearchSpace

FOLDER = "LNAS_BENCHMARKS"
SHIPPED = {"digits": Path(__file__).with_name("digits.parquet")}


class Source(NamedTuple):
    """Whose files a benchmark is read from.

    Attributes:
        files: What the path must hold.
        read: Reads it.
    """

    files: str
    read: Callable[[Path], Benchmark]


SOURCES: dict[str, Source] = {
    "nats_tss": Source("a table that `lnas bench import nats` wrote, or nb201_accuracy.parquet", read_extract),
    "nats_sss": Source("a table that `lnas bench import nats` wrote", read_table),
    "nasbench101": Source("the folder of nb101_full.npz", read_nasbench101),
    "nasbench1shot1_1": Source("the folder of nb101_full.npz", partial(read_nasbench1shot1, subspace=1)),
    "nasbench1shot1_2": Source("the folder of nb101_full.npz", partial(read_nasbench1shot1, subspace=2)),
    "nasbench1shot1_3": Source("the folder of nb101_full.npz", partial(read_nasbench1shot1, subspace=3)),
    "nasbench301_yahpo": Source("the folder of yahpo_nb301_2021_weights.npz", read_yahpo),
    "nasbench301": Source("the folder of an official surrogate, such as xgb_v1.0", read_released),
    "nasbench301_sample": Source("nb301_xgb_v1_1218.json", read_official_answers),
    "nds_resnet": Source("the released ResNet.json", partial(read_nds, space=NdsResNetSpace())),
    "nds_resnext_a": Source("the released ResNeXt-A.json", partial(read_nds, space=NdsResNeXtASpace())),
}
_PARQUET = b"PAR1"
_OFFICIAL_FOLDER = ("nats_tss", "nats_sss")


def load_benchmark(
    name: str, path: str | Path | None = None, *, space: SearchSpace | None = None, trusted: bool = False
) -> Benchmark:
    """Load a benchmark.

    Args:
        name: One of `SHIPPED`, of `SOURCES`, or the name of a table that `lnas bench build` or `import` wrote.
        path: Its file or folder. Shipped ones need none, nor do those that lie as NAME or NAME.parquet in the folder
            that the environment's LNAS_BENCHMARKS names.
        space: That of a table of your own, where it is not one of ours.
        trusted: Lets the official folder of NATS-Bench be read by the `nats_bench` package, which executes whatever its
            files say. `lnas bench import nats` reads it without that, once, and makes a table that loads faster.

    Raises:
        UsageError: If there is no such benchmark, no such file, or the file does not hold it.

    Example:
        >>> digits = load_benchmark("digits")
        >>> digits.space.name, str(digits.keys()[-1])
        ('nats_topology', 'digits-1.0/digits/test@8/mean')
    """
    name = read_text("load_benchmark", name, 'Example: load_benchmark("digits").')
    if path is None:
        path = _in_the_folder(name) or _shipped(name)
    path = _existing(name, path)
    call = f"load_benchmark({name!r}, {str(path)!r})"
    if name in SHIPPED or _is_own(path):
        benchmark: Benchmark = read_table(path, space)
    elif name not in SOURCES:
        step = "One of your own is a table that `lnas bench build` or `import` wrote, which this is not."
        raise UsageError(f"{call}: {unknown_name('benchmark', name, [*SHIPPED, *SOURCES])} {step}")
    elif space is not None:
        raise UsageError(complaint(call, "no space, since it has its own", space, "Leave `space` out."))
    elif name in _OFFICIAL_FOLDER and path.is_dir():
        benchmark = open_package(path, trusted)
    else:
        benchmark = SOURCES[name].read(path)
    if benchmark.card.name != name:
        raise UsageError(complaint(call, f"a table of {name!r}", benchmark.card.name, "Call it by its own name."))
    return benchmark


def _in_the_folder(name: str) -> Path | None:
    """Return where a benchmark lies among those of this machine, if it does."""
    folder = os.environ.get(FOLDER)
    places = [Path(folder, name), Path(folder, f"{name}.parquet")] if folder else []
    return next((place for place in places if place.exists()), None)


def _shipped(name: str) -> Path:
    if name in SOURCES:
        step = f"Give the path of {SOURCES[name].files}, or have it as {name} in the folder that {FOLDER} names."
        raise UsageError(complaint(f"load_benchmark({name!r})", "a path", None, step))
    if name not in SHIPPED:
        raise UsageError(f"load_benchmark({name!r}): {unknown_name('benchmark', name, [*SHIPPED, *SOURCES])}")
    return SHIPPED[name]


def _existing(name: str, path: object) -> Path:
    call = f"load_benchmark({name!r}, {str(path)!r})"
    if not isinstance(path, str | Path):
        raise UsageError(complaint("load_benchmark(path=...)", "a path", path, "Example: 'nats_tss.parquet'."))
    try:
        there = Path(path).exists()
    except OSError as error:
        raise UsageError(complaint(call, "a path that can be read", str(error.strerror), "Check the path.")) from error
    if not there:
        raise UsageError(complaint(call, "a file or folder", "nothing there", "Check the path."))
    return Path(path)


def _is_own(path: Path) -> bool:
    """Tell whether a file is one of our tables, whole or not."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            beginning = file.read(len(_PARQUET))
    except OSError:
        return False  # whoever reads it says why
    return beginning == _PARQUET and is_table(path)
