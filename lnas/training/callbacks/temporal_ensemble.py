"""The mean of a training's last weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor

from lnas.errors import UsageError, complaint
from lnas.training.callbacks.epoch_ends import EpochEndCallback
from lnas.training.checkpoints import WholeFileCheckpointIO

Snapshot = Mapping[str, Tensor]


class TemporalEnsembleCallback(EpochEndCallback):
    """Keep the mean of a module's tensors over its last epochs: parameters and buffers, batch norm statistics included.

    Integers, such as counters of batches, take their maximum. The mean is computed anew, tensor by tensor and in double
    precision, when it is asked for: a running sum would need the oldest snapshot to be taken off all the same, and
    gather rounding errors that a resumed training does not have.

    A mean that slides needs each of the snapshots once more, when it leaves. They are kept in the host's memory, `last`
    copies, or as files in a folder: then memory holds none of them, only the mean while it is in use. Checkpoints hold
    them all, so that a training resumed from any of them goes on as if it had never stopped, whatever became of the
    folder; a checkpoint without this callback's state begins a new ensemble. With several processes each keeps its
    own, which differ in running statistics alone; checkpoints hold those of the first.

    Args:
        last: How many snapshots; until there are as many, the mean is over those there are.
        every_n_epochs: Epochs between two snapshots, each taken at an epoch's end.
        folder: Where snapshots are kept as files, one folder for each training; None keeps them in memory.

    Attributes:
        epochs: Those whose ends the mean is over, counted from 1, ascending.

    Raises:
        UsageError: If a number is less than 1; when the mean is asked for, if there is no snapshot yet.

    Source: Ning et al. 2021, "Evaluating Efficient Performance Estimators of Neural Architectures", Sec. 4;
    `average_supernets.py` of its code.
    """

    def __init__(self, last: int = 5, every_n_epochs: int = 1, folder: str | Path | None = None) -> None:
        super().__init__(every_n_epochs)
        if type(last) is not int or last < 1:
            call = f"TemporalEnsembleCallback(last={last!r})"
            raise UsageError(complaint(call, "last >= 1", last, "The study's ensembles are of 3 and 5."))
        self._last = last
        self._folder = None if folder is None else Path(folder)
        self._kept: dict[int, Snapshot | Path] = {}
        self._process = 0

    @property
    def epochs(self) -> list[int]:
        return list(self._kept)

    @property
    def last_epoch(self) -> int:
        return max(self._kept, default=0)

    def weights(self) -> dict[str, Tensor]:
        """Return the mean by the names of the module's state dict, on the CPU."""
        if not self._kept:
            step = f"The first is taken at the end of epoch {self._every}."
            raise UsageError(complaint("TemporalEnsembleCallback.weights()", "at least one snapshot", 0, step))
        snapshots = [_opened(kept) for kept in self._kept.values()]
        return {name: _mean([snapshot[name] for snapshot in snapshots]) for name in snapshots[0]}

    @contextmanager
    def swapped_in(self, module: pl.LightningModule) -> Iterator[None]:
        """Give the module the mean's tensors inside the block, and its own back after it, bit for bit.

        To save a supernet's ensemble for `OneShotEstimator`, save `module.net.state_dict()` inside.
        """
        mean = self.weights()
        own = module.state_dict()
        found = {name: tensor.clone() for name, tensor in own.items()}
        try:
            _copy(mean, own)
            yield
        finally:
            _copy(found, own)

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self._process = trainer.global_rank

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.global_step == 0:
            self._kept = {}

    def at_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule, epoch: int) -> None:
        tensors = {name: tensor.detach().to("cpu", copy=True) for name, tensor in pl_module.state_dict().items()}
        self._keep(epoch, tensors)

    def state_dict(self) -> dict[str, Any]:
        return {"snapshots": {epoch: dict(_opened(kept)) for epoch, kept in self._kept.items()}}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self._kept = {}
        for epoch, tensors in state_dict["snapshots"].items():
            self._keep(epoch, tensors)

    def _keep(self, epoch: int, tensors: Snapshot) -> None:
        """Keep a snapshot, and forget the one that is too old now."""
        if self._folder is None:
            self._kept[epoch] = tensors
        else:
            path = self._folder / f"process={self._process}-epoch={epoch}.pt"
            WholeFileCheckpointIO().save_checkpoint(dict(tensors), path)
            self._kept[epoch] = path
        while len(self._kept) > self._last:
            oldest = self._kept.pop(next(iter(self._kept)))
            if isinstance(oldest, Path):
                oldest.unlink(missing_ok=True)


def _opened(kept: Snapshot | Path) -> Snapshot:
    """Return a snapshot; one in a file is mapped into memory and read where it is needed."""
    if not isinstance(kept, Path):
        return kept
    try:
        return torch.load(kept, map_location="cpu", weights_only=True, mmap=True)
    except FileNotFoundError as error:
        step = "Resume from a checkpoint, which holds them all."
        raise UsageError(complaint("TemporalEnsembleCallback", f"the snapshot {kept}", "no file", step)) from error


def _mean(tensors: Sequence[Tensor]) -> Tensor:
    first = tensors[0]
    if not first.is_floating_point():
        return torch.stack(list(tensors)).amax(dim=0)
    total = torch.zeros_like(first, dtype=torch.float64)
    for tensor in tensors:
        total += tensor
    return (total / len(tensors)).to(first.dtype)


def _copy(source: Snapshot, target: Snapshot) -> None:
    with torch.no_grad():
        for name, tensor in target.items():
            tensor.copy_(source[name])
