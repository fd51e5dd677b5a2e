"""Image data as a LightningDataModule."""

from __future__ import annotations

import lightning.pytorch as pl
import numpy as np
import torch
from torch.utils.data import DataLoader

from lnas.data.batches import Batch, InOrder, Shuffled, batch_loader, prepare
from lnas.data.images import ImageData, Split, SplitName
from lnas.errors import UsageError, complaint
from lnas.seeds import derive_seed


class ImageDataModule(pl.LightningDataModule):
    """Serve the splits of an `ImageData` in batches, augmented (training only) and normalised on the device.

    Args:
        data: The images.
        batch_size: Images per training batch; a last smaller batch is dropped. Evaluation takes four times as many.
        seed: Decides the order of the training images, together with the epoch.
        augment: Whether training images are cropped and flipped as the data allows.
        tested: The split served as test batches.
    """

    def __init__(
        self, data: ImageData, batch_size: int, seed: int, augment: bool = True, tested: SplitName = "test"
    ) -> None:
        super().__init__()
        self._data = data
        self._batch_size = batch_size
        self._seed = seed
        self._augment = augment
        self._tested: SplitName = tested

    def train_dataloader(self) -> DataLoader[Batch]:
        split = self._data.splits["train"]
        return batch_loader(split, Shuffled(len(split), self._batch_size, self._seed))

    def val_dataloader(self) -> DataLoader[Batch]:
        return self._evaluation("val")

    def test_dataloader(self) -> DataLoader[Batch]:
        return self._evaluation(self._tested)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Augment and normalise where the batch lies."""
        training = self.trainer is not None and self.trainer.training
        return prepare(batch, self._data, augment=self._augment and training)

    def _evaluation(self, name: SplitName) -> DataLoader[Batch]:
        split = self._data.splits[name]
        return batch_loader(split, InOrder(len(split), 4 * self._batch_size))


class StepDataModule(pl.LightningDataModule):
    """Serve training batches that depend on the seed and the number of the step alone.

    A training that is resumed at any step sees the images, and draws the augmentations and dropout masks, of one that
    was never stopped. The images are moved to the device once; a step moves nothing. The batches that are accumulated
    into a step, and those of the processes of a distributed training, follow each other in the same order.

    Args:
        split: The images.
        data: Where they come from: their normalisation and augmentation.
        seed: Decides order, augmentation and whatever the network draws.
        steps: Steps of an epoch, as Lightning counts them; None is once through the images.
        batch_size: Images per step, shuffled anew in each pass, a last smaller batch dropped; None is all of them.
        augment: Whether each step sees the images cropped and flipped anew, as the data allows.
        held_out: Images of which `validation_batch` serves batches of the same kind, for what is decided on images that
            no weight is trained on.
    """

    def __init__(
        self,
        split: Split,
        data: ImageData,
        seed: int,
        steps: int | None,
        batch_size: int | None = None,
        augment: bool = True,
        held_out: Split | None = None,
    ) -> None:
        super().__init__()
        self._shown = _Shown(split, batch_size, seed)
        self._held_out = None if held_out is None else _Shown(held_out, batch_size, derive_seed(seed, "held out"))
        self._data = data
        self._seed = seed
        self._steps = steps or self._shown.batches
        self._augment = augment

    def train_dataloader(self) -> range:
        """Serve as many batches as each process takes in an epoch."""
        accumulated = 1 if self.trainer is None else self.trainer.accumulate_grad_batches
        return range(self.batches_per_epoch(self._processes, accumulated))

    def batches_per_epoch(self, processes: int, accumulated: int) -> int:
        """Return how many batches each of some processes takes in an epoch: whole steps of those that are accumulated.

        Raises:
            UsageError: If an epoch has fewer batches than are accumulated into a step.
        """
        batches = max(1, self._steps // processes)
        if accumulated > batches:
            expected = f"at most {batches}, the batches of an epoch"
            raise UsageError(complaint(f"accumulate={accumulated}", expected, accumulated, "Accumulate fewer."))
        return batches - batches % accumulated

    def transfer_batch_to_device(self, batch: int, device: torch.device, dataloader_idx: int) -> Batch:
        """Make the batch of the step that comes next, where the network lies."""
        assert self.trainer is not None
        step = self.trainer.global_step  # not `batch`: a loader begins anew when a training is resumed
        accumulated = self.trainer.accumulate_grad_batches
        number = (step * accumulated + batch % accumulated) * self._processes + self.trainer.global_rank
        torch.manual_seed(derive_seed(self._seed, "step", number))
        return prepare(self._shown.batch(number, device), self._data, self._augment)

    def validation_batch(self, step: int) -> Batch:
        """Make a batch of the images that were held out, where the network lies.

        Augmented like a training batch, since it trains what is decided on it. Its place in their order depends on the
        step and the process alone; generators of random numbers are left as found.

        Raises:
            UsageError: If none were held out.
        """
        if self._held_out is None:
            call, next_step = f"StepDataModule.validation_batch({step})", "Pass held_out=data.splits['val']."
            raise UsageError(complaint(call, "images that are held out", None, next_step))
        assert self.trainer is not None
        number = step * self._processes + self.trainer.global_rank
        device = self.trainer.strategy.root_device
        with torch.random.fork_rng([device] if device.type == "cuda" else []):
            torch.manual_seed(derive_seed(self._seed, "held out", number))
            return prepare(self._held_out.batch(number, device), self._data, self._augment)

    @property
    def _processes(self) -> int:
        return 1 if self.trainer is None else self.trainer.world_size


class _Shown:
    """The images of a split where they are needed, all of them or in batches that are shuffled anew in each pass."""

    def __init__(self, split: Split, batch_size: int | None, seed: int) -> None:
        self._images = torch.from_numpy(np.ascontiguousarray(split.images))
        self._labels = torch.from_numpy(np.ascontiguousarray(split.labels))
        self._order = Shuffled(len(split), batch_size, seed) if batch_size else None

    @property
    def batches(self) -> int:
        """How many a pass has."""
        return len(self._order) if self._order else 1

    def batch(self, number: int, device: torch.device) -> Batch:
        """Return a batch by its number, counted through all passes."""
        self._images, self._labels = self._images.to(device), self._labels.to(device)
        if self._order is None:
            return self._images, self._labels
        chosen = self._order.batch(number).to(device)
        return self._images[chosen], self._labels[chosen]
