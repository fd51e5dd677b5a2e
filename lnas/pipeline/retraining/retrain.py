"""`lnas retrain`: train architectures in full, measure them once on the test images, keep what others can load."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from lnas.data import ImageData
from lnas.errors import RunError
from lnas.nets import BENCHMARK_NET, NetBuilder
from lnas.nets.trained_file import read_trained
from lnas.pipeline.display import Display
from lnas.pipeline.lineage import track_origin, track_trained
from lnas.pipeline.options import check_at_least, check_output, check_seed
from lnas.pipeline.processes import is_first
from lnas.pipeline.provenance import provenance
from lnas.pipeline.result_pages import write_results
from lnas.pipeline.result_tables import shown
from lnas.pipeline.resuming import begun, mention_changes
from lnas.pipeline.retraining.chosen import chosen
from lnas.pipeline.retraining.picks import retrain_picks
from lnas.pipeline.retraining.predictions import read_predictions, track_predictions
from lnas.pipeline.retraining.story import Training, retraining_report
from lnas.pipeline.retraining.task import Task
from lnas.pipeline.retraining.training import weights_folder
from lnas.pipeline.tracking import Tracker, WandbMode, wandb_logger
from lnas.pipeline.truth import Truth
from lnas.report.study import StudyReport
from lnas.spaces import SearchSpace
from lnas.store import Pick, Store
from lnas.threads import limited_threads
from lnas.training import Retraining
from lnas.training.recipe import check_retraining
from lnas.types import Arch, describe

_RUN = "retrain"


def retrain(
    data: ImageData,
    arch: str | list[str] | None = None,
    found: str | None = None,
    space: SearchSpace | None = None,
    net: NetBuilder | Callable[[Arch, int], Any] = BENCHMARK_NET,
    recipe: Retraining = Retraining(),  # noqa: B008  frozen
    weights: str | None = None,
    truth: Truth | None = None,
    workers: int = 0,
    threads: int | None = None,
    seed: int = 0,
    output: str = "results/retrain",
    wandb: WandbMode = "auto",
    project: str = "lnas",
    quiet: bool = False,
    config: str | None = None,
) -> StudyReport | None:
    """Train architectures in full, and keep what `lnas export` takes home.

    Validates after each epoch on the images that were held out, and measures the weights of the last epoch once on the
    test images. Writes OUTPUT/retrain.html, results.parquet, .csv and .md, curves as .svg, and for each training
    OUTPUT/retrain/ARCH-seedN with its weights. Killed and started again with the same command, a training goes on from
    its last epoch and ends with the very weights of one that was never stopped.

    Args:
        data: The task.
        arch: What is trained: one notation, or a list.
        found: Instead, the output folder of a run, a search or a supernet: what that came to is trained.
        space: Where the architectures are from, if their notation, FOUND or WEIGHTS does not say it.
        net: Builds the network: options of the benchmark's own, or a callable of yours.
        recipe: How it is trained.
        weights: Folder of a trained network, or of an export, whose weights training begins with: the classifier is new
            where the classes are others. The network is then that one, if neither ARCH nor NET says otherwise.
        truth: A benchmark's accuracies, and learning curves where it has them, to stand beside.
        workers: Processes that load images, worth it where they lie in files; 0 loads them in this one.
        threads: Of the training; bears on the last digits. All cores if not given.
        seed: Decides initial weights, order and augmentation; further trainings of an architecture take the next ones.
        output: Folder for store, weights, tables, figures and page.
        wandb: auto is online where somebody is logged in and the server answers, offline otherwise.
        project: W&B project.
        quiet: Print errors only.
        config: Text kept as OUTPUT/config.yaml, to replay the training.

    Returns:
        What the page shows; None in the further processes of a distributed training.

    Raises:
        UsageError: If the arguments contradict each other, the data or a benchmark.
        RunError: If OUTPUT cannot be written, another process works in it, or a loss is not finite: in the end, when
            the other trainings are over.
    """
    started = time.monotonic()
    display = Display(quiet)
    check_at_least(threads=(threads, 1), workers=(workers, 0))
    check_seed(seed)
    check_output(output)
    check_retraining(recipe)
    check_seed(seed + recipe.repeats - 1)
    start = None if weights is None else read_trained(weights)
    space, picks = chosen(arch, found, space, start)
    net = start.builder() if start is not None and net == BENCHMARK_NET else net
    if truth is not None:
        truth.require(space)
    task = Task(net, data, recipe, workers, start)
    task.check()
    settings = {
        "space": describe(space),
        "archs": [str(pick.arch) for pick in picks],
        "found": found,
        "weights": start and str(start.weights),
        "retraining": describe(task.protocol),
        "repeats": recipe.repeats,
        "seed": seed,
    }
    folder = Path(output)
    here = provenance()
    here["threads"] = threads or here["threads"]
    if not is_first():
        _train_beside_the_first(picks, task, seed, folder, here["threads"])
        return None
    with begun(folder, _RUN, settings, here, config) as (store, record), limited_threads(here["threads"]):
        mention_changes(record.provenance, here, display)
        store.set_picks(_RUN, picks)
        tracker = Tracker(wandb_logger(wandb, project, folder.name, folder, display.say), display.say)
        tracker.settings(settings | {"provenance": record.provenance})
        trained = retrain_picks(picks, task, seed, store, folder, tracker, display)
        trainings = [
            Training(pick.arch, number, result, read_predictions(weights_folder(folder, pick.arch, number)))
            for pick in picks
            for number, result in enumerate(trained[pick.arch], start=seed)
        ]
        replay = f"lnas retrain --config {shlex.quote(str(folder / 'config.yaml'))}" if config else "from Python"
        report = retraining_report(f"lnas retrain: {folder.name}", space, trainings, data, settings, truth, replay)
        write_results(report, folder, "retrain.html")
        for table in report.tables:
            tracker.table(table.name, [column.title for column in table.columns], table.texts())
        for one in trainings:
            _track(tracker, space, one, data, folder)
        tracked = tracker.finish()
        store.finish_run(_RUN, tracked or f"{len(trainings)} trainings")
    for table in report.tables:
        display.show(shown(table))
    display.say(f"Page:    {folder / 'retrain.html'}")
    for one in (one for one in trainings if not one.failure):
        display.say(f"Weights: {weights_folder(folder, one.arch, one.seed) / 'weights.safetensors'}")
    if tracked:
        display.say(f"W&B:     {tracked}")
    display.say(f"Time:    {time.monotonic() - started:.1f} s since this start")
    _require_success(trainings)
    return report


def _require_success(trainings: Sequence[Training]) -> None:
    failures = [one.failure for one in trainings if one.failure]
    if failures:
        raise RunError(f"{len(failures)} of {len(trainings)} trainings came to nothing. {failures[0]}")


def _train_beside_the_first(picks: Sequence[Pick], task: Task, seed: int, folder: Path, threads: int) -> None:
    """Take part in each training that the first process has not ended; it keeps everything."""
    with closing(Store(folder / "store.sqlite")) as store, limited_threads(threads):
        retrain_picks(picks, task, seed, store, folder, Tracker(None, print), Display(quiet=True))


def _track(tracker: Tracker, space: SearchSpace, one: Training, data: ImageData, folder: Path) -> None:
    """Log what a training came from and to."""
    kept = weights_folder(folder, one.arch, one.seed)
    track_origin(tracker, space, one.arch)
    if one.predictions is not None:
        track_predictions(tracker, f"test-{kept.name}", one.predictions, data)
    reached = {name: item.value for name, item in one.result.estimates.items() if item.status == "ok"}
    track_trained(tracker, one.arch, kept, reached)
