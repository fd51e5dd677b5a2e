"""Trainers as lnas uses them."""

from __future__ import annotations

import logging
import signal
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import lightning.pytorch as pl

from lnas.errors import TERMINATED
from lnas.training.checkpoints import WholeFileCheckpointIO


def short_trainer(
    callbacks: Sequence[pl.Callback], *, steps: int = -1, epochs: int = -1, accelerator: str = "auto"
) -> pl.Trainer:
    """Return a Trainer on one device that only trains: no logs, bars, sanity checks, and checkpoints on demand only.

    Args:
        callbacks: What is measured.
        steps: How many steps; -1 is no limit.
        epochs: How many epochs; -1 is no limit.
        accelerator: As for a Lightning Trainer.
    """
    return pl.Trainer(
        barebones=True,
        accelerator=accelerator,
        devices=1,
        max_steps=steps,
        max_epochs=epochs,
        callbacks=list(callbacks),
        plugins=[WholeFileCheckpointIO()],
    )


@contextmanager
def honest_signals() -> Iterator[None]:
    """Let an interrupt during a Trainer's work reach the caller as what it was.

    Lightning turns SIGINT into `sys.exit(1)` and ignores it from then on, and SIGTERM into an exit with status 0, which
    a batch system takes for success.
    """
    main_thread = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGINT) if main_thread else None
    try:
        yield
    except SystemExit as error:
        if main_thread:
            signal.signal(signal.SIGINT, handler)
        if isinstance(error.__context__, KeyboardInterrupt):
            raise KeyboardInterrupt from None
        raise SystemExit(TERMINATED) from None


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Hold back what Lightning says about devices and settings that lnas chose on purpose."""
    loggers = [logging.getLogger(name) for name in ("lightning.pytorch", "lightning.fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        for message in _EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", message=message)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


_EXPECTED_WARNINGS = (
    r".*does not have many workers.*",  # images lie in memory, so workers would only copy them
    r"You defined a `validation_step` but have no `val_dataloader`.*",  # a short training does not validate
    r".*exists and is not empty.*",  # a resumed retraining writes where it wrote before
    r".*`Trainer\.fit` stopped.*",
    r".*smaller than the logging interval.*",
    r"You're resuming from a checkpoint that ended before.*",  # what a step sees depends on its number alone
    r"Using ModelCheckpoint with manual optimization.*",  # the state after the step is what is to be saved
    r"It is recommended to use `self\.log.*",  # what is logged was averaged over the processes before
    r".*LeafSpec.*",  # raised inside Lightning by newer PyTorch
)
