"""Train an architecture's network in full, resumable at every epoch where a folder is given."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, NamedTuple

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.utilities import rank_zero_only
from torch import nn

from lnas.data import ImageData, SplitName
from lnas.data.module import ImageDataModule
from lnas.errors import UsageError, complaint
from lnas.nets.training_forwards import depthwise_forwards, training_forwards
from lnas.proxies.substitution import substituted
from lnas.training.callbacks import EpochCallback, SeedEpochs
from lnas.training.callbacks.best import BEST, KeepBest
from lnas.training.callbacks.divergence import StopAtDivergence
from lnas.training.callbacks.drop_path import DropPathSchedule
from lnas.training.callbacks.keeping import LAST
from lnas.training.callbacks.patience import Patience
from lnas.training.callbacks.progress import EpochSink
from lnas.training.candidate_module import CandidateModule
from lnas.training.checkpoints import WholeFileCheckpointIO
from lnas.training.recipe import Compiler, Layout, Retraining

Weights = Literal["last", "best"]

_DISTRIBUTED = "ddp_find_unused_parameters_true"  # cells have dead edges
_LAYOUTS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class Fitted(NamedTuple):
    """A trained module, the Trainer that measures it, and the folder of its checkpoints, if any."""

    module: CandidateModule
    trainer: pl.Trainer
    folder: Path | None = None


class Measured(NamedTuple):
    """A module on one split: accuracy as a fraction, mean cross-entropy, wall time, and accuracy among the top five.

    The last is None where there are not more than five classes.
    """

    accuracy: float
    loss: float
    seconds: float
    accuracy5: float | None = None


def batches_of(
    recipe: Retraining, data: ImageData, seed: int, tested: SplitName = "test", workers: int = 0
) -> ImageDataModule:
    """Serve images as a recipe says: its `augment`, `augmentation`, `batch_size` and `trained_on`.

    Args:
        recipe: How images are trained on.
        data: The images.
        seed: Decides their order, and what changes them one by one.
        tested: The split served as test batches.
        workers: Processes that load images, where they lie in files; 0 is this one.
    """
    return ImageDataModule(
        data,
        recipe.batch_size,
        seed,
        recipe.augment,
        tested,
        augmentation=recipe.augmentation,
        trained_on=recipe.trained_on,
        workers=workers,
    )


def fit(
    net: nn.Module,
    num_classes: int,
    data: pl.LightningDataModule,
    recipe: Retraining,
    seed: int,
    on_epoch: EpochSink,
    folder: Path | None = None,
    callbacks: Iterable[pl.Callback] = (),
) -> Fitted:
    """Train for all epochs, validating after each where images are held out.

    Of the recipe, `augment`, `augmentation`, `batch_size` and `trained_on` are the data's to heed: `batches_of` does.

    Args:
        net: Trained in place. With `recipe.ema` it ends with the averaged weights, which were validated.
        num_classes: Number of classes.
        data: Serves train and val batches; of several processes, to each its part of the same batches.
        recipe: How.
        seed: Decides augmentation and dropout, together with the epoch.
        on_epoch: Takes the numbers of each epoch, in the first process if there are several.
        folder: Where `last.ckpt` is kept, and `best.ckpt` of the highest validation accuracy, the first of equals. A
            training that is found there is gone on from, and ends with the very weights that an uninterrupted one has
            (on the same machine, with as many threads). None keeps no checkpoint.
        callbacks: More callbacks, such as a progress bar.

    Raises:
        UsageError: If the network has no auxiliary classifier, or no drop-path, that the recipe asks for.
        DivergedError: If a loss or a weight is not finite any more, where a folder is given: its checkpoints stay as
            they were before. Without a folder the training goes on.
    """
    _require_parts(net, recipe)
    module = CandidateModule(
        _laid_out(net, recipe.layout),
        num_classes,
        recipe.make_optimizer,
        recipe.make_schedule,
        schedule_every=recipe.step_every,
        label_smoothing=recipe.label_smoothing,
        auxiliary_weight=recipe.auxiliary_weight,
        ema=recipe.ema,
    )
    own = [SeedEpochs(seed), *_of_recipe(recipe), *_keeping(recipe, folder)]
    trainer = _trainer(recipe, folder, [*own, EpochCallback(rank_zero_only(on_epoch)), *callbacks])
    last = None if folder is None else folder / LAST
    with _faster(module, recipe.compile):
        trainer.fit(module, datamodule=data, ckpt_path=str(last) if last and last.is_file() else None)
    _take_average(module)
    return Fitted(module, trainer, folder)


def measure(fitted: Fitted, data: pl.LightningDataModule, weights: Weights = "last") -> Measured:
    """Measure a trained module on what `data` serves as test batches.

    Args:
        fitted: What `fit` returned.
        data: Its test batches.
        weights: Of the last epoch, or of that with the highest validation accuracy, averaged ones where the recipe
            says so.

    Raises:
        UsageError: As `holding`.
    """
    started = time.perf_counter()
    with holding(fitted, weights):
        numbers = fitted.trainer.test(fitted.module, datamodule=data, verbose=False)[0]
    seconds = time.perf_counter() - started
    return Measured(numbers["test_acc"], numbers["test_loss"], seconds, numbers.get("test_acc5"))


@contextmanager
def holding(fitted: Fitted, weights: Weights) -> Iterator[nn.Module]:
    """Let the trained network hold the weights of the last or the best epoch inside the block.

    Raises:
        UsageError: If the best are asked for and none were kept.
    """
    module, folder = fitted.module, fitted.folder
    if weights == "last":
        yield module.net
        return
    if folder is None or not (folder / BEST).is_file():
        step = "They are kept in a folder, where images are held out."
        raise UsageError(complaint("measure(weights='best')", BEST, folder and str(folder), step))
    last = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    module.load_state_dict(WholeFileCheckpointIO().load_checkpoint(folder / BEST)["state_dict"])
    _take_average(module)
    try:
        yield module.net
    finally:
        module.load_state_dict(last)


def _require_parts(net: nn.Module, recipe: Retraining) -> None:
    if recipe.drop_path and not hasattr(net, "set_drop_path"):
        call, step = f"Retraining(drop_path={recipe.drop_path})", "Set it to 0."
        raise UsageError(complaint(call, "a network with `set_drop_path`", type(net).__name__, step))
    if recipe.auxiliary_weight and getattr(net, "auxiliary", None) is None:
        call, step = f"Retraining(auxiliary_weight={recipe.auxiliary_weight})", "Build it so, or set the weight to 0."
        raise UsageError(complaint(call, "a network with auxiliary=True", type(net).__name__, step))


def _laid_out(net: nn.Module, layout: Layout) -> nn.Module:
    return net if layout == "measured" else net.to(memory_format=_LAYOUTS[layout])


def _of_recipe(recipe: Retraining) -> list[pl.Callback]:
    drop_path = [DropPathSchedule(recipe.drop_path)] if recipe.drop_path else []
    patience = [] if recipe.patience is None else [Patience(recipe.patience)]
    return [*drop_path, *patience]


def _keeping(recipe: Retraining, folder: Path | None) -> list[pl.Callback]:
    """Make what keeps checkpoints, and keeps them good; of those that write, the last epoch's comes last."""
    if folder is None:
        return []
    best = [KeepBest(folder)] if recipe.trained_on == "train" else []
    name = LAST.removesuffix(".ckpt")
    last = ModelCheckpoint(dirpath=folder, filename=name, save_on_train_epoch_end=True, enable_version_counter=False)
    return [StopAtDivergence(), *best, last]


