"""`lnas study`: measure a pool under several settings, and say what each is worth."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lnas.analysis.random_searches import draw_searches
from lnas.data import ImageData
from lnas.errors import UsageError, complaint
from lnas.estimators import EstimatorFactory
from lnas.execution import local_executor
from lnas.nets import BENCHMARK_NET, NetBuilder
from lnas.pipeline.display import Display
from lnas.pipeline.options import check_at_least, check_output, check_seed
from lnas.pipeline.provenance import provenance
from lnas.pipeline.result_pages import write_results
from lnas.pipeline.result_tables import shown
from lnas.pipeline.resuming import begun, mention_changes
from lnas.pipeline.study.figures import collapse_figures
from lnas.pipeline.study.measured import Measured, measure, read_iterations
from lnas.pipeline.study.pool import Pool, draw_pool
from lnas.pipeline.study.settings import Iterations, Setting, make_settings
from lnas.pipeline.study.tables import ablation_table, correlation_table, pool_table, search_table, stage_table
from lnas.pipeline.truth import Truth
from lnas.report.study import StudyReport
from lnas.report.table import ResultTable
from lnas.spaces import NatsTopologySpace, SearchSpace
from lnas.store import write_whole
from lnas.threads import limited_threads
from lnas.types import Arch, describe

_RUN = "study"


@dataclass(frozen=True)
class Asked:
    """What is to be found out about the measurements.

    Attributes:
        ranks: Rank expressions to correlate.
        rank: The one by which settings are compared.
        figures: Those whose places are drawn.
        top: Of how many of the most accurate architectures correlations are taken, too.
        ablation_archs: On how many architectures settings are compared; 0 is none.
        iterations: Which shorter trainings are read from curves.
        searches: How many random searches are replayed.
        candidates: How many architectures each looks at.
    """

    ranks: Sequence[str]
    rank: str
    figures: Sequence[str]
    top: Sequence[int]
    ablation_archs: int
    iterations: Iterations | None
    searches: int
    candidates: int


def study(
    data: ImageData,
    settings: dict[str, EstimatorFactory],
    truth: Truth,
    space: SearchSpace | None = None,
    net: NetBuilder | Callable[[Arch, int], Any] = BENCHMARK_NET,
    archs: int = 100,
    ranks: Sequence[str] = ("angle", "loss", "angle+loss", "angle+loss+params"),
    rank: str = "angle+loss+params",
    figures: Sequence[str] = ("angle", "angle+params"),
    top: Sequence[int] = (),
    ablation_archs: int | None = None,
    iterations: Iterations | None = None,
    searches: int = 200,
    candidates: int = 25,
    processes: int = 1,
    threads: int = 1,
    seed: int = 0,
    output: str = "results/study",
    quiet: bool = False,
    config: str | None = None,
) -> StudyReport:
    """Study an estimator on architectures whose accuracy is known: what it measures, what it picks, at what cost.

    NAME_OR_FILE is the name of a study that ships with lnas, or a YAML file; options after it win. Measures the pool
    under each of SETTINGS, of which the first is the base, and answers from what is stored: how measures of the base
    correlate with accuracy and with the number of parameters, over all sizes and within the same one; what random
    searches among the pool pick; what the other settings change. Writes OUTPUT/study.html, each table as .parquet, .csv
    and .md, and the figures as .svg. Every measurement is in OUTPUT/store.sqlite the moment it exists: killed and
    started again, the study goes on where it was, and with other questions it measures only what is lacking.

    Args:
        data: Images to measure on.
        settings: Label -> estimator; the first is the base, which all tables but one are about.
        truth: The benchmark whose accuracies are compared with; the pool is drawn from what it holds.
        space: Where the architectures are from; the NATS topology space if not given.
        net: Builds the network of an architecture: options of the benchmark's own, or a callable of yours.
        archs: How many architectures the pool has.
        ranks: Rank expressions to correlate; measures that no setting gives are taken as their estimator does by
            default.
        rank: The one by which settings are compared.
        figures: Those whose places are drawn against accuracy.
        top: Correlations are taken over so many of the most accurate architectures of the pool, too.
        ablation_archs: On how many architectures of the pool, at most, the other settings are measured and all are
            compared; all if not given, 0 leaves them out.
        iterations: Shorter trainings that are read from the curves of a setting.
        searches: How many random searches are replayed.
        candidates: How many architectures of the pool each of them looks at.
        processes: Measurements at a time, each in a process of its own; 1 measures in this one.
        threads: Of each measurement; bears on the last digits.
        seed: Decides every draw.
        output: Folder for store, tables, figures and page.
        quiet: Print errors only.
        config: Text kept as OUTPUT/config.yaml, to replay the study.

    Returns:
        What the page shows.

    Raises:
        UsageError: If the arguments contradict each other, the data or the benchmark.
        RunError: If OUTPUT cannot be written, another process works in it, or a measure has no number at all.
    """
    started = time.monotonic()
    display = Display(quiet)
    space = space or NatsTopologySpace()
    compared_on = archs if ablation_archs is None else min(archs, ablation_archs)
    asked = Asked(ranks, rank, figures, top, compared_on, iterations, searches, candidates)
    _check(processes, threads, seed, output, asked, archs)
    compared = make_settings(settings, [*ranks, rank, *figures], net, data)
    if iterations:
        iterations.require(compared)
    compared[0].require([*ranks, *figures])
    for setting in compared:
        setting.require([rank])
    truth.require(space)
    pool = draw_pool(archs, truth, space, seed)
    folder = Path(output)
    here = provenance() | {"threads": threads}
    with begun(folder, _RUN, {"space": describe(space), "seed": seed}, here, config) as (store, record):
        mention_changes(record.provenance, here, display)
        executor = local_executor(processes, threads)
        with limited_threads(threads):
            measured = measure(pool.archs, compared[:1], space, seed, executor, store, display)
            if compared_on and compared[1:]:
                some = pool.archs[:compared_on]
                measured += measure(some, compared[1:], space, seed, executor, store, display)
        replay = f"lnas study {shlex.quote(str(folder / 'config.yaml'))}" if config else "study from Python"
        title = f"lnas study: {folder.name}"
        report = _report(measured, pool, asked, compared, space, truth, seed, title, replay)
        write_results(report, folder, "study.html")
        write_whole(folder / "pool.csv", (listed := pool_table(measured, pool, space, truth.key)).to_csv())
        write_whole(folder / "pool.parquet", listed.to_parquet())
        store.finish_run(_RUN, f"{len(pool.archs)} architectures, {len(compared)} settings")
    for table in report.tables:
        display.show(shown(table))
    for name, fact in report.facts.items():
        display.say(f"{name}: {fact}")
    display.say(f"Page:   {folder / 'study.html'}")
    display.say(f"Store:  {folder / 'store.sqlite'}")
    display.say(f"Time:   {time.monotonic() - started:.1f} s since this start")
    return report


def _check(processes: int, threads: int, seed: int, output: str, asked: Asked, archs: int) -> None:
    check_at_least(
        processes=(processes, 1), threads=(threads, 1), archs=(archs, 1), ablation_archs=(asked.ablation_archs, 0)
    )
    check_seed(seed)
    check_output(output)
    for count in asked.top:
        if not 2 <= count <= archs:
            raise UsageError(complaint(f"top={list(asked.top)}", f"numbers in 2..{archs}", count, "Change it."))
    draw_searches(archs, asked.candidates, asked.searches, seed)  # before anything is measured
    if 0 < asked.ablation_archs < asked.candidates:
        call, expected = f"ablation_archs={asked.ablation_archs}", f"ablation_archs >= {asked.candidates}, or 0"
        step = "A search looks at so many candidates: compare on more, or lower --candidates."
        raise UsageError(complaint(call, expected, asked.ablation_archs, step))


def _report(
    measured: Sequence[Measured],
    pool: Pool,
    asked: Asked,
    settings: Sequence[Setting],
    space: SearchSpace,
    truth: Truth,
    seed: int,
    title: str,
    replay: str,
) -> StudyReport:
    base = measured[0]
    searches = draw_searches(len(pool.archs), asked.candidates, asked.searches, seed)
    return StudyReport(
        title,
        _facts(base, pool, space, truth),
        [
            stage_table(base, pool),
            correlation_table(base, pool, asked.ranks, asked.top),
            search_table(base, pool, asked.ranks, searches),
            *_ablation(measured, pool, asked, seed),
        ],
        collapse_figures(base, pool, asked.figures, space, truth.key),
        replay,
        {
            f"{setting.label} ({setting.protocol})": json.dumps(describe(setting.estimator.protocol), indent=1)
            for setting in settings
        },
    )


def _ablation(measured: Sequence[Measured], pool: Pool, asked: Asked, seed: int) -> list[ResultTable]:
    """Return the table of all settings and readings on the same architectures, unless there are to be none."""
    count = asked.ablation_archs
    if not count:
        return []
    settings = [setting.first(count) for setting in measured]
    readings = read_iterations(asked.iterations, settings, asked.rank) if asked.iterations else []
    searches = draw_searches(count, asked.candidates, asked.searches, seed)
    return [ablation_table(settings, readings, pool.first(count), asked.rank, searches)]


def _facts(base: Measured, pool: Pool, space: SearchSpace, truth: Truth) -> Mapping[str, str]:
    low, high = pool.accuracies.min(), pool.accuracies.max()
    counts = {
        name: sum(trial.estimates[name].status != "ok" for trial in base.trials)
        for name in base.directions
        if any(trial.estimates[name].status != "ok" for trial in base.trials)
    }
    facts = {
        "Pool": f"{len(pool.archs):,} architectures of {space.name}, drawn from those that the benchmark holds, "
        f"{int(pool.trivial.sum())} of them trivial (no convolution on a path from input to output)",
        "Accuracy": f"{truth.key}, {low:.2f} to {high:.2f} %",
    }
    if counts:
        facts["Without a number"] = ", ".join(f"{name} {count}" for name, count in counts.items())
    return facts
