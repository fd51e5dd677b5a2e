"""`lnas score`: measure many architectures, and keep every number."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lnas.benchmarks import Scores
from lnas.data import ImageData
from lnas.errors import RunError, UsageError, complaint
from lnas.estimators import EstimatorFactory, factories_for
from lnas.execution import local_executor
from lnas.nets import BENCHMARK_NET, NetBuilder
from lnas.pipeline.directions import directions_of
from lnas.pipeline.display import Display
from lnas.pipeline.options import check_at_least, check_output, check_seed
from lnas.pipeline.provenance import provenance
from lnas.pipeline.reasons import reason
from lnas.pipeline.reporting.pages import keep_page
from lnas.pipeline.resuming import begun, mention_changes
from lnas.pipeline.scoring.agreement import RankAgreement, rank_agreement
from lnas.pipeline.scoring.choosing import choose_archs
from lnas.pipeline.scoring.collecting import collect
from lnas.pipeline.scoring.measuring import plan
from lnas.pipeline.scoring.memory import peak_memory
from lnas.pipeline.scoring.outcome import MeasureSummary, by_arch, score_table, summarize, summary_table
from lnas.pipeline.scoring.parts import OncePer, divide
from lnas.pipeline.truth import Truth
from lnas.spaces import NatsTopologySpace, SearchSpace
from lnas.store import write_whole
from lnas.threads import limited_threads
from lnas.types import Arch, Estimate, describe

_RUN = "score"
_MB = 1 << 20


@dataclass(frozen=True)
class Scored:
    """What `score_architectures` found.

    Attributes:
        scores: Every number, a row per architecture.
        summaries: How each measure fared.
    """

    scores: Scores
    summaries: Sequence[MeasureSummary]


def score_architectures(
    data: ImageData,
    space: SearchSpace | None = None,
    net: NetBuilder | Callable[[Arch, int], Any] = BENCHMARK_NET,
    archs: int | str = "all",
    measures: str | Sequence[str] = "",
    estimators: list[EstimatorFactory] | None = None,
    once_per: OncePer = "class",
    truth: Truth | None = None,
    processes: int = 1,
    threads: int = 1,
    seed: int = 0,
    output: str = "results/score",
    quiet: bool = False,
    config: str | None = None,
) -> Scored:
    """Measure many architectures, and keep every number.

    Writes OUTPUT/scores.parquet and OUTPUT/scores.csv, which `load_scores` reads, and prints how each measure fared:
    how many numbers it gave, how long it took and, beside a benchmark, its rank correlations with 95 % intervals
    (percentiles of 1,000 bootstrap resamples). An estimate that failed or is not finite is counted, and takes no part
    in correlations. Every number is in OUTPUT/store.sqlite the moment it exists: killed and started again with the same
    command, the scoring goes on where it was, trying again what failed; with other ARCHS it measures what is lacking.

    Args:
        data: Images to measure on.
        space: Where the architectures are from; the NATS topology space if not given.
        net: Builds the network of an architecture: options of the benchmark's own, or a callable of yours.
        archs: all; how many to draw without replacement, isomorphic twins included; or a file with one architecture
            per line, or with a column arch if it ends in .csv.
        measures: Names joined by commas, each taken as its estimator does by default.
        estimators: What measures instead, where the defaults are not wanted.
        once_per: class takes a measure that twins share, up to the weights drawn, once for each class of twins (NATS
            topology); architecture takes all measures of each architecture.
        truth: A benchmark's accuracies to compare with.
        processes: Measurements at a time, each in a process of its own; 1 measures in this one.
        threads: Of each measurement; bears on the last digits.
        seed: Decides every draw.
        output: Folder for store and tables.
        quiet: Print errors only.
        config: Text kept as OUTPUT/config.yaml, to replay the scoring.

    Returns:
        The numbers and the summaries.

    Raises:
        UsageError: If the arguments contradict each other or the data, or OUTPUT holds a scoring with other settings.
        RunError: If OUTPUT cannot be written, another process works in it, or no measure gave a number.
    """
    started = time.monotonic()
    display = Display(quiet)
    space = space or NatsTopologySpace()
    check_at_least(processes=(processes, 1), threads=(threads, 1))
    check_seed(seed)
    check_output(output)
    measuring = [factory(net, data) for factory in _factories(measures, estimators)]
    directions = directions_of(measuring)
    parts = divide(measuring, once_per, space)
    if truth:
        truth.require(space)
    chosen = choose_archs(archs, space, seed)
    settings = {
        "space": describe(space),
        "estimators": [describe(estimator.protocol) for estimator in measuring],
        "once_per": once_per,
        "seed": seed,
    }
    folder = Path(output)
    here = provenance() | {"threads": threads}
    with begun(folder, _RUN, settings, here, config) as (store, record):
        mention_changes(record.provenance, here, display)
        executor = local_executor(processes, threads)
        with limited_threads(threads):
            known = collect(plan(chosen, parts, seed), parts, seed, executor, store, display)
        estimates = by_arch(chosen, parts, known)
        _require_a_number(estimates)
        scores = score_table(estimates, list(directions), space)
        write_whole(folder / "scores.parquet", scores.to_parquet())
        write_whole(folder / "scores.csv", scores.to_csv())
        keep_page(folder, "scores", scores)
        store.finish_run(_RUN, f"{len(chosen)} architectures")
    agreements = _agreements(scores, directions, truth, space, display) if truth else {}
    summaries = [
        summarize(name, [row[name] for row in estimates.values()], agreements.get(name)) for name in directions
    ]
    title = f"{len(chosen):,} architectures of {space.name}"
    display.show(summary_table(summaries, title, truth.key if truth else None))
    for summary in summaries:
        if summary.reason:
            without = f"{len(chosen) - summary.ok:,} of {len(chosen):,} architectures"
            display.say(f"{without} have no {summary.name}; the first {summary.reason}")
    own, workers = peak_memory()
    display.say(f"Scores: {folder / 'scores.parquet'}, {folder / 'scores.csv'}")
    display.say(f"Store:  {folder / 'store.sqlite'}")
    display.say(f"Time:   {time.monotonic() - started:.1f} s since this start")
    display.say(f"Memory: at most {own / _MB:,.0f} MB here{_of_workers(workers, processes)}")
    return Scored(scores, summaries)


def _factories(measures: str | Sequence[str], estimators: list[EstimatorFactory] | None) -> Sequence[EstimatorFactory]:
    if bool(measures) == bool(estimators):
        call = "lnas score" if not measures else f"measures={measures!r}, estimators=..."
        got = "neither" if not measures else "both"
        step = "Example: --measures params,relu_logdet."
        raise UsageError(complaint(call, "either measures or estimators", got, step))
    if estimators:
        return estimators
    names = measures.split(",") if isinstance(measures, str) else measures
    return factories_for(name.strip() for name in names)


def _require_a_number(estimates: Mapping[Arch, Mapping[str, Estimate]]) -> None:
    every = [(arch, name, estimate) for arch, row in estimates.items() for name, estimate in row.items()]
    if all(estimate.status != "ok" for _, _, estimate in every):
        arch, name, first = every[0]
        step = f"The first: {name} of {arch} {reason(first)}. What failed is tried again at the next start."
        raise RunError(complaint("lnas score", "a number", f"none of {len(every)}", step))


def _agreements(
    scores: Scores, directions: Mapping[str, bool], truth: Truth, space: SearchSpace, display: Display
) -> dict[str, RankAgreement | None]:
    accuracies = truth.accuracies(scores.archs, space)
    true = np.array([np.nan if accuracy is None else accuracy for accuracy in accuracies])
    agreements = {}
    with display.bar("intervals", len(directions)) as advance:
        for name, better in directions.items():
            agreements[name] = rank_agreement(scores.columns[name], true, better)
            advance()
    return agreements


def _of_workers(peak: int, processes: int) -> str:
    return f", {peak / _MB:,.0f} MB in a worker" if processes > 1 and peak else ""
