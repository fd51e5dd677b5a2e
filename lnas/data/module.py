"""Image data as a LightningDataModule."""

from __future__ import annotations

import lightning.pytorch as pl
from torch.utils.data import DataLoader

from lnas.data.batches import Batch, InOrder, Repeated, Shuffled, batch_loader, prepare
from lnas.data.images import ImageData, Split, SplitName


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


class ProxyDataModule(pl.LightningDataModule):
    """Serve a proxy subset as one full batch, step after step.

    Args:
        proxy: The subset.
        data: Where it comes from: its normalisation and augmentation.
        steps: How many times the batch is served.
        augment: Whether each step sees the images cropped and flipped anew.
    """

    def __init__(self, proxy: Split, data: ImageData, steps: int, augment: bool) -> None:
        super().__init__()
        self._proxy = proxy
        self._data = data
        self._steps = steps
        self._augment = augment

    def train_dataloader(self) -> DataLoader[Batch]:
        return batch_loader(self._proxy, Repeated(len(self._proxy), self._steps))

    def on_after_batch_transfer(self, batch: Batch, dataloader_idx: int) -> Batch:
        """Augment and normalise where the batch lies."""
        return prepare(batch, self._data, self._augment)
