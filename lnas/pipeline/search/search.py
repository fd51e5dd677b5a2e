"""`lnas search`: let strategies search by judges, again and again, and say what they find."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from lnas.data import ImageData
from lnas.errors import UsageError, complaint
from lnas.estimators import EstimatorFactory
from lnas.nets import BENCHMARK_NET, NetBuilder
from lnas.pipeline.display import Display
from lnas.pipeline.options import check_at_least, check_output, check_seed
from lnas.pipeline.provenance import provenance
from lnas.pipeline.result_pages import write_results
from lnas.pipeline.result_tables import shown
from lnas.pipeline.resuming import begun, mention_changes
from lnas.pipeline.search.budget import Budget, Crossing, Seconds, UntilOver, budget_of
from lnas.pipeline.search.conducting import Search, conduct
from lnas.pipeline.search.course import Course
from lnas.pipeline.search.findings import answered, find_out
from lnas.pipeline.search.judge import Bench, Judge, open_judges
from lnas.pipeline.search.origin import Origin, origin_of
from lnas.pipeline.search.records import answers_parquet, trials_parquet
from lnas.pipeline.search.story import search_report
from lnas.pipeline.search.tracking import track_searches
from lnas.pipeline.tracking import Tracker, WandbMode, wandb_logger
from lnas.pipeline.truth import Truth
from lnas.report.study import StudyReport
from lnas.search import Objective, RandomSearch, Strategy
from lnas.spaces import NatsTopologySpace, SearchSpace
from lnas.store import write_whole
from lnas.threads import limited_threads
from lnas.types import describe

_RUN = "search"

StrategyFactory = Callable[[SearchSpace, int, Objective], Strategy]


def search(
    strategy: StrategyFactory = RandomSearch,
    rank: str = "",
    estimators: list[EstimatorFactory] | None = None,
    truth: Truth | None = None,
    strategies: dict[str, StrategyFactory] | None = None,
    judges: dict[str, Judge] | None = None,
    data: ImageData | None = None,
    space: SearchSpace | None = None,
    net: NetBuilder | Callable[[Any, int], Any] = BENCHMARK_NET,
    evaluations: int | None = None,
    seconds: float | None = None,
    crossing: Crossing = "counts",
    after: Sequence[int] = (),
    repeats: int = 1,
    processes: int = 1,
    threads: int = 1,
    seed: int = 0,
    parent: str | None = None,
    at: int | None = None,
    output: str = "results/search",
    wandb: WandbMode = "auto",
    project: str = "lnas",
    quiet: bool = False,
    config: str | None = None,
) -> StudyReport:
    """Let strategies search, and say what they find.

    One strategy by one rank expression, or every one of STRATEGIES by every one of JUDGES; each REPEATS times, with the
    seeds SEED, SEED+1, ... for draws and measurements. Nothing is retrained: `lnas run` does that. Writes
    OUTPUT/search.html, each table as .parquet, .csv and .md, figures as .svg, and every evaluation and answer as
    trials.parquet and answers.parquet. Every measurement is in OUTPUT/store.sqlite the moment it exists: killed and
    started again, each search proposes what it would have proposed, and with other questions, more repeats or a larger
    budget only what is lacking is measured. What is looked up in a table is not kept.

    --from RUN --at T --seed S repeats the searches in folder RUN up to T evaluations, then lets them go on with other
    draws.

    Args:
        strategy: Proposes candidates.
        rank: What it makes as good as it can: measure names joined by +.
        estimators: What gives the measures; if not given, those that RANK needs, with their default settings.
        truth: A benchmark's accuracies that answers are compared with; the search never sees them.
        strategies: Label -> strategy, instead of one.
        judges: Label -> rank, estimators, truths, data and seconds, instead of one rank.
        data: Images to measure on; searches on tables need none.
        space: Where the candidates are from; the NATS topology space if not given.
        net: Builds the network of a candidate: options of the benchmark's own, or a callable of yours.
        evaluations: Budget of each search in evaluations; without a budget it ends when its strategy is over.
        seconds: Budget of each search in seconds of its measurements: recorded ones of a table, else those measured.
        crossing: Whether the evaluation during which the seconds run out counts.
        after: Answers are also read after so many evaluations.
        repeats: How many searches of each kind.
        processes: Measurements at a time, of as many searches, each in a process of its own; 1 measures in this one.
        threads: Of each measurement; bears on the last digits.
        seed: The first of the seeds.
        parent: Folder of the searches that these repeat at first; --from FOLDER takes its config, too.
        at: For how many evaluations they repeat those.
        output: Folder for store, tables, figures and page.
        wandb: auto is online where somebody is logged in and the server answers, offline otherwise.
        project: W&B project.
        quiet: Print errors only.
        config: Text kept as OUTPUT/config.yaml, to replay the searches.

    Returns:
        What the page shows.

    Raises:
        UsageError: If the arguments contradict each other, the data or a benchmark.
        RunError: If OUTPUT cannot be written, another process works in it, or a search never gets a number.
    """
    started = time.monotonic()
    display = Display(quiet)
    space = space or NatsTopologySpace()
    check_at_least(repeats=(repeats, 1), processes=(processes, 1), threads=(threads, 1))
    check_at_least(after=(min(after, default=1), 1))
    check_seed(seed)
    check_seed(seed + repeats - 1)
    check_output(output)
    origin = origin_of(parent, at, seed)
    budget = budget_of(evaluations, seconds, crossing)
    benches = open_judges(_judges(rank, estimators, truth, judges), space, net, data)
    searches = [
        one
        for bench in benches
        for label, factory in (strategies or {"": strategy}).items()
        for one in _repeated(label, factory, bench, space, _own(budget, bench, crossing), origin, repeats)
    ]
    folder = Path(output)
    here = provenance() | {"threads": threads}
    settings = {"space": describe(space), **origin.settings}
    with begun(folder, _RUN, settings, here, config) as (store, record), origin.stored() as earlier:
        mention_changes(record.provenance, here, display)
        with limited_threads(threads):
            for bench in benches:
                own = [one for one in searches if one.bench is bench]
                conduct(own, [store, *earlier], processes, threads, display)
        _require_evaluated(searches)
        _require_branched(searches)
        findings = find_out(searches, space)
        store.set_picks(_RUN, answered(findings))
        replay = f"lnas search --config {shlex.quote(str(folder / 'config.yaml'))}" if config else "search from Python"
        report = search_report(f"lnas search: {folder.name}", findings, after, space, replay)
        write_results(report, folder, "search.html")
        write_whole(folder / "trials.parquet", trials_parquet(searches))
        write_whole(folder / "answers.parquet", answers_parquet(findings))
        tracker = Tracker(wandb_logger(wandb, project, folder.name, folder, display.say), display.say)
        tracker.settings(settings | {"provenance": record.provenance})
        track_searches(tracker, report, findings, space)
        tracked = tracker.finish()
        store.finish_run(_RUN, tracked or f"{len(searches)} searches")
    for table in report.tables:
        display.show(shown(table))
    for name, fact in report.facts.items():
        display.say(f"{name}: {fact}")
    display.say(f"Page:   {folder / 'search.html'}")
    if not all(bench.is_recorded for bench in benches):
        display.say(f"Store:  {folder / 'store.sqlite'}")
    if tracked:
        display.say(f"W&B:    {tracked}")
    display.say(f"Time:   {time.monotonic() - started:.1f} s since this start")
    return report


def _judges(
    rank: str, estimators: list[EstimatorFactory] | None, truth: Truth | None, judges: dict[str, Judge] | None
) -> dict[str, Judge]:
    if bool(rank) == bool(judges):
        got = "both" if rank else "neither"
        step = "Example: --rank ntk_cond+linear_regions."
        raise UsageError(complaint("lnas search", "either rank or judges", got, step))
    if judges and (estimators or truth):
        step = "Each judge has its own."
        raise UsageError(complaint("lnas search", "no estimators or truth beside judges", "both", step))
    return judges or {rank: Judge(rank, estimators, {"accuracy": truth} if truth else {})}


def _own(budget: Budget, bench: Bench, crossing: Crossing) -> Budget:
    """Return the budget of searches by a judge: its own, if it has one."""
    if bench.seconds is None:
        return budget
    if not isinstance(budget, UntilOver):
        call, step = f"judge {bench.label!r}", "Leave out its seconds, or the budget of all."
        raise UsageError(complaint(call, "one budget", f"{bench.seconds:g} seconds and {budget}", step))
    return Seconds(bench.seconds, crossing)


def _repeated(
    label: str, factory: StrategyFactory, bench: Bench, space: SearchSpace, budget: Budget, origin: Origin, repeats: int
) -> Iterator[Search]:
    for k in range(repeats):
        strategy = factory(space, origin.seed + k, bench.objective)
        name = label or type(strategy).__name__
        yield Search(name, bench, origin.seed + k, Course(strategy, bench.objective, budget, origin.branch(k)))


def _require_evaluated(searches: Sequence[Search]) -> None:
    for one in searches:
        budget = one.course.budget
        if isinstance(budget, Seconds) and not one.course.trials:
            expected = f"time for an evaluation by {one.bench.label}"
            step = "Give more seconds, or --crossing counts."
            raise UsageError(complaint(f"seconds={budget.seconds:g}", expected, f"none of {one.strategy}", step))


def _require_branched(searches: Sequence[Search]) -> None:
    for one in searches:
        branch, made = one.course.branch, len(one.course.trials)
        if branch and made < branch.at:
            call, expected = f"at={branch.at}", f"at <= {made}, where {one.strategy} by {one.bench.label} ended"
            raise UsageError(complaint(call, expected, branch.at, "Branch earlier, or give a larger budget."))
