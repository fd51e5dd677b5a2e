"""Fit a supernet under a Trainer, going on where a folder holds a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl

from lnas.errors import UsageError, complaint
from lnas.nets.training_forwards import depthwise_forwards, training_forwards
from lnas.proxies.substitution import substituted
from lnas.training.callbacks.keeping import LAST
from lnas.training.checkpoints import WholeFileCheckpointIO
from lnas.training.trainers import honest_signals, quiet_lightning

_DISTRIBUTED = "ddp_find_unused_parameters_true"


@dataclass(frozen=True)
class Hardware:
    """Where a supernet is trained, and how exactly.

    Args:
        accelerator: As for a Lightning Trainer.
        devices: How many; each has a process of its own and batches of its own, and all train the same paths.
        precision: As for a Lightning Trainer.
    """

    accelerator: str = "auto"
    devices: int = 1
    precision: str = "32-true"


def check_hardware(hardware: Hardware) -> None:
    """Raise `UsageError` where nothing can be trained so."""
    try:
        with quiet_lightning():
            _trainer(hardware, logger=False)
    except Exception as error:  # Lightning raises errors of many kinds
        reason = " ".join(str(error).split())
        raise UsageError(complaint(f"{hardware}", "hardware of this machine", reason, "Change it.")) from error


def _trainer(hardware: Hardware, **options: Any) -> pl.Trainer:
    precision: Any = hardware.precision
    return pl.Trainer(
        accelerator=hardware.accelerator,
        devices=hardware.devices,
        strategy=_DISTRIBUTED if hardware.devices > 1 else "auto",
        precision=precision,
        **options,
    )


ANYWHERE = Hardware()
"""One device, the best of this machine, in single precision."""


def fit_supernet(
    module: pl.LightningModule,
    data: pl.LightningDataModule,
    epochs: int,
    callbacks: Sequence[pl.Callback],
    folder: Path | None = None,
    accumulated: int = 1,
    hardware: Hardware = ANYWHERE,
) -> pl.Trainer:
    """Train to the end of an epoch.

    Args:
        module: Trained in place; its supernet is computed with less work, by `training_forwards`.
        data: Serves training batches, such as `StepDataModule`.
        epochs: Counted from the beginning of the training.
        callbacks: What is measured and kept; `KeepTraining` writes what the training goes on from.
        folder: If it holds `last.ckpt`, the training goes on from there, as if it had never stopped.
        accumulated: Batches that are accumulated into a step.
        hardware: Where.

    Returns:
        The Trainer, at rest.

    Raises:
        UsageError: If a module that makes its steps itself is to accumulate batches.
    """
    if accumulated > 1 and not module.automatic_optimization:
        call, step = f"accumulate={accumulated}", f"{type(module).__name__} takes a step for each batch."
        raise UsageError(complaint(call, "accumulate=1", accumulated, step))
    last = None if folder is None else folder / LAST
    with quiet_lightning(), honest_signals():
        trainer = _trainer(
            hardware,
            max_epochs=epochs,
            accumulate_grad_batches=accumulated,
            callbacks=list(callbacks),
            plugins=[WholeFileCheckpointIO()],
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
            default_root_dir=folder,
        )
        with substituted(training_forwards(module) | depthwise_forwards(module)):
            trainer.fit(module, datamodule=data, ckpt_path=str(last) if last and last.is_file() else None)
    return trainer
