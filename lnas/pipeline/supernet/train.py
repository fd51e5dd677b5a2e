"""`lnas supernet`: train a supernet, watch what it learns to rank, and keep its weights."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from lnas.data import ImageData
from lnas.data.module import StepDataModule
from lnas.errors import UsageError, complaint
from lnas.nets import NetBuilder, RegionNet, build_supernet, isolated_randomness
from lnas.nets.supernet_file import DEFAULT_SUPERNET, SUPERNET, supernet_options
from lnas.pipeline.display import Display
from lnas.pipeline.lineage import track_found
from lnas.pipeline.options import check_at_least, check_output, check_seed
from lnas.pipeline.processes import is_first
from lnas.pipeline.provenance import provenance
from lnas.pipeline.result_pages import write_results
from lnas.pipeline.result_tables import shown
from lnas.pipeline.resuming import begun, mention_changes
from lnas.pipeline.supernet.companions import Company
from lnas.pipeline.supernet.outcome import Outcome, found_arch, track_epoch
from lnas.pipeline.supernet.records import parquet_files
from lnas.pipeline.supernet.region import allowed_region
from lnas.pipeline.supernet.steering import Controller, Pruning
from lnas.pipeline.supernet.story import supernet_report
from lnas.pipeline.supernet.watching import Ensemble, Forgetting, Gradients, Ranking
from lnas.pipeline.tracking import Tracker, WandbMode, wandb_logger
from lnas.pipeline.truth import Truth
from lnas.report.study import StudyReport
from lnas.seeds import derive_seed
from lnas.spaces import NatsTopologySpace, SearchSpace
from lnas.store import Pick, Store, write_whole
from lnas.threads import limited_threads
from lnas.training import Darts, DifferentiableModule, Gdas, PcDarts, SupernetModule
from lnas.training.callbacks import StepCallback
from lnas.training.callbacks.keeping import LAST, KeepTraining
from lnas.training.checkpoints import WholeFileCheckpointIO
from lnas.training.supernet_fitting import ANYWHERE, Hardware, check_hardware, fit_supernet
from lnas.training.weight_sharing import WeightSharingModule
from lnas.types import describe

_RUN = "supernet"
_ENSEMBLE = "ensemble.ckpt"

TrainingFactory = Callable[[RegionNet, int], WeightSharingModule]

TRAININGS = (SupernetModule, Darts, Gdas, PcDarts, DifferentiableModule)
"""Those that are named by their class alone."""


def train_supernet(
    data: ImageData,
    space: SearchSpace | None = None,
    operations: list[str] | None = None,
    net: NetBuilder = DEFAULT_SUPERNET,
    training: TrainingFactory = SupernetModule,
    epochs: int = 100,
    batch_size: int = 128,
    accumulate: int = 1,
    augment: bool = True,
    truth: Truth | None = None,
    ranking: Ranking | None = None,
    ensemble: Ensemble | None = None,
    forgetting: Forgetting | None = None,
    gradients: Gradients | None = None,
    pruning: Pruning | None = None,
    controller: Controller | None = None,
    keep: Sequence[int] = (),
    save_every: int = 1,
    hardware: Hardware = ANYWHERE,
    threads: int | None = None,
    seed: int = 0,
    output: str = "results/supernet",
    wandb: WandbMode = "auto",
    project: str = "lnas",
    quiet: bool = False,
    config: str | None = None,
) -> StudyReport:
    """Train a supernet, watch what it learns to rank, and keep its weights.

    Writes OUTPUT/last.ckpt, which OneShotEstimator reads, OUTPUT/supernet.html, each table as .parquet, .csv and .md,
    figures as .svg, and all numbers as epochs.parquet, ranking.parquet and scores.parquet. Killed and started again
    with the same command, the training goes on from OUTPUT/last.ckpt, as if it had never stopped. With more epochs it
    goes on after its end, but for the differentiable searches, whose schedules depend on their number.

    Args:
        data: Images; weights are trained on the training split, paths are evaluated on the validation split.
        space: Whose supernet; the NATS topology space if not given.
        operations: Names of those that are trained, where it is not all.
        net: Options of the supernet.
        training: How it is trained.
        epochs: How long.
        batch_size: Images of a batch.
        accumulate: Batches that are accumulated into a step.
        augment: Whether training images are cropped and flipped as the data allows.
        truth: A benchmark's accuracies that the ranking is compared with.
        ranking: Which architectures are evaluated on the way; none if not given.
        ensemble: Keeps the mean of the last weights, too.
        forgetting: Measures what paths lose to those trained after them.
        gradients: Measures how alike the gradients of architectures are.
        pruning: Leaves all but the best paths untrained from an epoch on.
        controller: Lets a strategy decide which paths are trained.
        keep: Epochs whose weights are kept as OUTPUT/epoch=NUMBER.ckpt.
        save_every: Epochs from one last.ckpt to the next.
        hardware: Where it is trained.
        threads: Of the training; bears on the last digits. All cores if not given.
        seed: Decides initial weights, paths, order and augmentation of the images.
        output: Folder for weights, tables, figures and page.
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
    display = Display(quiet or not is_first())
    space = space or NatsTopologySpace()
    check_at_least(epochs=(epochs, 1), batch_size=(batch_size, 2), accumulate=(accumulate, 1), threads=(threads, 1))
    check_at_least(keep=(min(keep, default=1), 1), save_every=(save_every, 1))
    check_at_least(epochs=(epochs, max(keep, default=1)))
    check_seed(seed)
    check_output(output)
    company = Company(truth, ranking, ensemble, forgetting, gradients, pruning, controller)
    region = allowed_region(space, operations)
    with isolated_randomness(derive_seed(seed, "supernet")):
        supernet = build_supernet(region, data.num_classes, **supernet_options(net, "lnas supernet"))
        module = training(supernet, seed)
        module.save_hyperparameters({SUPERNET: asdict(net)})
    company.check(space, module, epochs)
    check_hardware(hardware)
    batches = StepDataModule(
        data.splits["train"],
        data,
        derive_seed(seed, "supernet batches"),
        None,
        min(batch_size, len(data.splits["train"])),
        augment,
        data.splits["val"],
    )
    in_epoch = batches.batches_per_epoch(hardware.devices, accumulate)
    companions = company.gathered(space, region, data, seed)
    folder = Path(output)
    settings = {
        "space": describe(space),
        "region": str(region),
        "net": describe(net),
        "training": {"class": type(module).__name__, **module.hparams},
        "batch_size": batch_size,
        "accumulate": accumulate,
        "augment": augment,
        "data": {"protocol": describe(data.protocol), "splits": _fingerprints(data)},
        **company.settings(companions),
        "epochs": epochs if isinstance(module, DifferentiableModule) else None,
        "hardware": {"devices": hardware.devices, "precision": hardware.precision},
        "seed": seed,
    }
    here = provenance()
    threads = threads or here["threads"]
    with _kept(folder, settings, here, config, display) as store, limited_threads(threads):
        tracker = _tracker(wandb, project, folder, display)
        tracker.settings(settings | {"provenance": here})
        for group in ("epochs", *companions.courses):
            tracker.group(group)
        done = epochs_done(folder, epochs)
        with display.bar("training batches", epochs * in_epoch, done * in_epoch) as advance:
            keeper = KeepTraining(folder, save_every, keep, partial(track_epoch, tracker, companions))
            callbacks = [*companions.callbacks, keeper, StepCallback(advance)]
            fitted = fit_supernet(module, batches, epochs, callbacks, folder, accumulate, hardware)
        if companions.ensemble is not None:
            with companions.ensemble.swapped_in(module):
                fitted.save_checkpoint(folder / _ENSEMBLE, weights_only=True)
        replay = f"lnas supernet --config {shlex.quote(str(folder / 'config.yaml'))}" if config else "lnas from Python"
        found = found_arch(module, companions)
        outcome = Outcome(space, settings, keeper.records, companions, truth, found)
        report = supernet_report(f"lnas supernet: {folder.name}", outcome, replay)
        if store is None:
            return report
        write_results(report, folder, "supernet.html")
        for name, content in parquet_files(outcome).items():
            write_whole(folder / f"{name}.parquet", content)
        for table in report.tables:
            tracker.table(table.name, [column.title for column in table.columns], table.texts())
        if found:
            track_found(tracker, space, found)
        tracked = tracker.finish()
        store.set_picks(_RUN, [Pick("found", found)] if found else [])
        store.finish_run(_RUN, tracked or f"{epochs} epochs")
    for table in report.tables:
        display.show(shown(table))
    display.say(f"Page:    {folder / 'supernet.html'}")
    display.say(f"Weights: {folder / LAST}{f', {folder / _ENSEMBLE}' if ensemble else ''}")
    if found:
        display.say(f"Found:   {space.format(found)}")
    if tracked:
        display.say(f"W&B:     {tracked}")
    display.say(f"Time:    {time.monotonic() - started:.1f} s since this start")
    return report


