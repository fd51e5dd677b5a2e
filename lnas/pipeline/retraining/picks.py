"""Train what was picked, each as often as asked, telling the tracker as it comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from lnas.pipeline.display import Display
from lnas.pipeline.retraining.task import Task
from lnas.pipeline.retraining.training import Curves, Retrained, train_in_full, weights_folder
from lnas.pipeline.tracking import Tracker
from lnas.store import Pick, Store
from lnas.types import Arch


def retrain_picks(
    picks: Sequence[Pick], task: Task, seed: int, store: Store, folder: Path, tracker: Tracker, display: Display
) -> dict[Arch, list[Retrained]]:
    """Train each picked architecture as often as asked, going on where an earlier process stopped.

    The n-th training of an architecture has seed `seed + n`. Epochs that the store holds already are told to the
    tracker first, so that its curves are whole.
    """
    from lnas.training.callbacks import StepCallback

    recipe = task.recipe
    roles = {pick.arch: pick.role for pick in reversed(picks)}
    trainings = [(arch, seed + n) for arch in dict.fromkeys(p.arch for p in picks) for n in range(recipe.repeats)]
    steps = max(1, task.trained_images // recipe.batch_size)
    known = {key: store.curves(task.protocol, *key) for key in trainings}
    done = sum(len(curves.get("train_loss", ())) for curves in known.values())
    results: dict[Arch, list[Retrained]] = {}
    with display.bar("retraining steps", len(trainings) * recipe.epochs * steps, done * steps) as advance:
        for arch, training_seed in trainings:
            group = f"retrain-{roles[arch]}-seed{training_seed}"
            log_epoch = partial(_log_epoch, tracker, group)
            tracker.group(group)
            before = _by_epoch(known[arch, training_seed])
            for epoch, numbers in before.items():
                log_epoch(epoch, numbers)
            estimates = train_in_full(
                arch,
                training_seed,
                task,
                store,
                weights_folder(folder, arch, training_seed),
                partial(_log_new_epoch, log_epoch, before),
                [StepCallback(advance)],
            )
            result = Retrained(estimates, store.curves(task.protocol, arch, training_seed))
            results.setdefault(arch, []).append(result)
    return results


def _log_epoch(tracker: Tracker, group: str, epoch: int, numbers: Mapping[str, float]) -> None:
    tracker.numbers({f"{group}/{name}": value for name, value in numbers.items()}, step=epoch)


def _log_new_epoch(
    log_epoch: Callable[[int, Mapping[str, float]], None],
    before: Mapping[int, Mapping[str, float]],
    epoch: int,
    numbers: Mapping[str, float],
) -> None:
    """Log an epoch unless it was before: one that was killed before its checkpoint is trained again."""
    if epoch not in before:
        log_epoch(epoch, numbers)


def _by_epoch(curves: Curves) -> dict[int, dict[str, float]]:
    epochs: dict[int, dict[str, float]] = {}
    for series, points in curves.items():
        for epoch, value in points:
            epochs.setdefault(epoch, {})[series] = value
    return dict(sorted(epochs.items()))
