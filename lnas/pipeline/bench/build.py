"""`lnas bench build`: a tabular benchmark of any space, data and recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from lnas.benchmarks import MEAN, AccuracyKey, TabularBenchmark, write_table
from lnas.benchmarks.rows import Standing
from lnas.data import ImageData
from lnas.errors import RunError, UsageError, complaint
from lnas.execution import Executor, local_executor
from lnas.nets import BENCHMARK_NET, NetBuilder
from lnas.pipeline.bench.card import card_text
from lnas.pipeline.bench.table import Training, assemble_table
from lnas.pipeline.bench.training import SPLITS, BenchmarkProtocol, BenchmarkTraining, TrainingTask, failed_training
from lnas.pipeline.display import Display
from lnas.pipeline.options import check_at_least, check_seed
from lnas.pipeline.provenance import provenance
from lnas.pipeline.resuming import begun, mention_changes
from lnas.seeds import derive_seed
from lnas.spaces import NatsTopologySpace, SearchSpace
from lnas.store import Store, write_whole
from lnas.threads import limited_threads
from lnas.training import Retraining
from lnas.training.recipe import check_retraining
from lnas.types import Arch, Estimate, describe

_LISTABLE = 1_000_000
_REASONS_SAID = 3


def build_benchmark(
    data: ImageData,
    name: str,
    space: SearchSpace | None = None,
    net: NetBuilder | Callable[[Arch, int], Any] = BENCHMARK_NET,
    training: Retraining | None = None,
    row: Standing = "isomorphic",
    limit: int | None = None,
    repeated: int | None = None,
    processes: int = 1,
    threads: int = 1,
    edition: str = "1.0",
    licence: str = "That of the data.",
    seed: int = 0,
    output: str = "results/benchmark",
    quiet: bool = False,
    config: str | None = None,
) -> TabularBenchmark:
    """Train the architectures of a space, every class of twins once, and make a table of what they reach.

    Writes OUTPUT/NAME.parquet, which `load_benchmark(NAME, path)` reads, and OUTPUT/NAME.md, its card. Every training
    is kept in OUTPUT/store.sqlite when it ends: killed and started again with the same command, the build goes on where
    it was, and with a larger LIMIT or REPEATED it extends the table.

    Args:
        data: Images to train, validate and test on.
        name: What the benchmark is called.
        space: Whose architectures are trained; the NATS topology space if not given.
        net: Builds the network of an architecture: options of the benchmark's own, or a callable of yours.
        training: The recipe; its repeats are the seeds.
        row: What a row stands for: isomorphic or functional (NATS topology) classes are trained once each, architecture
            trains twins, too.
        limit: How many rows at most, drawn in an order that the seed decides; all if not given.
        repeated: How many of them are trained with every seed; the others have the first seed only. All if not given.
        processes: Trainings at a time, each in a process of its own; 1 trains in this one.
        threads: Of each training; bears on the last digits.
        edition: Of the benchmark; with its name, the release in every key.
        licence: Of the numbers, for the card.
        seed: The first seed of the trainings, and the order of the rows.
        output: Folder for store, table and card.
        quiet: Print errors only.
        config: Text kept as OUTPUT/config.yaml, to replay the build.

    Returns:
        The table.

    Raises:
        UsageError: If the arguments contradict each other or the data, or OUTPUT holds a build with other settings.
        RunError: If OUTPUT cannot be written, another process works in it, or no training reached an accuracy.
    """
    space = space or NatsTopologySpace()
    recipe = training or Retraining()
    display = Display(quiet)
    check_retraining(recipe)
    _check_recipe(recipe)
    check_at_least(limit=(limit, 1), repeated=(repeated, 0), processes=(processes, 1), threads=(threads, 1))
    check_seed(seed)
    _check_names(name, edition, data.name)
    chosen = _choose(space, row, limit, seed)
    tasks = list(_tasks(chosen, recipe.repeats, repeated, seed))
    one = replace(recipe, repeats=1)
    protocol = BenchmarkProtocol.of(one, net, data)
    settings = {"space": describe(space), "protocol": describe(protocol), "row": row, "seed": seed}
    folder = Path(output)
    here = provenance() | {"threads": threads}
    with begun(folder, "benchmark", settings, here, config) as (store, record):
        mention_changes(record.provenance, here, display)
        executor = local_executor(processes, threads)
        with limited_threads(threads):
            trained = _train(tasks, BenchmarkTraining(net, data, one), protocol, executor, store, display)
        trainings = [Training(*task, estimates) for task, estimates in trained.items()]
        failed = [training for training in trainings if not training.is_complete]
        if len(failed) == len(trainings):
            raise RunError(f"benchmark {name!r}: no training reached an accuracy; the first: {failed[0].reason}.")
        made = settings | {"data": _options(data), "provenance": record.provenance}
        table = assemble_table(name, edition, space, row, data, one.epochs, trainings, licence, made)
        write_whole(folder / f"{name}.parquet", write_table(table, row))
        write_whole(folder / f"{name}.md", card_text(table, _minutes(trainings)).encode())
        store.finish_run("benchmark", f"{len(trainings)} trainings")
    for each in failed[:_REASONS_SAID]:
        display.say(f"{each.arch}, seed {each.seed}: {each.reason}")
    display.say(f"Table: {folder / f'{name}.parquet'} ({len(table):,} rows, {len(failed)} trainings without a number)")
    display.say(f"Card:  {folder / f'{name}.md'}")
    return table


def _check_recipe(recipe: Retraining) -> None:
    """Raise `UsageError` for what a table has no place for."""
    if recipe.trained_on != "train":
        call, step = f"training.trained_on={recipe.trained_on!r}", "A table has accuracies of held-out images."
        raise UsageError(complaint(call, "'train'", recipe.trained_on, step))
    if recipe.devices > 1:
        call, step = f"training.devices={recipe.devices}", "Trainings go side by side: --processes."
        raise UsageError(complaint(call, "1 device for each training", recipe.devices, step))


def _check_names(name: str, edition: str, dataset: str) -> None:
    """Raise `UsageError` where a key of the benchmark could not be written, before anything is trained for it."""
    try:
        AccuracyKey(f"{name}-{edition}", dataset, SPLITS[0], 1, MEAN)
    except UsageError as error:
        call = f"name={name!r}, edition={edition!r}, data {dataset!r}"
        expected = "names of letters, digits and _.-, a letter or digit first"
        raise UsageError(complaint(call, expected, f"{name}-{edition}/{dataset}", "Rename it.")) from error


def _choose(space: SearchSpace, row: Standing, limit: int | None, seed: int) -> list[Arch]:
    """Return what is trained, in the order in which it is."""
    if row == "functional" and not isinstance(space, NatsTopologySpace):
        raise UsageError(complaint(f"row={row!r}", f"a sense that {space.name!r} has", row, "Use isomorphic."))
    rng = np.random.default_rng(derive_seed(seed, "benchmark rows"))
    count, draw = (space.size, space.sample) if row == "architecture" else (space.class_count, space.sample_class)
    if count <= _LISTABLE:
        archs = list(_members(space, row))
        return [archs[k] for k in rng.permutation(len(archs))[:limit]]
    if limit is None:
        expected = f"a limit for a space of {count:.2e} rows"
        raise UsageError(complaint("limit", expected, limit, "Example: --limit 1000."))
    drawn: dict[Arch, None] = {}
    while len(drawn) < min(limit, count):
        drawn[draw(rng)] = None
    return list(drawn)


def _members(space: SearchSpace, row: Standing) -> Iterator[Arch]:
    if row == "architecture":
        return space.archs()
    return space.classes(row) if isinstance(space, NatsTopologySpace) else space.classes()


def _tasks(archs: list[Arch], repeats: int, repeated: int | None, seed: int) -> Iterator[TrainingTask]:
    """Yield the trainings, those with several seeds first, so that a build cut short is still a fair sample."""
    for number, arch in enumerate(archs):
        for n in range(repeats if repeated is None or number < repeated else 1):
            yield TrainingTask(arch, seed + n)


def _train(
    tasks: list[TrainingTask],
    training: BenchmarkTraining,
    protocol: BenchmarkProtocol,
    executor: Executor,
    store: Store,
    display: Display,
) -> dict[TrainingTask, Mapping[str, Estimate]]:
    """Do the trainings that the store does not hold yet; those that failed are tried again. Return what all gave."""
    trained: dict[TrainingTask, Mapping[str, Estimate]] = {task: store.estimates(protocol, *task) for task in tasks}
    left = [task for task, estimates in trained.items() if not _is_known(estimates)]
    with display.bar("trainings", len(tasks), len(tasks) - len(left)) as advance:
        for done in executor.run(training, left):
            if isinstance(done.error, UsageError):
                raise done.error  # the others would fare no better
            trained[done.task] = failed_training(done.error) if done.error else done.result or {}
            store.add(protocol, *done.task, trained[done.task])
            advance()
    return trained


def _is_known(estimates: Mapping[str, Estimate]) -> bool:
    return bool(estimates) and all(estimate.status != "failed" for estimate in estimates.values())


def _minutes(trainings: list[Training]) -> float:
    return sum(training.estimates["test_acc"].seconds for training in trainings) / 60


def _options(data: ImageData) -> dict[str, Any]:
    """Return the class of a data set and the plain values that it was made with."""
    plain = {key.lstrip("_"): value for key, value in vars(data).items() if isinstance(value, int | float | str)}
    return {"class": describe(type(data)), **plain}
