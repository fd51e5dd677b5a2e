"""One training in full: resumable anywhere, every number kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lnas.nets.trained_file import MODEL, write_trained
from lnas.pipeline.exporting.trained import trained_net
from lnas.pipeline.processes import is_first
from lnas.pipeline.retraining.predictions import Predictions, write_predictions
from lnas.pipeline.retraining.task import Task
from lnas.seeds import derive_seed
from lnas.store import Store, write_whole
from lnas.types import Arch, Estimate

if TYPE_CHECKING:
    from lightning.pytorch import Callback

    from lnas.training.callbacks.progress import EpochSink

LAST, BEST = "weights.safetensors", "best.safetensors"
"""Weights of the last epoch, which are tested, and of that with the highest validation accuracy."""

Curves = Mapping[str, Sequence[tuple[int, float]]]
"""Series -> [(epoch, value), ...]; epochs are counted from 1."""

_CHECKPOINTS = ("last.ckpt", "best.ckpt")
_MEASURED = ("test_acc", "test_loss", "val_acc", "val_loss")


class Retrained(NamedTuple):
    """One training: what it reached, and its curves."""

    estimates: Mapping[str, Estimate]
    curves: Curves


def weights_folder(folder: Path, arch: Arch, seed: int) -> Path:
    """Return where a run in `folder` keeps one training's checkpoint and weights."""
    return folder / "retrain" / f"{str(arch).replace(':', '_')}-seed{seed}"


def train_in_full(
    arch: Arch, seed: int, task: Task, store: Store, folder: Path, on_epoch: EpochSink, callbacks: Sequence[Callback]
) -> dict[str, Estimate]:
    """Train one architecture once, or return what the store already holds of it.

    Args:
        arch: What to train.
        seed: Decides initial weights, order, augmentation.
        task: On what, and how.
        store: Keeps the curves of each epoch and, at the end, `test_acc`, `test_acc5`, `test_loss`, and the last
            `val_acc`, `val_acc5`, `val_loss`.
        folder: Keeps the checkpoint of the last epoch and, at the end, `weights.safetensors`, those of the epoch with
            the highest validation accuracy as `best.safetensors`, `model.json` and `predictions.parquet`.
        on_epoch: Told the number of each finished epoch, from 1, and its numbers.
        callbacks: More callbacks, such as a progress bar.

    Returns:
        The estimates kept in the store; accuracies are fractions. Those of a training that diverged have failed; they
        are not kept, and its checkpoint is that of the last epoch with finite numbers. Of several processes, the others
        return what the first has kept so far.
    """
    known = store.estimates(task.protocol, arch, seed)
    if known and (folder / LAST).is_file():
        _conclude(arch, seed, task, store, folder)
        return known

    from lnas.nets import isolated_randomness
    from lnas.training import fit, honest_signals, measure, quiet_lightning
    from lnas.training.callbacks.divergence import DivergedError
    from lnas.training.callbacks.predictions import PredictionsCallback
    from lnas.training.fitting import batches_of, holding
    from lnas.training.trial_pass import require_outputs

    def keep(epoch: int, numbers: Mapping[str, float]) -> None:
        store.add_curve_points(task.protocol, arch, seed, epoch, numbers)
        on_epoch(epoch, numbers)

    folder.mkdir(parents=True, exist_ok=True)
    recipe, predicted = task.recipe, PredictionsCallback()
    with isolated_randomness(derive_seed(seed, arch, "retraining")), quiet_lightning(), honest_signals():
        network = task.network(arch)
        require_outputs(network, task.data)
        batches = batches_of(recipe, task.data, derive_seed(seed, arch, "batches"), workers=task.workers)
        try:
            fitted = fit(
                network,
                task.data.num_classes,
                batches,
                recipe,
                derive_seed(seed, arch, "epochs"),
                on_epoch=keep,
                folder=folder,
                callbacks=[*callbacks, predicted],
            )
        except DivergedError as error:
            seconds = _seconds(store.curves(task.protocol, arch, seed))
            return dict.fromkeys(_MEASURED, Estimate.failure(error, seconds))
        tested = measure(fitted, batches)
        if not is_first():
            return store.estimates(task.protocol, arch, seed)
        if recipe.trained_on == "train":
            with holding(fitted, "best") as best:
                _write_weights(folder / BEST, best)
    write_predictions(folder, Predictions(*(column.numpy() for column in predicted.predictions)))
    _write_weights(folder / LAST, network)
    curves = store.curves(task.protocol, arch, seed)
    reached = {"test_acc": tested.accuracy, "test_acc5": tested.accuracy5, "test_loss": tested.loss}
    reached |= {name: curves[name][-1][1] for name in ("val_acc", "val_acc5", "val_loss") if name in curves}
    if not math.isfinite(tested.loss):
        reached = dict.fromkeys(reached, math.nan)  # the accuracy of a network that gives no numbers is none
    estimates = {name: Estimate.of(value, _seconds(curves)) for name, value in reached.items() if value is not None}
    store.add(task.protocol, arch, seed, estimates)
    _conclude(arch, seed, task, store, folder)
    return store.estimates(task.protocol, arch, seed)


def _conclude(arch: Arch, seed: int, task: Task, store: Store, folder: Path) -> None:
    """Describe the weights, so that others can rebuild their network, and let go of what a training goes on from."""
    if not is_first():
        return
    if not (folder / MODEL).is_file():
        known, curves = store.estimates(task.protocol, arch, seed), store.curves(task.protocol, arch, seed)
        reached = {name: item.value for name, item in known.items()}
        epoch = len(curves.get("train_loss", ()))
        write_trained(folder, trained_net(arch, task.net, task.data, reached, task.recipe, seed, epoch), LAST)
    for name in _CHECKPOINTS:
        (folder / name).unlink(missing_ok=True)


def _seconds(curves: Curves) -> float:
    return sum(value for _, value in curves.get("seconds", ()))


def _write_weights(file: Path, network: Any) -> None:
    import safetensors.torch

    tensors = {name: tensor.contiguous().clone() for name, tensor in network.state_dict().items()}
    write_whole(file, safetensors.torch.save(tensors))
