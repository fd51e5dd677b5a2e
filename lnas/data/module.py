"""Image data as a LightningDataModule."""

from __future__ import annotations

from typing import Literal

import lightning.pytorch as pl
import numpy as np
import torch
from torch.utils.data import DataLoader

from lnas.data.augmentation import PLAIN, Augmentation
from lnas.data.augmenting import cutout, erase, mix
from lnas.data.batches import WHOLE, Batch, InOrder, Numbered, Shard, Shuffled, SplitDataset, batch_loader, prepare
from lnas.data.images import ImageData, Split, SplitName
from lnas.errors import UsageError, complaint
from lnas.seeds import derive_seed

TrainedOn = Literal["train", "train+val"]


class ImageDataModule(pl.LightningDataModule):
    """Serve the splits of an `ImageData` in batches, augmented (training only) and normalised on the device.

    A training that is resumed at an epoch draws what one that was never stopped does, if `SeedEpochs` is among its
    callbacks. In a distributed training, which needs `use_distributed_sampler=False`, each process takes its own part
    of the same batches; it flips, crops and mixes that by draws of its own, as `SeedEpochs` seeds them. Evaluation is
    whole in each process.

    Args:
        data: The images.
        batch_size: Images per training batch, over all processes; a last smaller batch is dropped. Evaluation takes
            four times as many, in each process a part of that.
        seed: Decides the order of the training images, together with the epoch, and how each is changed by itself.
        augment: Whether training images are cropped and flipped as the data allows.
        tested: The split served as test batches.
        augmentation: What else is done to training images; where it mixes them, labels are probabilities (B, classes).
        trained_on: Whether the images of "val" are trained on, too; they are served as validation batches all the same.
        workers: Processes that load images, for those that lie in files or are changed one by one; 0 is this one.

    Raises:
        UsageError: When training begins, if batches cannot be parted equally among processes, or a process would mix an
            odd number of images.
    """

    def __init__(
        self,
        data: ImageData,
        batch_size: int,
        seed: int,
        augment: bool = True,
        tested: SplitName = "test",
        augmentation: Augmentation = PLAIN,
        trained_on: TrainedOn = "train",
        workers: int = 0,
    ) -> None:
        super().__init__()
        self._data = data
        self._batch_size = batch_size
        self._seed = seed
        self._augment = augment
        self._tested: SplitName = tested
        self._augmentation = augmentation
        self._trained_on: TrainedOn = trained_on
        self._workers = workers

    def train_dataloader(self) -> DataLoader[Batch]:
        split, shard = self._training_split, self._shard
        _check_parts(min(self._batch_size, len(split)), shard.count, self._augmentation)
        if self._augmentation.by_image:
            from lnas.data.image_changes import ChangedDataset

            changed = ChangedDataset(split, self._data, self._augmentation, self._seed)
            return batch_loader(changed, Numbered(len(split), self._batch_size, self._seed, shard), self._workers)
        order = Shuffled(len(split), self._batch_size, self._seed, shard)
        return batch_loader(SplitDataset(split), order, self._workers)

    def val_dataloader(self) -> DataLoader[Batch]:
        return self._evaluation("val")

    def test_dataloader(self) -> DataLoader[Batch]:
        return self._evaluation(self._tested)

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Augment and normalise where the batch lies."""
        if self.trainer is None or not self.trainer.training:
            return prepare(batch, self._data, augment=False)
        return self._augmented(batch)

    def _augmented(self, batch: Batch) -> Batch:
        augmentation = self._augmentation
        images, labels = prepare(batch, self._data, self._augment, padding=0 if augmentation.scale else None)
        if augmentation.erasing:
            images = erase(images, augmentation.erasing)
        if augmentation.cutout:
            images = cutout(images, augmentation.cutout)
        if augmentation.mixes:
            return mix(images, labels, augmentation, self._data.num_classes)
        return images, labels

    def _evaluation(self, name: SplitName) -> DataLoader[Batch]:
        split = self._data.splits[name]
        return batch_loader(
            SplitDataset(split), InOrder(len(split), 4 * self._batch_size // self._shard.count), self._workers
        )

    @property
    def _training_split(self) -> Split:
        splits = self._data.splits
        return splits["train"] if self._trained_on == "train" else splits["train"].followed_by(splits["val"])

    @property
    def _shard(self) -> Shard:
        return WHOLE if self.trainer is None else Shard(self.trainer.global_rank, self.trainer.world_size)


def _check_parts(batch_size: int, processes: int, augmentation: Augmentation) -> None:
    own, rest = divmod(batch_size, processes)
    if rest:
        call = f"ImageDataModule(batch_size={batch_size})"
        raise UsageError(complaint(call, f"a multiple of {processes} processes", batch_size, "Change it."))
    if augmentation.mixes and own % 2:
        call = f"ImageDataModule(batch_size={batch_size}, augmentation={augmentation!r})"
        raise UsageError(complaint(call, "an even number of images to mix", own, "Change batch_size."))


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
