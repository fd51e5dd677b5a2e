"""`lnas study` of stored scores: what estimators are worth, in tables, figures and a page to look around in."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lnas.errors import UsageError, complaint, unknown_name
from lnas.execution import local_executor
from lnas.nets import BENCHMARK_NET, NetBuilder
from lnas.pipeline.display import Display
from lnas.pipeline.options import check_at_least, check_output
from lnas.pipeline.result_pages import write_results
from lnas.pipeline.result_tables import shown
from lnas.pipeline.resuming import held
from lnas.pipeline.scores_study.accuracy_estimates import accuracy_estimates, benchmark_space
from lnas.pipeline.scores_study.along_training import find_along_training
from lnas.pipeline.scores_study.biases import find_biases
from lnas.pipeline.scores_study.cells import TRUTH
from lnas.pipeline.scores_study.correlations import best_of, correlation_jobs, differences, with_intervals
from lnas.pipeline.scores_study.evidence import Evidence, gather, space_of
from lnas.pipeline.scores_study.followed import follow, supernets_of
from lnas.pipeline.scores_study.jobs import run_jobs
from lnas.pipeline.scores_study.repeats import find_repeats
from lnas.pipeline.scores_study.score_files import ScoreFile, as_score_files, estimates_of, load_files, origins
from lnas.pipeline.scores_study.sizes import COUNTED, Sizes
from lnas.pipeline.scores_study.story import Findings, Questions, scores_report
from lnas.pipeline.scores_study.subsets import check_top
from lnas.pipeline.scores_study.teg_analyses import check_picks, find_teg
from lnas.pipeline.tracking import Tracker, WandbMode, wandb_logger
from lnas.pipeline.truth import Truth
from lnas.report.interactive import InteractiveReport, render_interactive
from lnas.spaces import SearchSpace
from lnas.stats.standings import top_size
from lnas.store import write_whole
from lnas.types import Arch

_SHOWN = ("correlations", "differences", "subsets", "size")


def study_scores(
    scores: dict[str, str | ScoreFile],
    truth: Truth,
    keys: Sequence[str] = (),
    supernets: dict[str, str] | None = None,
    space: SearchSpace | None = None,
    net: NetBuilder | Callable[[Arch, int], Any] = BENCHMARK_NET,
    baseline: str | None = None,
    sizes: str = COUNTED,
    top: Sequence[int] = (),
    at: Sequence[int | float] = (0.005, 0.05, 0.1),
    groups: int = 5,
    ends: float = 0.05,
    picks: Sequence[str] = (),
    pick: int | float = 0.1,
    replaced: str = "none",
    cells: int = 1,
    resamples: int = 1000,
    processes: int = 1,
    threads: int = 1,
    output: str = "results/study_scores",
    wandb: WandbMode = "auto",
    project: str = "lnas",
    quiet: bool = False,
    config: str | None = None,
) -> InteractiveReport:
    """Study estimators by what is stored of them: how well they rank, what they over- and underestimate.

    NAME_OR_FILE is the name of a study that ships with lnas, or a YAML file, which has SCORES; options after it win.
    These are files that `lnas score` or `lnas supernet` wrote, or a CSV of your own with columns arch and score, which
    joins in one line: `my_estimator: my.csv`. So does another accuracy of the benchmark: `val12: truth:KEY`. Compared
    are the architectures that all files hold. Nothing is measured. Of supernets, what becomes of their ranking along
    training is told, each on its own architectures. Writes
    OUTPUT/report.html, which has points to point at, tables to sort and estimators to choose and asks no network,
    OUTPUT/study.html, the same without scripts or points, each table as .parquet, .csv and .md, and figures as .svg.

    Args:
        scores: Label -> file or folder, or truth:KEY, or file, measures, higher_is_better, epoch and repeats. The only
            measure of a file is called by its label, one of several by its own name. Of a supernet the last epoch is
            compared, or the one that is named.
        truth: The benchmark whose accuracies are compared with.
        keys: Further accuracies of the benchmark.
        supernets: Label -> folder of `lnas supernet` that is followed along training, beside those among the scores.
        space: Where the architectures are from; what the files say if not given.
        net: Builds the networks whose parameters are counted, where no file has them.
        baseline: The estimator that others are compared with; the best if not given.
        sizes: The column of a file that stands for complexity; params is counted where no file has it, some 30 ms each.
        top: Correlations are taken over so many of the most accurate architectures, too.
        at: The K of P@top K and its kind: ratios, or counts.
        groups: How many complexity groups.
        ends: Share of the architectures at either end whose features are described.
        picks: Estimators of each of which is told what it alone picks; if not given, those of ntk_cond,
            linear_regions and ntk_mse that there are.
        pick: How much each of them picks, a ratio or a count.
        replaced: The operation in whose place all others are put.
        cells: How many at either end are drawn.
        resamples: Of each bootstrap interval.
        processes: Intervals at a time, each in a process of its own; 1 computes in this one.
        threads: Of each process.
        output: Folder for pages, tables and figures.
        wandb: auto is online where somebody is logged in and the server answers, offline otherwise.
        project: W&B project.
        quiet: Print errors only.
        config: Text kept as OUTPUT/config.yaml, to replay the study.

    Returns:
        What the page shows.

    Raises:
        UsageError: If the arguments contradict each other, a file or the benchmark, or no estimator ranks anything.
        RunError: If OUTPUT cannot be written, or another process works in it.
    """
    started = time.monotonic()
    display = Display(quiet)
    check_at_least(groups=(groups, 1), cells=(cells, 1), resamples=(resamples, 1))
    check_at_least(processes=(processes, 1), threads=(threads, 1))
    check_output(output)
    files = as_score_files(scores)
    loaded = load_files(files)
    measured = estimates_of(files, loaded)
    supernet_scores = supernets_of(loaded, supernets or {})
    space = space_of(measured, space) if measured else space or benchmark_space(truth)
    _check_keys(truth.key, keys)
    truths = [truth, *(replace(truth, key=key) for key in keys)]
    for each in truths:
        each.require(space)
    evidence = gather([*measured, *accuracy_estimates(files, measured, truth, keys, space)], truths, space)
    asked = Questions(top, at, ends, cells, resamples, baseline, sizes)
    _check(asked, evidence)
    check_picks(picks, pick, evidence)
    executor = local_executor(processes, threads)
    measurer = Sizes(sizes, {label: own.scores for label, own in loaded.items()}, net, executor, display)
    own_sizes = measurer.of(evidence.archs)
    followed = follow(supernet_scores, truth, space, measurer)
    folder = Path(output)
    with held(folder, config):
        found = run_jobs(correlation_jobs(evidence, top, own_sizes, resamples), "correlations", executor, display)
        order = best_of(evidence, found)
        intervals = with_intervals(found) | differences(evidence, found, baseline or order[0])
        findings = Findings(
            intervals,
            find_biases(evidence, order, own_sizes, groups, executor, display),
            find_along_training(followed, space, groups, resamples, executor, display),
            find_repeats(evidence),
            find_teg(evidence, order, picks, pick, replaced),
        )
        replay = f"lnas study {shlex.quote(str(folder / 'config.yaml'))}" if config else "study_scores from Python"
        title = f"lnas study: {folder.name}"
        from_files = origins(files, supernets or {})
        report = scores_report(title, replay, from_files, evidence, order, findings, own_sizes, asked)
        write_results(report.study, folder, "study.html")
        write_whole(folder / "report.html", render_interactive(report).encode())
        tracker = Tracker(wandb_logger(wandb, project, folder.name, folder, display.say), display.say)
        track_study(tracker, report)
        tracked = tracker.finish()
    for table in report.study.tables:
        if table.name in _SHOWN:
            display.show(shown(table))
    for name, fact in report.study.facts.items():
        display.say(f"{name}: {fact}")
    display.say(f"Report: {folder / 'report.html'}")
    display.say(f"Page:   {folder / 'study.html'}, without scripts")
    if tracked:
        display.say(f"W&B:    {tracked}")
    display.say(f"Time:   {time.monotonic() - started:.1f} s")
    return report


def _check_keys(main: str, further: Sequence[str]) -> None:
    """Raise `UsageError` where an accuracy is named twice."""
    every = [main, *further]
    for key in every:
        if every.count(key) > 1:
            raise UsageError(complaint(f"keys={list(further)}", "each accuracy once", f"{key} twice", "Drop one."))


def _check(asked: Questions, evidence: Evidence) -> None:
    """Raise `UsageError` unless every question can be asked of the architectures and estimators."""
    n = len(evidence.archs)
    taken = next((name for name in evidence.values if name in (TRUTH, *evidence.truths)), None)
    if taken is not None:
        raise UsageError(
            complaint("scores", "estimators that are not called as accuracies", taken, "Change its label.")
        )
    check_top(asked.top, n)
    for k in asked.at:
        top_size(f"at={list(asked.at)}", k, n)
    top_size(f"ends={asked.ends}", asked.ends, n)
    _check_ranking(asked.baseline, evidence)


def _check_ranking(baseline: str | None, evidence: Evidence) -> None:
    """Raise `UsageError` unless an estimator ranks something, and so does the baseline, if one is chosen."""
    if not evidence.ranking:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in evidence.undefined.items())
        raise UsageError(complaint("scores", "an estimator that ranks something", reasons, "Score more architectures."))
    if baseline in evidence.undefined:
        call, reason = f"baseline={baseline!r}", evidence.undefined[baseline]
        raise UsageError(complaint(call, "an estimator that ranks something", reason, "Name another."))
    if baseline is not None and baseline not in evidence.ranking:
        raise UsageError(f"baseline: {unknown_name('estimator', baseline, evidence.values)}")


def track_study(tracker: Tracker, report: InteractiveReport) -> None:
    """Log what was studied, and every table."""
    tracker.settings({"facts": dict(report.study.facts), "files": dict(report.study.protocols)})
    for table in report.study.tables:
        tracker.table(table.name, [column.title for column in table.columns], table.texts())
