"""`lnas run`: search, rank, retrain the winner and its controls, report."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lnas.analysis.racing import Racing
from lnas.data import ImageData
from lnas.errors import RunError, UsageError, complaint, unknown_name
from lnas.estimators import EstimatorFactory, factories_for
from lnas.nets import BENCHMARK_NET, NetBuilder
from lnas.pipeline.curves import track_curves
from lnas.pipeline.directions import directions_of
from lnas.pipeline.display import Display
from lnas.pipeline.estimation import estimate_candidates
from lnas.pipeline.options import check_output
from lnas.pipeline.outcome import first_reason, ranking_table, run_report, track_outcome
from lnas.pipeline.picking import RANKED_CONTROLS, fewest_candidates, parse_controls, pick
from lnas.pipeline.provenance import provenance
from lnas.pipeline.racing import check_racing, race_candidates
from lnas.pipeline.reporting.pages import keep_page
from lnas.pipeline.resuming import begun, mention_changes
from lnas.pipeline.retraining.picks import retrain_picks
from lnas.pipeline.retraining.task import Task
from lnas.pipeline.retraining.training import weights_folder
from lnas.pipeline.tracking import Tracker, WandbMode, wandb_logger
from lnas.pipeline.truth import Truth
from lnas.report import RunReport
from lnas.search import Objective, RandomSearch, Strategy
from lnas.spaces import NatsTopologySpace, SearchSpace
from lnas.stats import measure_names, rank_sum
from lnas.store import write_whole
from lnas.training import Retraining
from lnas.training.recipe import check_retraining
from lnas.types import Arch, describe

_RUN = "run"


def run(
    data: ImageData,
    space: SearchSpace | None = None,
    net: NetBuilder | Callable[[Arch, int], Any] = BENCHMARK_NET,
    strategy: Callable[[SearchSpace, int, Objective], Strategy] = RandomSearch,
    estimators: list[EstimatorFactory] | None = None,
    rank: str = "angle+loss+params",
    candidates: int = 100,
    racing: Racing | None = None,
    retraining: Retraining | None = None,
    controls: Sequence[str] = RANKED_CONTROLS,
    truth: Truth | None = None,
    seed: int = 0,
    output: str = "results/run",
    wandb: WandbMode = "auto",
    project: str = "lnas",
    quiet: bool = False,
    config: str | None = None,
) -> RunReport:
    """Search for an architecture, retrain it beside controls, and report.

    Proposes candidates, estimates each, adds the ranks of the measures that RANK names (Algorithm 1 of ST-NAS), picks
    the best and the controls, retrains the picks, and writes OUTPUT/report.html. Every number is in OUTPUT/store.sqlite
    the moment it exists: killed and started again with the same command, the run goes on where it was.

    Args:
        data: Images to search and to retrain on.
        space: Where candidates come from; the NATS topology space if not given.
        net: Builds the network of an architecture: options of the benchmark's own, or a callable of yours.
        strategy: Proposes the candidates, learning from RANK, if at all.
        estimators: What measures them; if not given, those that RANK needs, with their default settings.
        rank: Measure names joined by +; a bracket is ranked again before it is added, as in (angle+loss)+params.
        candidates: How many different ones to propose; by RandomSearch, no isomorphic twins either.
        racing: After how many steps of their short trainings the worse candidates drop out; null trains all in full.
        retraining: How the picks are trained in full; null only ranks.
        controls: Retrained beside the winner: lowest (of the ranking), random (of the rest), or a cell's own notation.
        truth: A benchmark's accuracies that the ranking is compared with; the search never sees them.
        seed: Decides every draw.
        output: Folder for store, weights, report and W&B files.
        wandb: auto is online where somebody is logged in and the server answers, offline otherwise.
        project: W&B project.
        quiet: Print errors only.
        config: Text kept as OUTPUT/config.yaml, to replay the run.

    Returns:
        What the report shows.

    Raises:
        UsageError: If the arguments contradict each other or the data, or OUTPUT holds a run with other settings.
        RunError: If OUTPUT cannot be written, or another process works in it.
    """
    from lnas.report.page import render_page

    display = Display(quiet)
    space = space or NatsTopologySpace()
    measuring = [factory(net, data) for factory in estimators or factories_for(measure_names(rank))]
    directions = directions_of(measuring)
    _check_rank(rank, directions)
    proposer = strategy(space, seed, Objective(rank, directions))
    chosen_controls = parse_controls(controls, space) if retraining else {}
    _check(candidates, proposer, retraining, chosen_controls)
    if racing:
        check_racing(racing, proposer, measuring)
    if truth:
        truth.require(space)
    task = Task(net, data, retraining) if retraining else None
    if task:
        task.check()
    settings: dict[str, Any] = {
        "space": describe(space),
        "search": describe(proposer.settings),
        "estimators": [describe(estimator.protocol) for estimator in measuring],
        "rank": rank,
        "candidates": candidates,
        "controls": list(chosen_controls),
        "retraining": describe(task.protocol) if task else None,
        "repeats": retraining.repeats if retraining else 0,
        "seed": seed,
    }
    settings |= {"racing": describe(racing)} if racing else {}
    check_output(output)
    if not 0 <= seed < 2**31:
        raise UsageError(complaint(f"seed={seed}", "0 <= seed < 2**31", seed, "Choose a smaller one."))
    folder = Path(output)
    here = provenance()
    with begun(folder, _RUN, settings, here, config) as (store, record):
        unfinished = record.outcome is None
        if unfinished:
            mention_changes(record.provenance, here, display)
        logger = wandb_logger(wandb, project, folder.name, folder, display.say) if unfinished else None
        tracker = Tracker(logger, display.say)
        tracker.settings(settings | {"provenance": record.provenance})
        measured = (proposer, measuring, candidates, seed, _RUN, store, tracker, display)
        raced = race_candidates(racing, rank, directions, folder, *measured) if racing else None
        trials = raced.trials if raced else estimate_candidates(*measured)
        ranking = raced.ranking if raced else rank_sum(rank, trials, directions)
        if not ranking.complete.any():
            name = next(name for name, count in ranking.missing.items() if count == max(ranking.missing.values()))
            raise RunError(
                complaint(
                    f"rank={rank!r}",
                    "a candidate with all its measures",
                    f"none of {len(trials)}",
                    f"{name}: {first_reason(trials, name)}. Failed measurements are tried again at the next start.",
                )
            )
        picks = pick([trial.arch for trial in trials], ranking.order.tolist(), chosen_controls, seed)
        store.set_picks(_RUN, picks)
        trained = retrain_picks(picks, task, seed, store, folder, tracker, display) if task else {}
        report = run_report(
            f"lnas run: {folder.name}",
            space,
            rank,
            trials,
            ranking,
            picks,
            trained,
            len(data.splits["test"]),
            settings,
            record.provenance,
            f"lnas run --config {shlex.quote(str(folder / 'config.yaml'))}" if config else "run from Python",
            truth,
            raced,
        )
        track_curves(tracker, trials)
        track_outcome(tracker, report, space, picks[0].arch, weights_folder(folder, picks[0].arch, seed))
        tracked = tracker.finish() if unfinished else record.outcome
        write_whole(folder / "report.html", render_page(report).encode())
        keep_page(folder, "report.html", report)
        store.finish_run(_RUN, tracked or "")
    display.show(ranking_table(report))
    for line in (report.verdict, *([str(report.truth)] if report.truth else []), *report.notes):
        display.say(line)
    display.say(f"Report: {folder / 'report.html'}")
    display.say(f"Store:  {folder / 'store.sqlite'}")
    if tracked:
        display.say(f"W&B:    {tracked}")
    return report


def _check_rank(rank: str, directions: Mapping[str, bool]) -> None:
    for name in measure_names(rank):
        if name not in directions:
            raise UsageError(f"rank={rank!r}: {unknown_name('measure', name, directions)}")


def _check(
    candidates: int, strategy: Strategy, retraining: Retraining | None, controls: Mapping[str, Arch | None]
) -> None:
    if strategy.proposes != "architectures":
        step = "`lnas search` prunes supernets."
        raise UsageError(complaint("lnas run", "a strategy that proposes architectures", type(strategy).__name__, step))
    if retraining:
        check_retraining(retraining)
        if retraining.devices > 1:
            call, step = f"retraining.devices={retraining.devices}", "Train what was found by `lnas retrain --found`."
            raise UsageError(complaint(call, "1 device in a run", retraining.devices, step))
    fewest = fewest_candidates(controls)
    if not fewest <= candidates <= strategy.limit:
        raise UsageError(
            complaint(
                f"candidates={candidates}",
                f"{fewest} <= candidates <= {strategy.limit}, which is all that the search can propose",
                candidates,
                "Choose a number in between.",
            )
        )
