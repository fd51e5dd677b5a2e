"""`lnas list`: what there is to choose from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from rich.table import Table

from lnas.benchmarks.catalogue import SHIPPED, SOURCES
from lnas.errors import UsageError, unknown_name
from lnas.pipeline.display import Display
from lnas.proxies import PROXIES
from lnas.spaces import GENOTYPES, SPACES, SearchSpace, published_genotype

Kind = Literal["spaces", "genotypes", "proxies", "benchmarks"]
_LARGE = 10**9


def list_choices(kind: Kind, quiet: bool = False) -> None:
    """List what there is of a kind: the names that configs and other commands take, and what they stand for.

    The class of a space is what `--space` takes, followed by its options where it has any.

    Args:
        kind: spaces, genotypes (published cells of the DARTS space), proxies (measures without training) or benchmarks.
        quiet: Print errors only.

    Raises:
        UsageError: If there is no such kind.
    """
    if kind not in _TABLES:
        raise UsageError(f"lnas list {kind}: {unknown_name('kind', kind, get_args(Kind))}")
    Display(quiet).show(_TABLES[kind]())


def _spaces() -> Table:
    """Return a table of the spaces; other commands take the class as it stands there after `--space`."""
    table = Table("space", "class", "architectures", "up to isomorphism", title="Search spaces")
    table.add_column("one of them", overflow="fold")
    for name, make in SPACES.items():
        space = make()
        example = space.label(space.sample(np.random.default_rng(0)))
        table.add_row(name, _typed(space), _count(space.size), _count(space.class_count), example)
    return table


def _genotypes() -> Table:
    table = Table("name", "released in", "as an identity", title="Published genotypes of the DARTS space")
    for name, genotype in GENOTYPES.items():
        table.add_row(name, genotype.source, str(published_genotype(name)))
    return table


def _proxies() -> Table:
    table = Table("measure", "better", "source", title="Measures without training")
    for name, info in PROXIES.items():
        table.add_row(name, "higher" if info.higher_is_better else "lower", info.source)
    return table


def _benchmarks() -> Table:
    table = Table("benchmark", "read from", title="Benchmarks")
    for name in SHIPPED:
        table.add_row(name, "nothing: it ships with lnas")
    for name, source in SOURCES.items():
        table.add_row(name, source.files)
    return table


def _typed(space: SearchSpace) -> str:
    """Return a space as the option `--space` takes it."""
    return " ".join([type(space).__name__, *(f"--space.{name} {value}" for name, value in vars(space).items())])


def _count(number: int) -> str:
    return f"{number:,}" if number < _LARGE else f"{number:.2e}"


_TABLES: dict[str, Callable[[], Table]] = {
    "spaces": _spaces,
    "genotypes": _genotypes,
    "proxies": _proxies,
    "benchmarks": _benchmarks,
}
