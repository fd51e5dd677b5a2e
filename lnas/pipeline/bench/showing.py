"""`lnas bench show`: where a benchmark's numbers come from, and which there are."""

from __future__ import annotations

import numpy as np
from rich.table import Table

from lnas.benchmarks import Benchmark, TabularBenchmark, load_benchmark
from lnas.pipeline.display import Display
from lnas.spaces import SearchSpace


def show_benchmark(
    name: str, path: str | None = None, space: SearchSpace | None = None, quiet: bool = False
) -> Benchmark:
    """Show a benchmark's card and its accuracies, each under the key that names it.

    The card says what was measured, by whom, under which licence the numbers are, and how they were checked.

    Args:
        name: What `load_benchmark` takes: digits, nats_tss, the name of a table of your own.
        path: Its file or folder; digits needs none.
        space: Where a table of your own has a space that is not ours.
        quiet: Print errors only.

    Returns:
        The benchmark.

    Raises:
        UsageError: If there is no such benchmark, or PATH does not hold it.
    """
    benchmark = load_benchmark(name, path, space=space)
    display = Display(quiet)
    for title, text in (
        ("what", benchmark.card.what),
        ("source", benchmark.card.source),
        ("licence", benchmark.card.licence),
        ("checked", benchmark.card.checked),
        ("space", benchmark.space.name),
    ):
        display.say(f"{title:<8} {text}")
    if isinstance(benchmark, TabularBenchmark):
        display.show(_keys(benchmark))
    else:
        keys = benchmark.keys()
        display.say(f"accuracies of any architecture of the space under {len(keys)} keys: {keys[0]} ... {keys[-1]}")
    return benchmark


def _keys(benchmark: TabularBenchmark) -> Table:
    table = Table("accuracy, percent", title=benchmark.card.name, title_justify="left")
    for column in ("architectures", "lowest", "median", "highest"):
        table.add_column(column, justify="right")
    for key in benchmark.keys():
        accuracy = benchmark.table(key).accuracy
        known = accuracy[~np.isnan(accuracy)]
        table.add_row(str(key), f"{len(known):,}", *(f"{value:.2f}" for value in np.quantile(known, (0, 0.5, 1))))
    return table