def _trainer(recipe: Retraining, folder: Path | None, callbacks: list[pl.Callback]) -> pl.Trainer:
    precision: Any = recipe.precision
    return pl.Trainer(
        accelerator=recipe.accelerator,
        devices=recipe.devices,
        strategy=_DISTRIBUTED if recipe.devices > 1 else "auto",
        precision=precision,
        max_epochs=recipe.epochs,
        accumulate_grad_batches=recipe.accumulate,
        gradient_clip_val=recipe.gradient_clip,
        limit_val_batches=1.0 if recipe.trained_on == "train" else 0,
        use_distributed_sampler=False,
        callbacks=callbacks,
        plugins=[WholeFileCheckpointIO()],
        logger=False,
        enable_checkpointing=folder is not None,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )


@contextmanager
def _faster(module: CandidateModule, compiler: Compiler) -> Iterator[None]:
    """Let the training passes compute the same with less work, as long as they are trained."""
    if compiler == "off":
        with substituted(training_forwards(module) | depthwise_forwards(module)):
            yield
        return
    with substituted(depthwise_forwards(module)):
        vars(module)["training_logits"] = torch.compile(module.training_logits, backend=compiler)
        try:
            yield
        finally:
            del vars(module)["training_logits"]


def _take_average(module: CandidateModule) -> None:
    if module.average is not None:
        module.net.load_state_dict(module.measured.state_dict())