def epochs_done(folder: Path, epochs: int) -> int:
    """Return how many of so many epochs of a training in a folder are done; 0 where none was begun.

    Raises:
        UsageError: If its checkpoint cannot be read, or more are done.
    """
    last = folder / LAST
    if not last.is_file():
        return 0
    try:
        done = int(WholeFileCheckpointIO().load_checkpoint(last)["epoch"]) + 1  # written before Lightning counts it
    except Exception as error:  # the reader raises errors of many kinds
        step = "Name another folder, or remove the file to begin anew."
        raise UsageError(complaint(str(last), "a checkpoint", type(error).__name__, step)) from error
    if done > epochs:
        step = "Ask for as many, or for more."
        raise UsageError(complaint(f"epochs={epochs}", f"epochs >= {done}, those done", epochs, step))
    return done


@contextmanager
def _kept(
    folder: Path, settings: Mapping[str, Any], here: Mapping[str, Any], config: str | None, display: Display
) -> Iterator[Store | None]:
    """Hold the folder and begin a run in its store, where this process is the one that keeps results."""
    if not is_first():
        yield None
        return
    with begun(folder, _RUN, settings, here, config) as (store, record):
        mention_changes(record.provenance, here, display)
        yield store


def _tracker(wandb: WandbMode, project: str, folder: Path, display: Display) -> Tracker:
    logger = wandb_logger(wandb, project, folder.name, folder, display.say) if is_first() else None
    return Tracker(logger, display.say)


def _fingerprints(data: ImageData) -> dict[str, str]:
    return {name: data.splits[name].fingerprint() for name in ("train", "val")}
