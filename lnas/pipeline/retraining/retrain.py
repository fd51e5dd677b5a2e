"""`lnas retrain`: train architectures in full, measure them once on the test images, keep what others can load."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lnas.data import ImageData
from lnas.nets import BENCHMARK_NET, NetBuilder
from lnas.pipeline.display import Display
from lnas.pipeline.options import check_at_least, check_output, check_seed
from lnas.pipeline.provenance import provenance
from lnas.pipeline.result_pages import write_results
from lnas.pipeline.result_tables import shown
from lnas.pipeline.resuming import begun, mention_changes
from lnas.pipeline.retraining.chosen import chosen
from lnas.pipeline.retraining.story import Training, retraining_report
from lnas.pipeline.retraining.training import RetrainingProtocol, retrain_picks, weights_folder
from lnas.pipeline.tracking import Tracker, WandbMode, wandb_logger
from lnas.pipeline.truth import Truth
from lnas.report.study import StudyReport
from lnas.spaces import SearchSpace
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
    truth: Truth | None = None,
    threads: int | None = None,
    seed: int = 0,
    output: str = "results/retrain",
    wandb: WandbMode = "auto",
    project: str = "lnas",
    quiet: bool = False,
    config: str | None = None,
) -> StudyReport:
    """Train architectures in full from new weights, and keep what `lnas export` takes home.

    Validates after each epoch on the images that were held out, and measures the weights of the last epoch once on the
    test images. Writes OUTPUT/retrain.html, results.parquet, .csv and .md, curves as .svg, and for each training
    OUTPUT/retrain/ARCH-seedN with its weights. Killed and started again with the same command, a training goes on from
    its last epoch and ends with the very weights of one that was never stopped.

    Args:
        data: The task.
        arch: What is trained: one notation, or a list.
        found: Instead, the output folder of a run, a search or a supernet: what that came to is trained.
        space: Where the architectures are from; that of FOUND, else the NATS topology space, if not given.
        net: Builds the network: options of the benchmark's own, or a callable of yours.
        recipe: How it is trained.
        truth: A benchmark's accuracies, and learning curves where it has them, to stand beside.
        threads: Of the training; bears on the last digits. All cores if not given.
        seed: Decides initial weights, order and augmentation; further trainings of an architecture take the next ones.
        output: Folder for store, weights, tables, figures and page.
        wandb: auto is online where somebody is logged in and the server answers, offline otherwise.
        project: W&B project.
        quiet: Print errors only.
        config: Text kept as OUTPUT/config.yaml, to replay the training.

    Returns:
        What the page shows.

    Raises:
        UsageError: If the arguments contradict each other, the data or a benchmark.
        RunError: If OUTPUT cannot be written, or another process works in it.
    """
    started = time.monotonic()
    display = Display(quiet)
    check_at_least(threads=(threads, 1))
    check_seed(seed)
    check_seed(seed + recipe.repeats - 1)
    check_output(output)
    space, picks = chosen(arch, found, space)
    if truth is not None:
        truth.require(space)
    check_retraining(recipe)
    protocol = RetrainingProtocol.of(recipe, net, data)
    settings = {
        "space": describe(space),
        "archs": [str(pick.arch) for pick in picks],
        "found": found,
        "retraining": describe(protocol),
        "repeats": recipe.repeats,
        "seed": seed,
    }
    folder = Path(output)
    here = provenance()
    here["threads"] = threads or here["threads"]
    with begun(folder, _RUN, settings, here, config) as (store, record), limited_threads(here["threads"]):
        mention_changes(record.provenance, here, display)
        store.set_picks(_RUN, picks)
        tracker = Tracker(wandb_logger(wandb, project, folder.name, folder, display.say), display.say)
        tracker.settings(settings | {"provenance": record.provenance})
        trained = retrain_picks(picks, recipe, net, data, seed, store, folder, tracker, display)
        trainings = [
            Training(pick.arch, seed + number, result)
            for pick in picks
            for number, result in enumerate(trained[pick.arch])
        ]
        replay = f"lnas retrain --config {shlex.quote(str(folder / 'config.yaml'))}" if config else "from Python"
        images = {name: len(split) for name, split in data.splits.items()}
        report = retraining_report(f"lnas retrain: {folder.name}", space, trainings, images, settings, truth, replay)
        write_results(report, folder, "retrain.html")
        for table in report.tables:
            tracker.table(table.name, [column.title for column in table.columns], table.texts())
        tracked = tracker.finish()
        store.finish_run(_RUN, tracked or f"{len(trainings)} trainings")
    for table in report.tables:
        display.show(shown(table))
    display.say(f"Page:    {folder / 'retrain.html'}")
    for one in trainings:
        display.say(f"Weights: {weights_folder(folder, one.arch, one.seed) / 'weights.safetensors'}")
    if tracked:
        display.say(f"W&B:     {tracked}")
    display.say(f"Time:    {time.monotonic() - started:.1f} s since this start")
    return report
