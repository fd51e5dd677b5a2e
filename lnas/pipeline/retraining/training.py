"""Retrain chosen architectures, keep every number, resume anywhere."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

from lnas.data import DataProtocol, ImageData
from lnas.pipeline.display import Display
from lnas.pipeline.tracking import Tracker
from lnas.seeds import derive_seed
from lnas.store import Pick, Store, write_whole
from lnas.training import Retraining
from lnas.types import Arch, Estimate, describe


@dataclass(frozen=True)
class RetrainingProtocol:
    """Everything that decides a retraining's numbers, the seed apart."""

    net: Any
    data: DataProtocol
    splits: tuple[str, ...]
    recipe: Retraining

    @classmethod
    def of(cls, retraining: Retraining, net: Callable[[Arch, int], Any], data: ImageData) -> Self:
        """Collect what decides the numbers; reads the data for its fingerprint."""
        prints = tuple(data.splits[name].fingerprint() for name in ("train", "val", "test"))
        recipe = replace(retraining, repeats=1, accelerator="auto")  # neither decides a number
        return cls(describe(net), data.protocol, prints, recipe)


class Retrained(NamedTuple):
    """One training: what it reached, and its curves, series -> [(epoch, value), ...]."""

    estimates: Mapping[str, Estimate]
    curves: Mapping[str, Sequence[tuple[int, float]]]


def weights_folder(folder: Path, arch: Arch, seed: int) -> Path:
    """Return where a run in `folder` keeps one training's checkpoint and weights."""
    return folder / "retrain" / f"{str(arch).replace(':', '_')}-seed{seed}"


def retrain_picks(
    picks: Sequence[Pick],
    retraining: Retraining,
    net: Callable[[Arch, int], Any],
    data: ImageData,
    seed: int,
    store: Store,
    folder: Path,
    tracker: Tracker,
    display: Display,
) -> dict[Arch, list[Retrained]]:
    """Train each picked architecture as often as asked, going on where an earlier process stopped.

    The n-th training of an architecture has seed `seed + n`. Epochs that the store holds already are told to the
    tracker first, so that its curves are whole.
    """
    protocol = RetrainingProtocol.of(retraining, net, data)
    roles = {pick.arch: pick.role for pick in reversed(picks)}
    trainings = [(arch, seed + n) for arch in dict.fromkeys(p.arch for p in picks) for n in range(retraining.repeats)]
    steps = max(1, len(data.splits["train"]) // retraining.batch_size)
    known = {key: store.curves(protocol, *key) for key in trainings}
    done = sum(len(curves.get("train_loss", ())) for curves in known.values())
    results: dict[Arch, list[Retrained]] = {}
    with display.bar("retraining steps", len(trainings) * retraining.epochs * steps, done * steps) as advance:
        for arch, training_seed in trainings:
            group = f"retrain-{roles[arch]}-seed{training_seed}"
            log_epoch = partial(_log_epoch, tracker, group)
            tracker.group(group)
            before = _by_epoch(known[arch, training_seed])
            for epoch, numbers in before.items():
                log_epoch(epoch, numbers)
            estimates = retrain(
                arch,
                training_seed,
                retraining,
                protocol,
                net,
                data,
                store,
                weights_folder(folder, arch, training_seed),
                partial(_log_new_epoch, log_epoch, before),
                advance,
            )
            result = Retrained(estimates, store.curves(protocol, arch, training_seed))
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


def _by_epoch(curves: Mapping[str, Sequence[tuple[int, float]]]) -> dict[int, dict[str, float]]:
    epochs: dict[int, dict[str, float]] = {}
    for series, points in curves.items():
        for epoch, value in points:
            epochs.setdefault(epoch, {})[series] = value
    return dict(sorted(epochs.items()))


def retrain(
    arch: Arch,
    seed: int,
    retraining: Retraining,
    protocol: RetrainingProtocol,
    net: Callable[[Arch, int], Any],
    data: ImageData,
    store: Store,
    folder: Path,
    on_epoch: Callable[[int, Mapping[str, float]], None],
    on_step: Callable[[], None],
) -> dict[str, Estimate]:
    """Train one architecture once, or return what the store already holds of it.

    Args:
        arch: What to train.
        seed: Decides initial weights, order, augmentation.
        retraining: The recipe.
        protocol: Its protocol, under which the numbers are kept.
        net: Builds the network.
        data: The task.
        store: Keeps the curves of each epoch and, at the end, `test_acc`, `test_loss`, `val_acc`, `val_loss`.
        folder: Keeps the checkpoint of the last epoch and, at the end, `weights.safetensors`.
        on_epoch: Told the number of each finished epoch, from 1, and its numbers.
        on_step: Told of every training step.

    Returns:
        The estimates kept in the store; accuracies are fractions.
    """
    weights = folder / "weights.safetensors"
    known = store.estimates(protocol, arch, seed)
    if known and weights.is_file():
        (folder / "last.ckpt").unlink(missing_ok=True)
        return known

    import safetensors.torch

    from lnas.data.module import ImageDataModule
    from lnas.nets import isolated_randomness
    from lnas.training import fit, honest_signals, measure, quiet_lightning
    from lnas.training.callbacks import StepCallback

    def keep(epoch: int, numbers: Mapping[str, float]) -> None:
        store.add_curve_points(protocol, arch, seed, epoch, numbers)
        on_epoch(epoch, numbers)

    folder.mkdir(parents=True, exist_ok=True)
    with isolated_randomness(derive_seed(seed, arch, "retraining")), quiet_lightning(), honest_signals():
        network = net(arch, data.num_classes)
        batches = ImageDataModule(data, retraining.batch_size, derive_seed(seed, arch, "batches"), retraining.augment)
        fitted = fit(
            network,
            data.num_classes,
            batches,
            retraining,
            derive_seed(seed, arch, "epochs"),
            on_epoch=keep,
            folder=folder,
            callbacks=[StepCallback(on_step)],
        )
        tested = measure(fitted, batches)
    tensors = {name: tensor.contiguous().clone() for name, tensor in network.state_dict().items()}
    write_whole(weights, safetensors.torch.save(tensors))
    curves = store.curves(protocol, arch, seed)
    seconds = sum(value for _, value in curves["seconds"])
    final = {
        "test_acc": tested.accuracy,
        "test_loss": tested.loss,
        "val_acc": curves["val_acc"][-1][1],
        "val_loss": curves["val_loss"][-1][1],
    }
    if not math.isfinite(tested.loss):
        final = dict.fromkeys(final, math.nan)  # the accuracy of a network that gives no numbers is none
    store.add(protocol, arch, seed, {name: Estimate.of(value, seconds) for name, value in final.items()})
    (folder / "last.ckpt").unlink(missing_ok=True)
    return store.estimates(protocol, arch, seed)
