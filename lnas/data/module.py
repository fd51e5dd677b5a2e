"""Image data as a LightningDataModule."""

from __future__ import annotations

import lightning.pytorch as pl
import numpy as np
import torch
from torch.utils.data import DataLoader

from lnas.data.batches import Batch, InOrder, Shuffled, batch_loader, prepare
from lnas.data.images import ImageData, Split, SplitName
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
    was never stopped. The images are moved to the device once; a step moves nothing.

    Args:
        split: The images.
        data: Where they come from: their normalisation and augmentation.
        seed: Decides order, augmentation and whatever the network draws.
        steps: Steps of an epoch, as Lightning counts them; None is once through the images.
        batch_size: Images per step, shuffled anew in each pass, a last smaller batch dropped; None is all of them.
        augment: Whether each step sees the images cropped and flipped anew, as the data allows.
    """

    def __init__(
        self,
        split: Split,
        data: ImageData,
        seed: int,
        steps: int | None,
        batch_size: int | None = None,
        augment: bool = True,
    ) -> None:
        super().__init__()
        self._images = torch.from_numpy(np.ascontiguousarray(split.images))
        self._labels = torch.from_numpy(np.ascontiguousarray(split.labels))
        self._data = data
        self._seed = seed
        self._order = Shuffled(len(split), batch_size, seed) if batch_size else None
        self._steps = steps or (len(self._order) if self._order else 1)
        self._augment = augment

    def train_dataloader(self) -> range:
        return range(self._steps)

    def transfer_batch_to_device(self, batch: int, device: torch.device, dataloader_idx: int) -> Batch:
        """Make the batch of the step that comes next, where the network lies."""
        assert self.trainer is not None
        step = self.trainer.global_step  # not `batch`: a loader begins anew when a training is resumed
        self._images, self._labels = self._images.to(device), self._labels.to(device)
        torch.manual_seed(derive_seed(self._seed, "step", step))
        return prepare(self._chosen(step), self._data, self._augment)

    def _chosen(self, step: int) -> Batch:
        if self._order is None:
            return self._images, self._labels
        chosen = self._order.batch(step).to(self._images.device)
        return self._images[chosen], self._labels[chosen]
